"""The server's limits over real sockets, with times of a fraction of a second."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from waitress import wasyncore
from waitress.task import ThreadedTaskDispatcher

from service.hardening import HEADERS
from service.serving.limits import HEAD_BYTES, Limits
from service.serving.server import Server

LIMITS = Limits(
    head_seconds=0.4,
    body_seconds=0.4,
    idle_seconds=0.4,
    body_bytes=1_000_000,
    held_bytes=2_000_000,
    fields=20,
    connections=50,
    threads=1,
)
HUGE = 60_000_000
HOST = b"Host: a.example\r\n"


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Says how long the body was; `/huge` answers with more than any socket buffers."""
    body = environ["wsgi.input"].read()
    answer = b"x" * HUGE if environ["PATH_INFO"] == "/huge" else b"%d bytes" % len(body)
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]


@contextmanager
def serving(limits: Limits = LIMITS) -> Iterator[tuple[Server, tuple[str, int]]]:
    """A server in a thread of its own, and its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    dispatcher = ThreadedTaskDispatcher()
    dispatcher.set_thread_count(limits.threads)
    connections: dict[int, Any] = {}
    server = Server(echo, listener, limits, connections, dispatcher)
    address = listener.getsockname()
    ended = threading.Event()

    def loop() -> None:
        while not ended.is_set():
            wasyncore.loop(timeout=0.02, use_poll=True, map=connections, count=1)
            server.look_after(time.monotonic())

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield server, address
    finally:
        ended.set()
        thread.join()
        dispatcher.shutdown()
        wasyncore.close_all(connections)


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    with serving() as (_, address):
        yield address


def read_to_end(client: socket.socket) -> bytes:
    client.settimeout(10)
    received = b""
    try:
        while data := client.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return received


def read_answer(client: socket.socket) -> tuple[bytes, bytes]:
    """Head and body of one answer that says its length."""
    client.settimeout(10)
    with client.makefile("rb") as stream:
        head = b"".join(iter(stream.readline, b"\r\n"))
        length = int(head.lower().partition(b"content-length: ")[2].split()[0])
        return head, stream.read(length)


def exchange(address: tuple[str, int], request: bytes) -> bytes:
    """Send all of `request`, whatever comes back meanwhile, then read to the end."""
    with socket.create_connection(address) as client:
        client.sendall(request)
        return read_to_end(client)


def assert_refused(answer: bytes, status: int, name: str) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0].startswith(f"HTTP/1.{lines[0][7]} {status} "), answer[:300]
    assert "Content-Type: application/problem+json" in lines
    assert "Connection: close" in lines
    assert {f"{name}: {value}" for name, value in HEADERS.items()} <= set(lines)
    document = json.loads(body)
    assert document["type"] == f"urn:stancewire:problem:{name}"
    assert document["status"] == status
    assert f"X-Request-Id: {document['request_id']}" in lines


def head(*fields: bytes, line: bytes = b"POST / HTTP/1.1") -> bytes:
    return b"".join(part + b"\r\n" for part in (line, b"Host: a.example", *fields, b""))


@pytest.mark.parametrize(
    ("request_", "status", "name"),
    [
        (head(b"A: " + b"a" * HEAD_BYTES), 431, "head-too-large"),
        (b"GET /" + b"a" * 2 * HEAD_BYTES, 431, "head-too-large"),
        (head(*(b"A%d: a" % n for n in range(30))), 431, "head-too-large"),
        (head(b"Content-Length: 1000001") + b"a" * 1_000_001, 413, "too-large"),
        (head(b"Content-Length: " + b"9" * 5000), 400, "malformed-request"),
        (head(b"Content-Length: -1"), 400, "malformed-request"),
        (head(b"Content-Length: 1", b"Content-Length: 2"), 400, "malformed-request"),
        (head(b"Transfer-Encoding: chunked", b"Content-Length: 1"), 400, "malformed-request"),
        (head(b"Transfer-Encoding: gzip"), 400, "malformed-request"),
        (
            head(b"Transfer-Encoding: chunked", line=b"POST / HTTP/1.0"),
            400,
            "malformed-request",
        ),
        (head(b"Transfer-Encoding: chunked") + b"zz\r\n", 400, "malformed-request"),
        (head(b"Transfer-Encoding: chunked") + b"1;" + b"a" * 9000, 400, "malformed-request"),
        (
            head(b"Transfer-Encoding: chunked") + b"0\r\n" + b"a: b\r\n" * 3000,
            400,
            "malformed-request",
        ),
        (head(b"A b: c"), 400, "malformed-request"),
        (head(b"A: b\nc: d"), 400, "malformed-request"),
        (head(line=b"GET / HTTP/2.0"), 400, "malformed-request"),
        (head(line=b"GET /"), 400, "malformed-request"),
        (head(line=b"G\0T / HTTP/1.1"), 400, "malformed-request"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "malformed-request"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_problem(
    address: tuple[str, int],
    request_: bytes,
    status: int,
    name: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        assert_refused(exchange(address, request_), status, name)
    assert not [record for record in caplog.records if record.exc_info or "aaaa" in str(record)]


def test_a_chunked_body_beyond_the_limit(address: tuple[str, int]) -> None:
    chunk = b"1000\r\n" + b"a" * 0x1000 + b"\r\n"
    answer = exchange(address, head(b"Transfer-Encoding: chunked") + chunk * 300 + b"0\r\n\r\n")
    assert_refused(answer, 413, "too-large")


def test_a_connection_is_used_again(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as client:
        for request, length in (
            (head(b"Content-Length: 5") + b"hello", 5),
            (head(b"Transfer-Encoding: chunked") + b"3\r\nabc\r\n4\r\nabcd\r\n0\r\n\r\n", 7),
            (head(line=b"GET / HTTP/1.1"), 0),
        ):
            client.sendall(request)
            answer, body = read_answer(client)
            assert answer.startswith(b"HTTP/1.1 200"), answer
            assert body == b"%d bytes" % length
            assert b"Server" not in answer
            # Longer in all than a connection may idle.
            time.sleep(0.25)
        began = time.monotonic()
        assert read_to_end(client) == b""
        assert time.monotonic() - began < 2


def test_whoever_asks_first_is_told_to_go_on_or_not(address: tuple[str, int]) -> None:
    expect = b"Expect: 100-continue"
    with socket.create_connection(address) as client:
        client.sendall(head(expect, b"Content-Length: 5"))
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"hello")
        assert read_answer(client)[1] == b"5 bytes"
        client.sendall(head(expect, line=b"GET / HTTP/1.1"))
        assert read_answer(client)[1] == b"0 bytes"
    assert_refused(exchange(address, head(expect, b"Content-Length: 9999999")), 413, "too-large")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", None),
        (b"GET / HTTP/1.1\r\nHo", 408),
        (head(b"Content-Length: 100") + b"a", 408),
        (head(b"Transfer-Encoding: chunked") + b"500\r\na", 408),
    ],
)
@pytest.mark.parametrize("trickles", [True, False])
def test_a_request_that_does_not_arrive(
    address: tuple[str, int], sent: bytes, status: int | None, trickles: bool
) -> None:
    began = time.monotonic()
    with socket.create_connection(address) as client:
        client.sendall(sent)
        client.settimeout(0.05)
        answer = b""
        while time.monotonic() - began < 5:
            try:
                data = client.recv(65536)
            except TimeoutError:
                if trickles and sent:
                    client.sendall(b"a")
                continue
            answer += data
            if not data:
                break
        took = time.monotonic() - began
    # Head and body each have their own time.
    assert 0.3 < took < 2, took
    if status is None:
        assert answer == b""
    else:
        assert_refused(answer, status, "request-timeout")


def test_an_answer_that_nobody_takes_holds_no_thread() -> None:
    limits = replace(LIMITS, body_seconds=1.0)
    with serving(limits) as (server, address), socket.create_connection(address) as client:
        client.sendall(head(line=b"GET /huge HTTP/1.1") * 3)
        time.sleep(0.3)
        assert server.active_channels
        wait_for(lambda: not server.active_channels, "it is cut off")
        # The only thread is free again.
        answer = exchange(address, head(b"Connection: close", line=b"GET / HTTP/1.1"))
        assert answer.endswith(b"0 bytes")


def test_requests_that_nobody_waits_for(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as client:
        client.sendall(head(line=b"GET / HTTP/1.1") * 50)
        assert read_to_end(client).count(b"200 OK") < 10


def test_large_bodies_are_refused_while_too_much_is_kept() -> None:
    limits = replace(LIMITS, held_bytes=800_000, body_seconds=20.0)
    large = head(b"Content-Length: 900000")
    with serving(limits) as (server, address), socket.create_connection(address) as first:
        first.sendall(large + b"a" * 750_000)
        wait_for(lambda: server.held == 750_000, "the first is kept")
        answer = exchange(address, large + b"a" * 900_000)
        assert_refused(answer, 503, "busy")
        assert b"\r\nRetry-After: " in answer
        small = head(b"Connection: close", b"Content-Length: 5") + b"hello"
        assert exchange(address, small).endswith(b"5 bytes")
        first.close()
        wait_for(lambda: server.held == 0, "it is let go")
        answer = exchange(
            address, head(b"Connection: close", b"Content-Length: 600000") + b"a" * 600_000
        )
        assert answer.endswith(b"600000 bytes")


def test_a_stopping_server_ends_what_idles_and_says_so_to_the_rest() -> None:
    limits = replace(LIMITS, idle_seconds=30.0, head_seconds=30.0)
    with serving(limits) as (server, address), socket.create_connection(address) as busy:
        busy.sendall(head(line=b"GET / HTTP/1.1"))
        assert b"Connection" not in read_answer(busy)[0]
        with socket.create_connection(address) as idle:
            idle.sendall(head(line=b"GET / HTTP/1.1"))
            read_answer(idle)
            server.stopping = True
            busy.sendall(head(line=b"GET / HTTP/1.1"))
            assert b"Connection: close" in read_to_end(busy)
            began = time.monotonic()
            assert read_to_end(idle) == b""
            assert time.monotonic() - began < 5
