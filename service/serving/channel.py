"""One client's connection, and how long each part of its requests may take."""

from __future__ import annotations

import socket
from enum import Enum, auto

from waitress.channel import HTTPChannel
from waitress.task import WSGITask
from waitress.utilities import Error

from service.serving.limits import (
    LAST_REQUEST_SECONDS,
    LINGER_SECONDS,
    PIPELINED,
    SMALL_BODY_BYTES,
    Limits,
)
from service.serving.refusal import NoRoom, Refusal, TookTooLong
from service.serving.request_parser import RequestParser


class Phase(Enum):
    """What a connection waits for."""

    FRESH = auto()
    IDLE = auto()
    HEAD = auto()
    BODY = auto()
    APPLICATION = auto()
    SENDING = auto()
    LINGERING = auto()


class _Task(WSGITask):  # type: ignore[misc]
    """A request with the application."""

    def build_response_header(self) -> bytes:
        """The head of the answer; the last one before a stop says that it is the last."""
        if self.channel.server.stopping:
            self.request.headers["CONNECTION"] = "close"
        return bytes(super().build_response_header())


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection. All but the tasks happens in the process's one loop."""

    parser_class = RequestParser
    task_class = _Task
    error_task_class = Refusal

    # Set by `Refusal`: the client may still be sending, so closing at once would lose the answer.
    refused = False

    request: RequestParser | None = None

    _receiving = False
    _lingering = False
    _served = 0
    _phase = (Phase.FRESH, 0)
    _since = 0.0

    def phase(self) -> Phase:
        """What it waits for now."""
        if self._lingering:
            return Phase.LINGERING
        # First, since an answer that nobody takes may hold up the thread that writes the next.
        if self.total_outbufs_len or self.close_when_flushed or self.will_close:
            return Phase.SENDING
        if self.requests:
            return Phase.APPLICATION
        if self.request is None:
            return Phase.IDLE if self._served else Phase.FRESH
        return Phase.BODY if self.request.headers_finished else Phase.HEAD

    def look_after(self, now: float, limits: Limits) -> None:
        """End what takes too long. Called every second; `now` is monotonic."""
        phase = self.phase()
        # The number tells a connection that idles from one that was busy in between.
        if (phase, self._served) != self._phase:
            # Nothing sent yet or half a head: the time runs from the first of the two.
            if not (self._phase == (Phase.FRESH, 0) and phase is Phase.HEAD):
                self._since = now
            self._phase = (phase, self._served)
        self._since = self._since or now
        seconds = {
            Phase.FRESH: limits.head_seconds,
            Phase.IDLE: limits.idle_seconds,
            Phase.HEAD: limits.head_seconds,
            Phase.BODY: limits.body_seconds,
            Phase.SENDING: limits.body_seconds,
            Phase.LINGERING: LINGER_SECONDS,
        }.get(phase)
        if seconds is not None and phase in {Phase.FRESH, Phase.IDLE} and self.server.stopping:
            seconds = min(seconds, LAST_REQUEST_SECONDS)
        if seconds is None or now - self._since < seconds:
            return
        if phase in {Phase.HEAD, Phase.BODY}:
            self.refuse(TookTooLong(""))
        else:
            self.handle_close()

    def refuse(self, error: Error) -> None:
        """Answer the request that is coming in with `error`; nothing more of it is read."""
        with self.requests_lock:
            request = self.request or RequestParser(self.adj)
            self.request = None
            request.error = error
            request.completed = True
            self._served += 1
            self.requests.append(request)
            if len(self.requests) == 1:
                self.server.add_task(self)

    def held(self) -> int:
        """Bytes of bodies that wait here for their end or for a thread."""
        with self.requests_lock:
            waiting: int = sum(request.held() for request in self.requests)
            return waiting + (0 if self.request is None else self.request.held())

    def received(self, data: bytes) -> bool:
        """Take in what the client sent."""
        before = len(self.requests)
        self._receiving = True
        taken = bool(super().received(data))
        self._receiving = False
        if not self.connected:
            self._let_go()
            return False
        if len(self.requests) > before:
            self._served += 1
        if len(self.requests) > PIPELINED:
            self.handle_close()
            return False
        coming = self.request
        if coming is not None and coming.body_rcv is not None:
            self.server.held += len(data)
            if coming.held() > SMALL_BODY_BYTES and self.server.is_full():
                self.refuse(NoRoom(""))
        return taken

    def send_continue(self) -> None:
        """Ask for the body, unless there is none or it is refused already."""
        assert self.request is not None
        if self.request.completed:
            self.request.expect_continue = False
            return
        super().send_continue()

    def readable(self) -> bool:
        """Whether the loop should read from it."""
        return self._lingering or bool(super().readable())

    def writable(self) -> bool:
        """Whether the loop should write to it."""
        return not self._lingering and bool(super().writable())

    def handle_read(self) -> None:
        """Read, or throw away what comes after a refusal."""
        if self._lingering:
            self.recv(64 * 1024)
        else:
            super().handle_read()

    def handle_write(self) -> None:
        """Write; after a refusal tell the client that nothing more comes and let it finish."""
        if not (self.refused and self.close_when_flushed):
            super().handle_write()
            return
        self._flush_exception(self._flush_some)
        if self.will_close:
            self.handle_close()
        elif self.connected and not self.total_outbufs_len:
            self._linger()

    def handle_close(self) -> None:
        """Close it, with what was kept of a request that never ended."""
        super().handle_close()
        if not self._receiving:
            self._let_go()

    def _let_go(self) -> None:
        if self.request is not None:
            self.request.close()

    def _linger(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.handle_close()
            return
        self.close_when_flushed = False
        self._lingering = True
