"""Queue and task names, in one place: the web process sends by name and imports no worker code."""

from __future__ import annotations

from kombu.entity import Queue

from service.domain.job import Priority

INTERACTIVE = "interactive"
BULK = "bulk"
MAINTENANCE = "maintenance"
QUEUES = (INTERACTIVE, BULK, MAINTENANCE)

ANALYSE = "stancewire.analyse"
# Sends one webhook, from the maintenance queue: a worker without that queue calls nobody.
DELIVER = "stancewire.deliver"

QUEUE_OF_PRIORITY = {Priority.INTERACTIVE: INTERACTIVE, Priority.BULK: BULK}


def declared_queues() -> list[Queue]:
    """The queues as Celery's configuration wants them.

    Celery sends to a direct queue by its name, past any exchange. That matters: an exchange's
    bindings live in the broker, and one that was emptied would have lost them.
    """
    return [Queue(name, routing_key=name) for name in QUEUES]
