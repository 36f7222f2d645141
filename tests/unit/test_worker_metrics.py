"""What a worker counts, one attempt at a time."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from worker_fakes import NOW, MemoryStore, a_context, a_job

from service.domain.errors import LeaseLostError
from service.domain.job import JobState, Priority
from workers import tasks
from workers.errors import PermanentError, RetryableError
from workers.metrics import OUTCOMES
from workers.tasks import analyse


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "STORE_PAUSE_SECONDS", 0.0)


class Requeueing(MemoryStore):
    def fail(self, *args: Any, **kwargs: Any) -> JobState:
        super().fail(*args, **kwargs)
        return JobState.QUEUED


def run(store: MemoryStore, error: BaseException | None = None) -> Any:
    """One attempt, which raises `error` in its middle; returns what the figures say."""

    def act() -> None:
        if error is not None:
            raise error

    context = a_context(store, act)
    with suppress(SystemExit):
        analyse(context, "j1")

    def value(name: str, **labels: str) -> float | None:
        found: float | None = context.metrics.registry.get_sample_value(name, labels)
        return found

    return value


@pytest.mark.parametrize(
    ("outcome", "code", "error"),
    [
        ("succeeded", None, None),
        ("failed", "unreadable", PermanentError("unreadable", "…")),
        ("handed_back", None, SystemExit(0)),
        ("lease_lost", None, LeaseLostError("lost")),
    ],
)
def test_each_attempt_has_one_outcome(
    outcome: str, code: str | None, error: BaseException | None
) -> None:
    value = run(MemoryStore(a_job(attempts=1)), error)
    for other in OUTCOMES:
        found = value("stancewire_attempts_ended_total", queue="interactive", outcome=other)
        assert found == (other == outcome)
    assert value("stancewire_attempts_total", queue="interactive") == 1
    if code is not None:
        assert value("stancewire_failures_total", code=code) == 1


def test_a_retried_attempt_and_the_one_after_it() -> None:
    value = run(Requeueing(a_job(priority=Priority.BULK, attempts=1)), RetryableError("busy", "…"))
    assert value("stancewire_attempts_ended_total", queue="bulk", outcome="retried") == 1
    assert value("stancewire_retries_total", queue="bulk") == 0
    value = run(MemoryStore(a_job(priority=Priority.BULK, attempts=2)))
    assert value("stancewire_retries_total", queue="bulk") == 1


def test_an_analysis_that_cannot_be_stored() -> None:
    store = MemoryStore(a_job(attempts=1))
    context = a_context(store, lambda: setattr(store, "away", 1_000))
    analyse(context, "j1")
    found = context.metrics.registry.get_sample_value(
        "stancewire_attempts_ended_total", {"queue": "interactive", "outcome": "not_stored"}
    )
    assert found == 1


def test_stages_waiting_and_reading_are_measured() -> None:
    started = NOW + timedelta(seconds=2)
    value = run(MemoryStore(a_job(attempts=1, started_at=started)))
    for stage in ("clean", "stance", "store"):
        assert value("stancewire_stage_seconds_count", stage=stage) == 1
    assert value("stancewire_stage_seconds_count", stage="segment") == 0
    assert value("stancewire_job_wait_seconds_sum", queue="interactive") == 2
    assert value("stancewire_characters_total") == 1


def test_tokens_are_counted_whatever_becomes_of_the_job() -> None:
    context = a_context(MemoryStore(a_job(attempts=1)))
    read = context.pipeline.tokens_read

    def tokens(model: str) -> float | None:
        found: float | None = context.metrics.registry.get_sample_value(
            "stancewire_tokens_total", {"model": model}
        )
        return found

    read["ner"] = 700
    analyse(context, "j1")
    assert tokens("ner") == 700
    read.update(ner=900, stance=50)
    context.pipeline.act = lambda: (_ for _ in ()).throw(PermanentError("unreadable", "…"))
    analyse(context, "j1")
    assert (tokens("ner"), tokens("stance")) == (900, 50)


def test_nothing_is_counted_for_a_job_that_is_not_free() -> None:
    value = run(MemoryStore(None))
    assert value("stancewire_attempts_total", queue="interactive") == 0
