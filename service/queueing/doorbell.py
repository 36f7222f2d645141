"""Sending the id of a job or a delivery to the workers, never waiting for a broker that is away."""

from __future__ import annotations

from kombu.connection import Connection

from service.domain.job import Priority
from service.queueing.line import BrokerLine, client_of, open_line
from service.queueing.names import ANALYSE, DELIVER, MAINTENANCE, QUEUE_OF_PRIORITY
from service.settings import Settings
from service.telemetry import trail


class BrokerDoorbell:
    """A `Doorbell` over the Redis protocol, safe to share between threads and across forks."""

    def __init__(self, line: BrokerLine) -> None:
        self._line = line

    def ring(self, job_id: str, priority: Priority) -> bool:
        """Whether the broker took the message. False, at once, while it is known to be away."""
        queue = QUEUE_OF_PRIORITY[priority]
        # Read here: the thread that sends follows no request.
        headers = trail.current().headers()
        sent = self._line.ask(
            lambda connection: self._send(connection, ANALYSE, job_id, queue, headers)
        )
        return sent is True

    def ring_delivery(self, delivery_id: str) -> bool:
        """`ring` for a webhook delivery."""
        headers = trail.current().headers()
        sent = self._line.ask(
            lambda connection: self._send(connection, DELIVER, delivery_id, MAINTENANCE, headers)
        )
        return sent is True

    def ping(self) -> bool:
        """Whether the broker answers now."""
        answered = self._line.ask(lambda connection: bool(client_of(connection).ping()), rest=False)
        return answered is True

    def waiting(self) -> int | None:
        """Job messages that no worker has taken yet; `None` when the broker does not answer."""
        return self._line.ask(lambda connection: _count(connection, *QUEUE_OF_PRIORITY.values()))

    def waiting_deliveries(self) -> int | None:
        """`waiting` for webhook deliveries."""
        return self._line.ask(lambda connection: _count(connection, MAINTENANCE))

    def close(self) -> None:
        """Hang up. Another call connects again."""
        self._line.close()

    def _send(
        self, connection: Connection, task: str, id_: str, queue: str, headers: dict[str, str]
    ) -> bool:
        with connection.Producer(auto_declare=False) as producer:
            self._line.app.send_task(
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


def _count(connection: Connection, *queues: str) -> int:
    client = client_of(connection)
    return sum(int(client.llen(queue)) for queue in queues)


def open_doorbell(settings: Settings) -> BrokerDoorbell:
    """The doorbell of this process. Connects when first used."""
    line = open_line(settings, "doorbell", while_away="the sweeper rings again")
    # Make the senders now, for the same reason.
    _ = line.app.amqp.send_task_message
    return BrokerDoorbell(line)
