"""How a task ends: every way once, over an in-memory store."""

from __future__ import annotations

from dataclasses import replace

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from worker_fakes import MemoryStore, a_context, a_job

from service.domain.job import Stage
from workers import tasks
from workers.errors import PermanentError, RetryableError
from workers.tasks import analyse


def raising(error: BaseException) -> object:
    def act() -> None:
        raise error

    return act


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "STORE_PAUSE_SECONDS", 0.0)


def test_a_job_is_claimed_analysed_and_stored() -> None:
    store = MemoryStore(a_job())
    analyse(a_context(store), "j1")
    assert store.document is not None
    assert store.document["pipeline_version"] == "v"
    assert store.stages == [Stage.CLEAN, Stage.STANCE, Stage.STORE]


def test_a_job_that_is_not_free_is_left_alone() -> None:
    store = MemoryStore(None)
    analyse(a_context(store, raising(AssertionError())), "j1")
    assert store.document is None


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (PermanentError("unreadable", "…"), ("unreadable", False)),
        (RetryableError("busy", "…"), ("busy", True)),
        (SoftTimeLimitExceeded(), ("time_limit", False)),
    ],
)
def test_a_failure_is_recorded_with_its_code(
    error: BaseException, failure: tuple[str, bool]
) -> None:
    store = MemoryStore(a_job())
    analyse(a_context(store, raising(error)), "j1")
    assert store.failure == failure
    assert store.document is None


def test_a_lost_lease_ends_the_task_quietly() -> None:
    store = MemoryStore(a_job())

    def cancelled() -> None:
        store.lost = True

    analyse(a_context(store, cancelled), "j1")
    assert (store.document, store.failure) == (None, None)


def test_a_lost_lease_of_a_failing_job_ends_the_task_quietly() -> None:
    store = MemoryStore(a_job())

    def cancelled() -> None:
        store.lost = True
        raise PermanentError("unreadable", "…")

    analyse(a_context(store, cancelled), "j1")
    assert store.failure is None


def test_a_finished_analysis_waits_for_the_database() -> None:
    store = MemoryStore(a_job())

    def goes_away() -> None:
        store.away = 3

    analyse(a_context(store, goes_away), "j1")
    assert store.document is not None


def test_a_database_that_stays_away_ends_the_task_only() -> None:
    store = MemoryStore(a_job(), away=1)
    analyse(a_context(store), "j1")

    def goes_away() -> None:
        store.away = 1_000

    analyse(a_context(store, goes_away), "j1")
    assert store.document is None


def test_a_process_that_must_end_hands_its_job_back() -> None:
    store = MemoryStore(a_job())
    with pytest.raises(SystemExit):
        analyse(a_context(store, raising(SystemExit(0))), "j1")
    assert store.released


def test_a_job_that_did_not_heed_the_soft_time_limit_is_not_handed_back() -> None:
    store = MemoryStore(a_job())
    context = a_context(store, raising(SystemExit(0)))
    context.settings = replace(context.settings, soft_time_limit=0)
    with pytest.raises(SystemExit):
        analyse(context, "j1")
    assert not store.released
    assert store.failure == ("time_limit", False)


def test_a_job_without_memory_is_tried_again() -> None:
    store = MemoryStore(a_job())
    analyse(a_context(store, raising(MemoryError())), "j1")
    assert store.failure == ("out_of_memory", True)
