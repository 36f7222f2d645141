"""The figures that operators watch, from real databases."""

from __future__ import annotations

import re

from sqlalchemy import event

from service.domain.article import AnalysisOptions
from service.domain.delivery import Attempt
from service.domain.job import JobFailure, JobState, Priority, Stage
from service.domain.ports import DeliveryFigures, QueueFigures, WorkerInfo
from service.settings import Settings
from service.store import SqlStore
from tests.integration.conftest import FakeClock, Submit

URL = "https://hooks.example/"


def test_an_empty_database(store: SqlStore) -> None:
    figures = store.figures(workers_within=30)
    assert (figures.queues, figures.workers, figures.failures) == ((), {}, {})


def test_depth_age_outbox_and_overdue_leases(
    store: SqlStore, submit: Submit, clock: FakeClock
) -> None:
    first = submit()
    clock.advance(5)
    rung, held = submit(), submit()
    store.rung([rung.job_id, held.job_id])
    claim = store.claim(held.job_id, worker_id="w", lease=60)
    assert claim is not None
    done = submit(priority=Priority.BULK)
    finished = store.claim(done.job_id, worker_id="w", lease=60)
    assert finished is not None
    store.complete(finished, {}, "p")
    bulk = submit(priority=Priority.BULK)
    clock.advance(10)

    def queues() -> dict[tuple[Priority, JobState], QueueFigures]:
        found = store.figures(workers_within=30).queues
        return {(line.priority, line.state): line for line in found}

    interactive, running = (
        (Priority.INTERACTIVE, JobState.QUEUED),
        (Priority.INTERACTIVE, JobState.RUNNING),
    )
    found = queues()
    assert set(found) == {interactive, running, (Priority.BULK, JobState.QUEUED)}
    line = found[interactive]
    assert (line.jobs, line.oldest, line.unrung, line.oldest_unrung) == (2, 15, 1, 15)
    line = found[running]
    assert (line.jobs, line.oldest, line.unrung, line.overdue) == (1, 10, 0, 0)

    store.rung([first.job_id, bulk.job_id])
    line = queues()[interactive]
    assert (line.jobs, line.oldest, line.unrung, line.oldest_unrung) == (2, 15, 0, None)

    store.renew(claim, stage=Stage.STANCE, lease=60)
    assert queues()[running].oldest == 0
    clock.advance(61)
    assert queues()[running].overdue == 1


def test_live_workers_by_pipeline_version(store: SqlStore, clock: FakeClock) -> None:
    for number, version in enumerate("aab"):
        store.worker_seen(WorkerInfo(f"w{number}", version, (), clock.now, clock.now))
    assert store.figures(workers_within=30).workers == {"a": 2, "b": 1}
    clock.advance(31)
    assert store.figures(workers_within=30).workers == {}


def test_failures_of_the_last_hour(store: SqlStore, submit: Submit, clock: FakeClock) -> None:
    for code in ("time_limit", "busy", "busy"):
        job_id = submit().job_id
        store.rung([job_id])
        claim = store.claim(job_id, worker_id="w", lease=60)
        assert claim is not None
        store.fail(claim, JobFailure(code, "…"), retryable=False)
    assert store.figures(workers_within=30).failures == {"time_limit": 1, "busy": 2}
    clock.advance(3601)
    assert store.figures(workers_within=30).failures == {}


def test_webhooks_that_have_not_arrived(store: SqlStore, submit: Submit, clock: FakeClock) -> None:
    assert store.figures(workers_within=30).deliveries == DeliveryFigures()
    for _ in range(4):
        store.cancel(submit(options=AnalysisOptions(callback_url=URL)).job_id)
    clock.advance(5)
    assert store.figures(workers_within=30).deliveries == DeliveryFigures(pending=4, overdue=5)

    def attempt(attempt: Attempt) -> None:
        [delivery_id] = store.due_deliveries(redeliver_after=30, limit=1)
        claim = store.claim_delivery(delivery_id, lease=60)
        assert claim is not None
        store.attempted(claim, attempt)

    attempt(Attempt(status=204))
    attempt(Attempt(failure=JobFailure("address_refused", "…"), permanent=True))
    found = store.figures(workers_within=30).deliveries
    assert (found.pending, found.failed, found.overdue) == (2, 1, 5)
    attempt(Attempt(status=503, failure=JobFailure("status", "…")))
    attempt(Attempt(status=410, failure=JobFailure("status", "…")))
    # The one that is left is due again in five seconds, a fifth more at most.
    assert store.figures(workers_within=30).deliveries == DeliveryFigures(
        pending=1, failed=1, disabled=1, overdue=0
    )
    clock.advance(16)
    assert 10 <= store.figures(workers_within=30).deliveries.overdue <= 12


def test_each_query_goes_by_an_index(store: SqlStore, settings: Settings) -> None:
    asked: list[tuple[str, object]] = []
    engine = store._engine
    if engine.dialect.name != "sqlite":
        # PostgreSQL reads a small table whole, whatever indexes there are.
        return

    def note(
        connection: object, cursor: object, statement: str, parameters: object, *_: object
    ) -> None:
        asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    store.figures(workers_within=30)
    event.remove(engine, "before_cursor_execute", note)
    queries = [(statement, given) for statement, given in asked if statement.startswith("SELECT")]
    assert len(queries) == 4
    with engine.connect() as connection:
        for statement, parameters in queries:
            rows = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, parameters)  # type: ignore[arg-type]
            plan = [row.detail for row in rows]
            assert any(re.search("USING (COVERING )?INDEX ix_", step) for step in plan), plan
