"""Sending the id of a job or a delivery to the workers, never waiting for a broker that is away."""

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

from service.domain.job import Priority
from service.queueing.names import (
    ANALYSE,
    DELIVER,
    INTERACTIVE,
    MAINTENANCE,
    QUEUE_OF_PRIORITY,
    declared_queues,
)
from service.settings import Settings
from service.telemetry import trail

log = logging.getLogger(__name__)

# After a failure nobody tries for this long: a batch of a thousand articles pays for one timeout,
# not for a thousand.
REST_SECONDS = 1.0

# What `ring` may take beyond the broker timeout, so that the socket's own timeout comes first.
SLACK_SECONDS = 0.05

_BROKER_ERRORS = (OperationalError, KombuError, RedisError, OSError)

T = TypeVar("T")


class BrokerDoorbell:
    """A `Doorbell` over the Redis protocol, safe to share between threads and across forks.

    One thread of its own talks to the broker; callers wait for it no longer than the broker
    timeout. Socket timeouts alone would not do: they do not cover looking up a host name.
    """

    def __init__(self, app: Celery, *, timeout: float) -> None:
        self._app = app
        self._timeout = timeout
        self._lock = Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._process = 0
        self._rest_until = 0.0
        self._connection: Connection | None = None

    def ring(self, job_id: str, priority: Priority) -> bool:
        """Whether the broker took the message. False, at once, while it is known to be away."""
        queue = QUEUE_OF_PRIORITY[priority]
        # Read here: the thread that sends follows no request.
        headers = trail.current().headers()
        sent = self._ask(lambda connection: self._send(connection, ANALYSE, job_id, queue, headers))
        return sent is True

    def ring_delivery(self, delivery_id: str) -> bool:
        """`ring` for a webhook delivery."""
        headers = trail.current().headers()
        sent = self._ask(
            lambda connection: self._send(connection, DELIVER, delivery_id, MAINTENANCE, headers)
        )
        return sent is True

    def ping(self) -> bool:
        """Whether the broker answers now."""
        return self._ask(lambda connection: bool(_client(connection).ping()), rest=False) is True

    def waiting(self) -> int | None:
        """Job messages that no worker has taken yet; `None` when the broker does not answer."""
        return self._ask(lambda connection: _count(connection, *QUEUE_OF_PRIORITY.values()))

    def waiting_deliveries(self) -> int | None:
        """`waiting` for webhook deliveries."""
        return self._ask(lambda connection: _count(connection, MAINTENANCE))

    def close(self) -> None:
        """Hang up. Another call connects again."""
        with self._lock:
            executor, self._executor = self._executor, None
        if executor is not None and self._process == os.getpid():
            executor.submit(self._hang_up)
            executor.shutdown(wait=False)

    def _ask(self, question: Callable[[Connection], T], *, rest: bool = True) -> T | None:
        if rest and monotonic() < self._rest_until:
            return None
        asked = self._thread().submit(self._answer, question)
        try:
            return asked.result(self._timeout + SLACK_SECONDS)
        except FutureTimeoutError:
            asked.cancel()
            self._rest("no answer in time")
            return None

    def _answer(self, question: Callable[[Connection], T]) -> T | None:
        try:
            if self._connection is None:
                self._connection = self._app.connection_for_write()
            answer = question(self._connection)
        except _BROKER_ERRORS as err:
            self._rest(err)
            self._hang_up()
            return None
        self._rest_until = 0.0
        return answer

    def _rest(self, reason: object) -> None:
        log.warning("the broker does not take messages, the sweeper rings again: %s", reason)
        self._rest_until = monotonic() + REST_SECONDS

    def _thread(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._executor is None or self._process != os.getpid():
                # A forked child has neither its parent's thread nor a right to its socket.
                self._process = os.getpid()
                self._connection = None
                self._executor = ThreadPoolExecutor(1, thread_name_prefix="doorbell")
            return self._executor

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*_BROKER_ERRORS):
                connection.collect(self._timeout)

    def _send(
        self, connection: Connection, task: str, id_: str, queue: str, headers: dict[str, str]
    ) -> bool:
        with connection.Producer(auto_declare=False) as producer:
            self._app.send_task(
                task,
                args=[id_],
                queue=queue,
                producer=producer,
                headers=headers,
                # Celery's own retries can wait for ever (celery/celery#4296): the sweeper retries.
                retry=False,
                ignore_result=True,
            )
        return True


def _client(connection: Connection) -> Any:
    channel: Any = connection.default_channel
    return channel.client


def _count(connection: Connection, *queues: str) -> int:
    client = _client(connection)
    return sum(int(client.llen(queue)) for queue in queues)


def open_doorbell(settings: Settings) -> BrokerDoorbell:
    """The doorbell of this process. Connects when first used."""
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
    # Import the transport and make the senders now: the first caller must not spend its time on it.
    app.connection_for_write().get_transport_cls()
    _ = app.amqp.send_task_message
    return BrokerDoorbell(app, timeout=settings.broker_timeout)
