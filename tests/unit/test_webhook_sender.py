"""The sender against a real receiver on this machine, and everything that it must not do."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from ipaddress import IPv4Address, ip_address

import pytest

from service.domain.callback import Address, CallbackPolicy
from service.domain.delivery import Attempt
from tests import receiver as behaviour
from tests.receiver import CERTIFICATES, Receiver
from workers import sender as sender_module
from workers.sender import Sender, look_up

INSIDE = CallbackPolicy.of(allow_http=True, allowed=("127.0.0.0/8",))
PUBLIC = CallbackPolicy(allow_http=True)
LOOPBACK = IPv4Address("127.0.0.1")


def names(*addresses: str) -> Callable[[str, int], list[Address]]:
    """A resolver for which every name has these addresses."""
    return lambda host, port: [ip_address(address) for address in addresses]


def no_names(host: str, port: int) -> list[Address]:
    raise AssertionError(f"{host} was looked up")


def code(attempt: Attempt) -> str | None:
    return attempt.failure.code if attempt.failure else None


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as started:
        yield started


def test_a_body_arrives_as_it_was_sent(receiver: Receiver) -> None:
    attempt = Sender(INSIDE, names("127.0.0.1")).post(
        receiver.url("hooks.example", "/a?b=c"), b'{"a": 1}', {"webhook-id": "m1"}
    )
    assert attempt == Attempt(status=204)
    [request] = receiver.received
    assert (request.method, request.path, request.body) == ("POST", "/a?b=c", b'{"a": 1}')
    assert request.headers["host"] == f"hooks.example:{receiver.port}"
    assert request.headers["webhook-id"] == "m1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("Stancewire")


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
def test_other_statuses_are_told(status: int) -> None:
    with Receiver([status]) as receiver:
        attempt = Sender(INSIDE).post(receiver.url(), b"{}", {})
    assert (attempt.status, code(attempt), attempt.delivered) == (status, "status", False)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(receiver: Receiver, status: int) -> None:
    with Receiver([status], {"Location": receiver.url()}) as redirecting:
        attempt = Sender(INSIDE).post(redirecting.url(), b"{}", {})
        assert len(redirecting.received) == 1
    assert (attempt.status, attempt.delivered) == (status, False)
    assert receiver.connections == 0


def test_proxies_of_the_environment_are_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Receiver() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url(path=""))
        assert Sender(INSIDE).post(receiver.url(), b"{}", {}).delivered
        assert proxy.connections == 0


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["8.8.8.8", "127.0.0.1"],
        ["127.0.0.1", "8.8.8.8"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["169.254.169.254"],
        ["10.0.0.1"],
        ["0.0.0.0"],
        ["2606:4700::1111", "fd00::1"],
    ],
)
def test_a_name_that_leads_inside_is_not_called(
    receiver: Receiver, addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_connection(*_: object, **__: object) -> socket.socket:
        raise AssertionError("connected")

    monkeypatch.setattr(sender_module.socket, "create_connection", no_connection)
    attempt = Sender(PUBLIC, names(*addresses)).post(receiver.url("hooks.example"), b"{}", {})
    assert (code(attempt), attempt.permanent) == ("address_refused", True)
    assert receiver.connections == 0


def test_an_address_in_the_url_is_checked_and_not_looked_up(receiver: Receiver) -> None:
    attempt = Sender(PUBLIC, no_names).post(receiver.url(), b"{}", {})
    assert code(attempt) == "address_refused"
    assert receiver.connections == 0


@pytest.mark.parametrize(
    "url", ["http://hooks.example/", "ftp://hooks.example/", "https://localhost/"]
)
def test_a_url_that_was_accepted_under_another_policy_is_refused(url: str) -> None:
    attempt = Sender(CallbackPolicy(), no_names).post(url, b"{}", {})
    assert (code(attempt), attempt.permanent) == ("address_refused", True)


def test_dns_rebinding_cannot_win(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first answer is public, every later one leads inside: there is no later one."""
    answers = [[IPv4Address("8.8.8.8")]]
    asked: list[str] = []
    connected: list[object] = []

    def rebinding(host: str, port: int) -> list[Address]:
        asked.append(host)
        return list(answers.pop(0)) if answers else [LOOPBACK]

    real = socket.create_connection

    def watched(address: tuple[str, int], **options: float) -> socket.socket:
        # Stands in for the route to 8.8.8.8, which a test may not use.
        connected.append(address[0])
        return real(("127.0.0.1", address[1]), **options)  # type: ignore[arg-type]

    monkeypatch.setattr(sender_module.socket, "create_connection", watched)
    monkeypatch.setattr(socket, "getaddrinfo", _resolving_numbers_only(socket.getaddrinfo))
    sender = Sender(PUBLIC, rebinding)
    assert sender.post(receiver.url("hooks.example"), b"{}", {}).delivered
    assert (asked, connected) == (["hooks.example"], ["8.8.8.8"])
    # The next attempt asks again, and is refused: nothing was kept from the first.
    assert code(sender.post(receiver.url("hooks.example"), b"{}", {})) == "address_refused"
    assert connected == ["8.8.8.8"]


