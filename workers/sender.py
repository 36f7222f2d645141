"""One HTTP request to an address that was checked, and nothing else.

The name is looked up once; every address that it has is checked; the connection goes to a checked
address itself, with the name in `Host`, SNI and the certificate check. A name that answers
differently the next time (DNS rebinding) is never asked a next time. Redirects are not followed,
proxies of the environment not used, and of the answer only the status line counts.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from threading import Event, Thread, Timer

from service.domain.callback import Address, Callback, CallbackPolicy, CallbackRefusedError
from service.domain.delivery import Attempt
from service.domain.job import JobFailure

# A receiver should take the event, put it aside and answer: whoever needs longer is away.
LOOKUP_SECONDS = 5.0
CONNECT_SECONDS = 5.0

# From the connection to the status line, TLS included. Time-outs of single reads would let a
# receiver that sends a byte every few seconds hold a worker for ever.
ANSWER_SECONDS = 10.0

# A name with many addresses must not multiply the time.
MAX_ADDRESSES = 3

USER_AGENT = "Stancewire-Webhooks/1"

Resolver = Callable[[str, int], list[Address]]


def look_up(host: str, port: int) -> list[Address]:
    """The addresses of `host`, in the system's order of preference. Raises `OSError`."""
    answers: SimpleQueue[list[Address] | OSError] = SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([ip_address(str(info[4][0])) for info in found])
        except (OSError, ValueError) as err:
            answers.put(err if isinstance(err, OSError) else OSError(str(err)))

    # The system's resolver has no time limit of its own and cannot be interrupted.
    Thread(target=ask, name="lookup", daemon=True).start()
    try:
        answer = answers.get(timeout=LOOKUP_SECONDS)
    except Empty as err:
        raise TimeoutError("the name was not looked up in time") from err
    if isinstance(answer, OSError):
        raise answer
    return answer


@dataclass(frozen=True, slots=True)
class Sender:
    """Posts to callback URLs under a policy."""

    policy: CallbackPolicy
    resolve: Resolver = look_up
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    answer_seconds: float = ANSWER_SECONDS

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> Attempt:
        """Send `body` once. Never raises: what goes wrong is in the attempt."""
        try:
            # Checked again: the policy may have changed since the URL was accepted.
            callback = self.policy.check_url(url)
            connection = self._connect(callback)
        except CallbackRefusedError as err:
            return _failed("address_refused", str(err), permanent=True)
        except TimeoutError:
            return _failed("timeout", "no connection in time")
        except OSError as err:
            return _failed("unreachable", f"no connection: {_reason(err)}")
        # Shut down from beside, which wakes whoever reads: the socket itself may be inside TLS.
        guard = connection.dup()
        late = Event()

        def shut() -> None:
            late.set()
            with suppress(OSError):
                guard.shutdown(socket.SHUT_RDWR)

        deadline = Timer(self.answer_seconds, shut)
        deadline.daemon = True
        deadline.start()
        try:
            attempt = self._ask(callback, connection, body, headers)
            if late.is_set():
                # http.client takes headers that are cut off for headers that have ended.
                raise TimeoutError
            return attempt
        except ssl.SSLCertVerificationError as err:
            return _failed("certificate_refused", err.verify_message or "not to be trusted")
        except (OSError, http.client.HTTPException, ValueError) as err:
            if late.is_set() or isinstance(err, TimeoutError):
                return _failed("timeout", f"no answer within {self.answer_seconds:g} seconds")
            return _failed("broken_answer", f"the connection broke: {_reason(err)}")
        finally:
            deadline.cancel()
            deadline.join()
            connection.close()
            guard.close()

    def _connect(self, callback: Callback) -> socket.socket:
        addresses = (
            [callback.address]
            if callback.address is not None
            else self.resolve(callback.host, callback.port)
        )
        if not addresses:
            raise OSError("the name has no address")
        # One bad address among good ones is an attack or a mistake: none of them is called.
        for address in addresses:
            self.policy.check_address(callback.host, address)
        distinct = list(dict.fromkeys(addresses))[:MAX_ADDRESSES]
        for address in distinct[:-1]:
            try:
                return _open(address, callback.port)
            except OSError:
                continue
        return _open(distinct[-1], callback.port)

    def _ask(
        self, callback: Callback, raw: socket.socket, body: bytes, headers: dict[str, str]
    ) -> Attempt:
        raw.settimeout(self.answer_seconds)
        stream = raw
        if callback.scheme == "https":
            stream = self.tls.wrap_socket(raw, server_hostname=callback.host)
        with stream:
            connection = http.client.HTTPConnection(callback.host, callback.port)
            # Already connected, and to the address that was checked: it never looks up the name.
            connection.auto_open = 0
            connection.sock = stream
            connection.request(
                "POST",
                callback.path,
                body,
                {
                    **headers,
                    "Host": callback.authority,
                    "Content-Type": "application/json",
                    "User-Agent": USER_AGENT,
                    "Connection": "close",
                },
            )
            # Reads the status line and the headers (at most 100 of 64 KiB); never the body.
            with connection.getresponse() as response:
                status = response.status
        attempt = Attempt(status=status)
        if attempt.delivered:
            return attempt
        return Attempt(status=status, failure=JobFailure("status", f"answered {status}"))


def _open(address: Address, port: int) -> socket.socket:
    return socket.create_connection((str(address), port), timeout=CONNECT_SECONDS)


def _failed(code: str, detail: str, *, permanent: bool = False) -> Attempt:
    return Attempt(failure=JobFailure(code, detail), permanent=permanent)


def _reason(err: Exception) -> str:
    """A few words without addresses of ours."""
    return (getattr(err, "strerror", None) or type(err).__name__)[:200]
