"""Ringing for webhooks that are due, and again for jobs that the broker forgot or whose worker
died."""

from __future__ import annotations

import logging
from typing import Protocol

from service.domain.job import Priority
from service.domain.ports import DeliveryStore, WorkerStore
from service.settings import Settings

log = logging.getLogger(__name__)

# Jobs a sweep. More wait for the next one: a sweep must not hold the broker or the database.
SWEEP_LIMIT = 500

# While messages wait in the broker, a queued job is most likely just behind them. Ringing for all
# of a long queue every `redeliver_after` seconds would make it longer and longer.
PATIENCE_WITH_A_QUEUE = 10


class SweeperDoorbell(Protocol):
    """What the sweeper needs of a doorbell."""

    def ring(self, job_id: str, priority: Priority) -> bool: ...

    def waiting(self) -> int | None: ...


class DeliveryDoorbell(Protocol):
    """What sweeping webhooks needs of a doorbell."""

    def ring_delivery(self, delivery_id: str) -> bool: ...

    def waiting_deliveries(self) -> int | None: ...


def sweep(store: WorkerStore, doorbell: SweeperDoorbell, settings: Settings) -> int:
    """Ring for the jobs that are due, note it, return how many there were.

    Any number of workers may do so at the same time: a job that is rung for twice is still
    claimed once. Raises `StoreUnavailableError`.
    """
    waiting = doorbell.waiting()
    if waiting is None:
        return 0
    patience = PATIENCE_WITH_A_QUEUE if waiting else 1
    due = store.due(redeliver_after=settings.redeliver_after * patience, limit=SWEEP_LIMIT)
    rung: list[str] = []
    for job in due:
        if not doorbell.ring(job.id, job.priority):
            break
        rung.append(job.id)
    store.rung(rung)
    if rung:
        log.info("rang again for %d jobs", len(rung))
    return len(rung)


def sweep_deliveries(store: DeliveryStore, doorbell: DeliveryDoorbell, settings: Settings) -> int:
    """Ring for the webhooks that are due, note it, return how many there were.

    A process without the secret rings for none, so that only workers that can sign take part.
    Raises `StoreUnavailableError`.
    """
    if not settings.webhook_secret:
        return 0
    waiting = doorbell.waiting_deliveries()
    # A queue that nobody serves must not grow for ever: what is due stays due in the database.
    if waiting is None or waiting >= SWEEP_LIMIT:
        return 0
    patience = PATIENCE_WITH_A_QUEUE if waiting else 1
    due = store.due_deliveries(
        redeliver_after=settings.redeliver_after * patience, limit=SWEEP_LIMIT - waiting
    )
    rung: list[str] = []
    for delivery_id in due:
        if not doorbell.ring_delivery(delivery_id):
            break
        rung.append(delivery_id)
    store.deliveries_rung(rung)
    return len(rung)
