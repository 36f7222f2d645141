"""Clients that take their time, at a real API under gunicorn."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from service.settings import load_settings
from service.store import migrate
from tests.integration.processes import ApiServer, wait_for

# What an ordinary client may notice of the others.
PROMISED = 2.0
TRICKLERS = 200
TIMEOUT = 8
LARGEST = 2_000_000

HEAD = b"POST /v1/articles HTTP/1.1\r\nHost: a.example\r\nContent-Type: text/plain\r\n"


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    chosen = {
        "STANCEWIRE_DATABASE_URL": f"sqlite:///{tmp_path}/store.db",
        # Nobody listens there: articles wait in the outbox.
        "STANCEWIRE_BROKER_URL": "redis+socket:///nowhere",
        "STANCEWIRE_REQUEST_TIMEOUT": str(TIMEOUT),
        "STANCEWIRE_MAX_REQUEST_BYTES": str(LARGEST),
    }
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    migrate(load_settings())
    return chosen


@pytest.fixture
def api(environment: dict[str, str], tmp_path: Path) -> Iterator[ApiServer]:
    started = ApiServer(environment, tmp_path / "api.log")
    try:
        started.wait_until_it_answers()
        yield started
    finally:
        started.kill()
        print(started.log.read_text())


@dataclass
class Trickler:
    """Sends a byte every half second until it is cut off."""

    client: socket.socket
    answer: bytes = b""
    began: float = field(default_factory=time.monotonic)
    took: float | None = None

    def go_on(self) -> None:
        try:
            while data := self.client.recv(4096):
                self.answer += data
        except BlockingIOError:
            self.client.send(b"a")
        except ConnectionResetError:
            self.took = time.monotonic() - self.began
        else:
            self.took = time.monotonic() - self.began


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    """What a test opens is closed whatever becomes of it, and disturbs no later one."""
    with ExitStack() as stack:
        yield stack


def test_slow_clients_hold_up_nobody_and_are_cut_off(api: ApiServer, opened: ExitStack) -> None:
    tricklers = []
    for begun in (HEAD[:30], HEAD + b"Content-Length: 100000\r\n\r\n"):
        for _ in range(TRICKLERS):
            # kombu sets a timeout for all sockets of the process now and then; not for these.
            client = opened.enter_context(socket.create_connection(api.address, timeout=30))
            tricklers.append(Trickler(client))
            client.sendall(begun)
            client.setblocking(False)

    def trickle() -> None:
        while any(trickler.took is None for trickler in tricklers):
            for trickler in tricklers:
                if trickler.took is None:
                    trickler.go_on()
            time.sleep(0.5)

    with ThreadPoolExecutor(1) as pool:
        trickling = pool.submit(trickle)
        answered = 0
        while not trickling.done():
            # A connection each: none of them was there before the slow ones.
            for method, path in (("GET", "/livez"), ("POST", "/v1/articles")):
                began = time.monotonic()
                response = httpx.request(method, api.url + path, json={"text": "Some news."})
                assert response.status_code in {200, 202}, response.text
                assert time.monotonic() - began < PROMISED
                answered += 1
            assert time.monotonic() - tricklers[-1].began < 4 * TIMEOUT, "they are not cut off"
            time.sleep(0.2)
        trickling.result()
    assert answered > 20
    for trickler in tricklers:
        assert trickler.answer.startswith(b"HTTP/1.1 408 ") or trickler.answer.startswith(
            b"HTTP/1.0 408 "
        )
        assert b"urn:stancewire:problem:request-timeout" in trickler.answer
        assert trickler.took is not None
        assert TIMEOUT - 1 < trickler.took < 2 * TIMEOUT


def send_slowly(api: ApiServer, request: bytes) -> bytes:
    """Send all of it in pieces, reading only when done; return the answer."""
    with socket.create_connection(api.address, timeout=20) as client:
        for start in range(0, len(request), 100_000):
            client.sendall(request[start : start + 100_000])
        answer = b""
        while data := client.recv(65536):
            answer += data
        return answer


@pytest.mark.parametrize("size", [LARGEST + 1, 2 * LARGEST])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_beyond_the_limit_is_told_so_although_it_goes_on(
    api: ApiServer, size: int, chunked: bool
) -> None:
    if chunked:
        chunk = b"fa0\r\n" + b"a" * 4000 + b"\r\n"
        body = chunk * (size // 4000) + b"%x\r\n" % (size % 4000 or 1) + b"a" * (size % 4000 or 1)
        request = HEAD + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + body
        request += b"\r\n0\r\n\r\n"
    else:
        request = HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % size + b"a" * size
    answer = send_slowly(api, request)
    head, _, document = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 "), answer[:200]
    assert b"Content-Type: application/problem+json" in head
    assert json.loads(document)["type"] == "urn:stancewire:problem:too-large"


def test_the_largest_body_is_taken_chunked_and_not(api: ApiServer) -> None:
    text = json.dumps([{"text": "a" * 180_000}] * 11).encode()
    body = text + b" " * (LARGEST - len(text))
    for content in (body, iter([body[:7], body[7:]])):
        response = api.client.post(
            "/v1/batches", content=content, headers={"Content-Type": "application/json"}
        )
        assert response.status_code == 202, response.text


def test_heads_without_end_leave_no_traceback(api: ApiServer) -> None:
    for request, status in (
        (b"GET /" + b"a" * 70_000, 431),
        (HEAD + b"A: a\r\n" * 100 + b"\r\n", 431),
        (HEAD + b"Content-Length: " + b"1" * 5000 + b"\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
    ):
        answer = send_slowly(api, request)
        assert re.match(rb"HTTP/1.\d %d " % status, answer), answer[:200]
        assert b"urn:stancewire:problem:" in answer
    log = api.log.read_text()
    assert log.count('"request refused"') == 4
    assert "Traceback" not in log
    assert "exception" not in log
    assert "aaaa" not in log


@pytest.mark.parametrize("on_unix_socket", [False, True])
def test_a_stop_answers_what_waits_and_waits_for_no_one_else(
    environment: dict[str, str], tmp_path: Path, on_unix_socket: bool
) -> None:
    path = tmp_path / "api.socket" if on_unix_socket else None
    api = ApiServer(environment, tmp_path / "api.log", path)
    try:
        api.wait_until_it_answers()
        answers: list[httpx.Response] = []

        def wait_for_analysis() -> None:
            answers.append(
                api.client.post(
                    "/v1/articles", json={"text": "Some news."}, headers={"Prefer": "wait=4"}
                )
            )

        waiting = threading.Thread(target=wait_for_analysis)
        waiting.start()
        time.sleep(1)
        began = time.monotonic()
        api.process.terminate()
        waiting.join(30)
        [answer] = answers
        assert answer.status_code == 202
        assert answer.headers["Connection"] == "close"
        assert time.monotonic() - began > 2
        # Well within the grace period, even where the machine is busy with other things.
        assert api.process.wait(15) == 0
        wait_for(lambda: "Shutting down" in api.log.read_text(), 5, "it says so")
        if path is not None:
            assert not path.exists()
    finally:
        api.kill()
        print(api.log.read_text())
