"""Counting a key's requests by the minute: at the broker, where all processes see the same."""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import Lock
from time import monotonic

from kombu.connection import Connection

from service.domain.ports import Window
from service.queueing.line import BrokerLine, client_of, open_line
from service.settings import Settings

WINDOW_SECONDS = 60

_PREFIX = "stancewire:requests:"


class BrokerLimiter:
    """A `Limiter`. A minute begins with a key's first request and has room for its limit.

    While the broker is away each process counts for itself: a service of two processes lets
    twice as many through then, which is better than none or all.
    """

    def __init__(self, line: BrokerLine, *, clock: Callable[[], float] = monotonic) -> None:
        self._line = line
        self._own = OwnWindows(clock)

    def hit(self, name: str, limit: int) -> Window:
        """Count one request of `name`."""
        counted = self._line.ask(lambda connection: _count(connection, _PREFIX + name))
        return _window(limit, *(self._own.count(name) if counted is None else counted))

    def close(self) -> None:
        """Hang up. Another call connects again."""
        self._line.close()


class OwnWindows:
    """Windows in this process's memory: one a name, so never more than there are keys."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._windows: dict[str, tuple[float, int]] = {}

    def count(self, name: str) -> tuple[int, float]:
        """Requests in this window, this one included, and the seconds until it ends."""
        with self._lock:
            now = self._clock()
            ends, requests = self._windows.get(name, (now, 0))
            if ends <= now:
                ends, requests = now + WINDOW_SECONDS, 0
            self._windows[name] = (ends, requests + 1)
            return requests + 1, ends - now


def _count(connection: Connection, name: str) -> tuple[int, float]:
    """As `OwnWindows.count`, in one transaction and one round trip."""
    pipeline = client_of(connection).pipeline(transaction=True)
    # A window always has an end, whoever is cut off where: it is made with one.
    pipeline.set(name, 0, ex=WINDOW_SECONDS, nx=True)
    pipeline.incr(name)
    pipeline.pttl(name)
    _, requests, milliseconds = pipeline.execute()
    return int(requests), int(milliseconds) / 1000


def _window(limit: int, requests: int, seconds: float) -> Window:
    return Window(requests <= limit, max(0, limit - requests), max(1, math.ceil(seconds)))


def open_limiter(settings: Settings) -> BrokerLimiter:
    """The limiter of this process. Connects when first used."""
    line = open_line(settings, "limiter", while_away="each process counts requests for itself")
    return BrokerLimiter(line)
