"""Queue and task names, in one place: the web process sends by name and imports no worker code."""

from __future__ import annotations

from kombu.entity import Exchange, Queue

from service.domain.job import Priority

INTERACTIVE = "interactive"
BULK = "bulk"
MAINTENANCE = "maintenance"
QUEUES = (INTERACTIVE, BULK, MAINTENANCE)

ANALYSE = "stancewire.analyse"
SWEEP = "stancewire.sweep"

QUEUE_OF_PRIORITY = {Priority.INTERACTIVE: INTERACTIVE, Priority.BULK: BULK}


def declared_queues(names: tuple[str, ...] = QUEUES) -> list[Queue]:
    """The queues behind the default exchange, which needs no bindings in the broker.

    A named exchange's bindings live in the broker: an emptied one would lose them, and every
    later message with them, until each sender happened to declare them again.
    """
    return [Queue(name, Exchange(""), routing_key=name) for name in names]
