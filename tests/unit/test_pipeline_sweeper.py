"""The sweeper rings for what is due, notes what the broker took, and spares a full queue."""

from __future__ import annotations

from threading import Event

from worker_fakes import MemoryDoorbell, MemoryStore, a_job

from service.domain.errors import StoreUnavailableError
from service.domain.job import Priority
from service.settings import load_settings
from workers.periodic import Periodic
from workers.sweeper import PATIENCE_WITH_A_QUEUE, sweep

SETTINGS = load_settings()


def test_due_jobs_are_rung_by_priority_and_noted() -> None:
    store, doorbell = MemoryStore(), MemoryDoorbell()
    store.due_jobs = [a_job("j1"), a_job("j2", priority=Priority.BULK)]
    assert sweep(store, doorbell, SETTINGS) == 2
    assert doorbell.heard == [("j1", Priority.INTERACTIVE), ("j2", Priority.BULK)]
    assert store.rung_ids == ["j1", "j2"]


def test_only_what_the_broker_took_counts_as_rung() -> None:
    store = MemoryStore()
    store.due_jobs = [a_job("j1"), a_job("j2"), a_job("j3")]
    assert sweep(store, MemoryDoorbell(takes=1), SETTINGS) == 1
    assert store.rung_ids == ["j1"]


def test_a_broker_that_is_away_is_not_rung_at() -> None:
    store = MemoryStore()
    store.due_jobs = [a_job("j1")]
    assert sweep(store, MemoryDoorbell(queued=None), SETTINGS) == 0
    assert store.rung_ids == []


def test_while_messages_wait_the_sweeper_is_patient() -> None:
    store = MemoryStore()
    sweep(store, MemoryDoorbell(queued=0), SETTINGS)
    assert store.asked_redeliver_after == SETTINGS.redeliver_after
    sweep(store, MemoryDoorbell(queued=3), SETTINGS)
    assert store.asked_redeliver_after == SETTINGS.redeliver_after * PATIENCE_WITH_A_QUEUE


def test_a_periodic_thread_survives_what_it_does() -> None:
    calls: list[int] = []
    enough = Event()

    def act() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise StoreUnavailableError("away")
        if len(calls) == 2:
            raise ZeroDivisionError
        enough.set()

    periodic = Periodic("test", 0.01, act)
    periodic.start()
    assert enough.wait(5)
    periodic.stop()