def _resolving_numbers_only(real: Callable[..., object]) -> Callable[..., object]:
    def numbers_only(host: str, *arguments: object, **options: object) -> object:
        ip_address(host)
        return real(host, *arguments, **options)

    return numbers_only


def test_the_next_address_is_tried_when_one_does_not_answer(receiver: Receiver) -> None:
    # Nothing listens on the first.
    sender = Sender(INSIDE, names("127.9.9.9", "127.0.0.1"))
    assert sender.post(receiver.url("hooks.example"), b"{}", {}).delivered


def test_nobody_there() -> None:
    with Receiver() as closed:
        url = closed.url()
    attempt = Sender(INSIDE).post(url, b"{}", {})
    assert (code(attempt), attempt.permanent) == ("unreachable", False)


def test_names_that_are_not_known_can_be_tried_again() -> None:
    def unknown(host: str, port: int) -> list[Address]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    attempt = Sender(INSIDE, unknown).post("https://hooks.example/", b"{}", {})
    assert (code(attempt), attempt.permanent) == ("unreachable", False)
    assert code(Sender(INSIDE, names()).post("https://hooks.example/", b"{}", {})) == "unreachable"


@pytest.mark.parametrize("answer", [behaviour.hang_up, behaviour.nonsense])
def test_what_is_no_answer(answer: Callable[[BaseHTTPRequestHandler], None]) -> None:
    with Receiver(answer=answer) as receiver:
        attempt = Sender(INSIDE).post(receiver.url(), b"{}", {})
    assert (code(attempt), attempt.status) == ("broken_answer", None)


@pytest.mark.parametrize("tls", [False, True])
def test_an_answer_that_drips_does_not_hold_the_worker(tls: bool) -> None:
    with Receiver(answer=behaviour.drip, tls=tls) as receiver:
        sender = Sender(INSIDE, names("127.0.0.1"), trusting(), answer_seconds=0.5)
        began = time.monotonic()
        attempt = sender.post(receiver.url("hooks.example"), b"{}", {})
    assert code(attempt) == "timeout"
    assert time.monotonic() - began < 3


def test_a_receiver_that_never_greets_does_not_hold_the_worker() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sender = Sender(INSIDE, names("127.0.0.1"), trusting(), answer_seconds=0.5)
        began = time.monotonic()
        attempt = sender.post(f"https://hooks.example:{silent.getsockname()[1]}/", b"{}", {})
    assert code(attempt) == "timeout"
    assert time.monotonic() - began < 3


def test_an_endless_body_is_not_read() -> None:
    with Receiver(answer=behaviour.flood) as receiver:
        began = time.monotonic()
        attempt = Sender(INSIDE).post(receiver.url(), b"{}", {})
    assert attempt.delivered
    assert time.monotonic() - began < 3


def test_a_name_that_is_not_looked_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "LOOKUP_SECONDS", 0.1)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(0.5) or [])
    attempt = Sender(INSIDE).post("https://hooks.example/", b"{}", {})
    assert code(attempt) == "timeout"
    # The thread that still asks ends before the patch does.
    time.sleep(0.6)


def test_this_machine_s_own_name_is_looked_up() -> None:
    assert LOOPBACK in look_up("localhost", 80)


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(CERTIFICATES / "hooks.example.crt"))


def test_tls_is_with_the_name_of_the_url() -> None:
    with Receiver(tls=True) as receiver:
        sender = Sender(INSIDE, names("127.0.0.1"), trusting())
        assert sender.post(receiver.url("hooks.example"), b"{}", {}).delivered
        assert receiver.asked_for == ["hooks.example"]
        assert receiver.received[0].headers["host"] == f"hooks.example:{receiver.port}"


@pytest.mark.parametrize("host", ["other.example", "127.0.0.1"])
def test_a_certificate_for_another_name_is_refused(host: str) -> None:
    with Receiver(tls=True) as receiver:
        sender = Sender(INSIDE, names("127.0.0.1"), trusting())
        attempt = sender.post(receiver.url(host), b"{}", {})
        assert code(attempt) == "certificate_refused"
        assert receiver.received == []


def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    with Receiver(tls=True) as receiver:
        attempt = Sender(INSIDE, names("127.0.0.1")).post(receiver.url("hooks.example"), b"{}", {})
        assert (code(attempt), attempt.permanent) == ("certificate_refused", False)
        assert receiver.received == []
