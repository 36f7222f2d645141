"""A line to the broker that is never waited for longer than the broker timeout."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

from celery import Celery
from kombu.connection import Connection
from kombu.exceptions import KombuError, OperationalError
from redis.exceptions import RedisError

from service.queueing.names import INTERACTIVE, declared_queues
from service.settings import Settings

log = logging.getLogger(__name__)

# After a failure nobody tries for this long: a batch of a thousand articles pays for one timeout,
# not for a thousand.
REST_SECONDS = 1.0

# What an answer may take beyond the broker timeout, so that the socket's own timeout comes first.
SLACK_SECONDS = 0.05

_BROKER_ERRORS = (OperationalError, KombuError, RedisError, OSError)

T = TypeVar("T")


class BrokerLine:
    """Safe to share between threads and across forks.

    One thread of its own talks to the broker; callers wait for it no longer than the broker
    timeout. Socket timeouts alone would not do: they do not cover looking up a host name.
    """

    def __init__(self, app: Celery, *, timeout: float, name: str, while_away: str) -> None:
        self.app = app
        self._timeout = timeout
        self._name = name
        self._while_away = while_away
        self._lock = Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._process = 0
        self._rest_until = 0.0
        self._connection: Connection | None = None

    def ask(self, question: Callable[[Connection], T], *, rest: bool = True) -> T | None:
        """The broker's answer; `None` when there is none in time. At once, while it is known to
        be away, unless `rest` is false."""
        if rest and monotonic() < self._rest_until:
            return None
        asked = self._thread().submit(self._answer, question)
        try:
            return asked.result(self._timeout + SLACK_SECONDS)
        except FutureTimeoutError:
            asked.cancel()
            self._rest("no answer in time")
            return None

    def close(self) -> None:
        """Hang up. Another question connects again."""
        with self._lock:
            executor, self._executor = self._executor, None
        if executor is not None and self._process == os.getpid():
            executor.submit(self._hang_up)
            executor.shutdown(wait=False)

    def _answer(self, question: Callable[[Connection], T]) -> T | None:
        try:
            if self._connection is None:
                self._connection = self.app.connection_for_write()
            answer = question(self._connection)
        except _BROKER_ERRORS as err:
            self._rest(err)
            self._hang_up()
            return None
        self._rest_until = 0.0
        return answer

    def _rest(self, reason: object) -> None:
        log.warning("the broker takes no messages, %s: %s", self._while_away, reason)
        self._rest_until = monotonic() + REST_SECONDS

    def _thread(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._executor is None or self._process != os.getpid():
                # A forked child has neither its parent's thread nor a right to its socket.
                self._process = os.getpid()
                self._connection = None
                self._executor = ThreadPoolExecutor(1, thread_name_prefix=self._name)
            return self._executor

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*_BROKER_ERRORS):
                connection.collect(self._timeout)


def client_of(connection: Connection) -> Any:
    """The Redis client under a connection."""
    channel: Any = connection.default_channel
    return channel.client


def open_line(settings: Settings, name: str, *, while_away: str) -> BrokerLine:
    """A line of this process. Connects when first used. `while_away` says, for the log, what
    happens while nobody answers."""
    app = Celery("stancewire", set_as_current=False)
    app.conf.update(
        broker_url=settings.broker_url,
        broker_connection_timeout=settings.broker_timeout,
        broker_transport_options={
            "socket_timeout": settings.broker_timeout,
            "socket_connect_timeout": settings.broker_timeout,
            # kombu would otherwise try to connect again until its timeout, two seconds apart.
            "max_retries": 0,
            "interval_start": 0,
            "interval_step": 0,
        },
        task_queues=declared_queues(),
        task_default_queue=INTERACTIVE,
        task_serializer="json",
        task_ignore_result=True,
    )
    # Import the transport now: the first caller must not spend its time on it.
    app.connection_for_write().get_transport_cls()
    return BrokerLine(app, timeout=settings.broker_timeout, name=name, while_away=while_away)
