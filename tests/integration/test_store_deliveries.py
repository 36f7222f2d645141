"""Deliveries in a real database: one event an end, one attempt at a time, sent again by request."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from service.domain.article import AnalysisOptions
from service.domain.delivery import (
    JITTER,
    MAX_ATTEMPTS,
    RETRY_SECONDS,
    Attempt,
    Delivery,
    DeliveryState,
    EventType,
)
from service.domain.errors import (
    AnalysisNotReadyError,
    GoneError,
    LeaseLostError,
    NotFoundError,
    StateConflictError,
)
from service.domain.job import JobFailure, JobState, Priority
from service.domain.ports import Claim, DeliveryClaim, DeliveryFilter, Receipt
from service.settings import Settings
from service.store import SqlStore, claims, deliveries, endings, new_id, open_store
from service.store.engine import open_engine, writing
from service.store.migrate import migrate
from tests.integration.conftest import FakeClock, Submit, make_article

URL = "https://hooks.example/a"
OTHER = "https://hooks.example/b"
BUSY = JobFailure("busy", "something was in the way")
LEASE = 60
ALL = DeliveryFilter()


def told(store: SqlStore, wanted: DeliveryFilter = ALL) -> tuple[Delivery, ...]:
    return store.deliveries(wanted, after=None, limit=100).deliveries


def claimed(store: SqlStore, receipt: Receipt) -> Claim:
    claim = store.claim(receipt.job_id, worker_id="w", lease=LEASE)
    assert claim is not None
    return claim


def send(store: SqlStore, delivery: Delivery) -> DeliveryClaim:
    claim = store.claim_delivery(delivery.id, lease=LEASE)
    assert claim is not None
    return claim


@pytest.fixture
def cancelled(store: SqlStore, submit: Submit) -> Delivery:
    """A delivery that is due."""
    store.cancel(submit(options=AnalysisOptions(callback_url=URL)).job_id)
    [delivery] = told(store)
    return delivery


def test_every_end_of_a_job_is_told_once(store: SqlStore, submit: Submit, clock: FakeClock) -> None:
    options = AnalysisOptions(callback_url=URL)

    succeeded = submit(options=options)
    claim = claimed(store, succeeded)
    assert told(store) == ()
    store.complete(claim, {"a": 1}, "v1")
    with pytest.raises(LeaseLostError):
        store.complete(claim, {"a": 1}, "v1")

    failed = submit(options=options)
    store.fail(claimed(store, failed), BUSY, retryable=True)
    store.fail(claimed(store, failed), BUSY, retryable=False)

    exhausted = submit(options=options)
    for _ in range(3):
        claimed(store, exhausted)
        clock.advance(LEASE + 1)
    for _ in range(2):
        assert store.claim(exhausted.job_id, worker_id="w", lease=LEASE) is None

    stopped = submit(options=options)
    store.cancel(stopped.job_id)
    store.cancel(stopped.job_id)
    with pytest.raises(StateConflictError):
        store.cancel(succeeded.job_id)

    released = submit(options=options)
    store.release(claimed(store, released))

    silent = submit()
    store.cancel(silent.job_id)

    events = {(one.job_id, one.type) for one in told(store)}
    assert len(told(store)) == 4
    assert events == {
        (succeeded.job_id, EventType.JOB_SUCCEEDED),
        (failed.job_id, EventType.JOB_FAILED),
        (exhausted.job_id, EventType.JOB_FAILED),
        (stopped.job_id, EventType.JOB_CANCELLED),
    }
    # A failed job that is run again ends again.
    store.retry(failed.job_id)
    store.complete(claimed(store, failed), {}, "v1")
    mine = told(store, DeliveryFilter(job_id=failed.job_id))
    assert [one.type for one in mine] == [EventType.JOB_SUCCEEDED, EventType.JOB_FAILED]


def test_the_body_is_that_of_the_job_as_it_ended(
    store: SqlStore, submit: Submit, clock: FakeClock
) -> None:
    batch_id = new_id()
    receipt = submit(
        make_article("Nobody may read this in a webhook."),
        priority=Priority.BULK,
        batch_id=batch_id,
        options=AnalysisOptions(callback_url=URL),
    )
    store.fail(claimed(store, receipt), BUSY, retryable=False)
    body = json.loads(send(store, told(store)[0]).body)
    assert body["type"] == "job.failed"
    assert body["timestamp"] == clock.now.isoformat().replace("+00:00", "Z")
    data = body["data"]
    assert (data["job_id"], data["batch_id"]) == (receipt.job_id, batch_id)
    assert data["failure"] == {"code": "busy", "detail": "something was in the way"}
    assert "Nobody" not in json.dumps(body)


def test_end_and_event_are_one_transaction(
    store: SqlStore, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = submit(options=AnalysisOptions(callback_url=URL))
    claim = claimed(store, receipt)
    real = deliveries.job_ended

    def dies_after(*arguments: Any, **options: Any) -> None:
        real(*arguments, **options)
        raise KeyboardInterrupt

    for module in (claims, endings):
        monkeypatch.setattr(module, "job_ended", dies_after)
    for end in (
        lambda: store.complete(claim, {}, "v1"),
        lambda: store.fail(claim, BUSY, retryable=False),
        lambda: store.cancel(receipt.job_id),
    ):
        with pytest.raises(KeyboardInterrupt):
            end()
        assert store.job(receipt.job_id).state is JobState.RUNNING
        assert told(store) == ()
    with pytest.raises(AnalysisNotReadyError):
        store.analysis(receipt.article_id)


def test_cancel_against_finish_tells_of_the_winner_alone(store: SqlStore, submit: Submit) -> None:
    options = AnalysisOptions(callback_url=URL)
    for _ in range(5):
        receipt = submit(options=options)
        claim = claimed(store, receipt)

        def finish(claim: Claim = claim) -> None:
            try:
                store.complete(claim, {}, "v1")
            except LeaseLostError:
                return

        def cancel(receipt: Receipt = receipt) -> None:
            try:
                store.cancel(receipt.job_id)
            except StateConflictError:
                return

        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(finish), pool.submit(cancel)]:
                done.result()
        [event] = told(store, DeliveryFilter(job_id=receipt.job_id))
        assert event.type.value == f"job.{store.job(receipt.job_id).state}"


def test_a_delivery_is_held_by_one(store: SqlStore, cancelled: Delivery, clock: FakeClock) -> None:
    with ThreadPoolExecutor(4) as pool:
        tries = [pool.submit(store.claim_delivery, cancelled.id, lease=LEASE) for _ in range(8)]
        held = [claim for claim in (done.result() for done in tries) if claim is not None]
    assert len(held) == 1
    # Its process is killed: another takes over when the lease has run out, and the late word of
    # the first counts no more.
    clock.advance(LEASE + 1)
    second = send(store, cancelled)
    assert second.delivery.attempts == 2
    assert store.attempted(held[0], Attempt(status=500)) is None
    assert store.attempted(second, Attempt(status=204)) is DeliveryState.DELIVERED
    assert store.claim_delivery(cancelled.id, lease=LEASE) is None
    done = store.delivery(cancelled.id)
    assert (done.state, done.last_status, done.failure) == (DeliveryState.DELIVERED, 204, None)
    assert done.delivered_at == clock.now
    assert done.next_attempt_at is None


def test_attempts_are_spread_over_hours_and_end(
    store: SqlStore, cancelled: Delivery, clock: FakeClock
) -> None:
    refused = Attempt(status=503, failure=JobFailure("status", "answered 503"))
    for seconds in RETRY_SECONDS:
        assert store.attempted(send(store, cancelled), refused) is DeliveryState.PENDING
        waiting = store.delivery(cancelled.id)
        assert waiting.next_attempt_at is not None
        pause = (waiting.next_attempt_at - clock.now).total_seconds()
        assert abs(pause - seconds) <= seconds * JITTER + 0.001
        clock.advance(pause - 0.01)
        assert store.claim_delivery(cancelled.id, lease=LEASE) is None
        assert store.due_deliveries(redeliver_after=30, limit=10) == ()
        clock.advance(0.02)
        assert store.due_deliveries(redeliver_after=30, limit=10) == (cancelled.id,)
    assert store.attempted(send(store, cancelled), refused) is DeliveryState.FAILED
    ended = store.delivery(cancelled.id)
    assert (ended.state, ended.attempts) == (DeliveryState.FAILED, MAX_ATTEMPTS)
    assert ended.failure == JobFailure("status", "answered 503")
    assert store.due_deliveries(redeliver_after=0, limit=10) == ()


def test_a_delivery_that_kills_its_process_ends(
    store: SqlStore, cancelled: Delivery, clock: FakeClock
) -> None:
    for _ in range(MAX_ATTEMPTS):
        send(store, cancelled)
        clock.advance(LEASE + 1)
    assert store.claim_delivery(cancelled.id, lease=LEASE) is None
    ended = store.delivery(cancelled.id)
    assert (ended.state, ended.attempts) == (DeliveryState.FAILED, MAX_ATTEMPTS)
    assert ended.failure is not None
    assert ended.failure.code == "worker_lost"


def test_410_disables_the_url_and_only_that(store: SqlStore, submit: Submit) -> None:
    for url in (URL, URL, OTHER):
        store.cancel(submit(options=AnalysisOptions(callback_url=url)).job_id)
    other, second, first = told(store)
    assert store.attempted(send(store, first), Attempt(status=410)) is DeliveryState.DISABLED
    assert store.claim_delivery(second.id, lease=LEASE) is None
    disabled = store.delivery(second.id)
    assert (disabled.state, disabled.attempts) == (DeliveryState.DISABLED, 0)
    assert store.attempted(send(store, other), Attempt(status=200)) is DeliveryState.DELIVERED
    # Somebody who sends again wants the URL to be called.
    assert store.redeliver(second.id).state is DeliveryState.PENDING
    assert store.attempted(send(store, second), Attempt(status=200)) is DeliveryState.DELIVERED
    store.cancel(submit(options=AnalysisOptions(callback_url=URL)).job_id)
    send(store, told(store)[0])


def test_sending_again_by_request(store: SqlStore, cancelled: Delivery, clock: FakeClock) -> None:
    first = send(store, cancelled)
    refused = Attempt(failure=JobFailure("address_refused", "…"), permanent=True)
    assert store.attempted(first, refused) is DeliveryState.FAILED
    clock.advance(5)
    again = store.redeliver(cancelled.id)
    assert (again.state, again.attempts, again.failure) == (DeliveryState.PENDING, 0, None)
    assert again.next_attempt_at == clock.now
    second = send(store, cancelled)
    assert (second.body, second.delivery.id) == (first.body, first.delivery.id)
    # Asked for while one is on its way: that one's end no longer counts.
    store.redeliver(cancelled.id)
    assert store.attempted(second, Attempt(status=500)) is None
    assert store.attempted(send(store, cancelled), Attempt(status=200)) is DeliveryState.DELIVERED
    store.redeliver(cancelled.id)
    assert store.delivery(cancelled.id).delivered_at is None
    with pytest.raises(NotFoundError):
        store.redeliver(new_id())


def test_what_was_rung_for_is_left_alone_for_a_while(
    store: SqlStore, cancelled: Delivery, clock: FakeClock
) -> None:
    assert store.due_deliveries(redeliver_after=30, limit=10) == (cancelled.id,)
    store.deliveries_rung([cancelled.id])
    assert store.due_deliveries(redeliver_after=30, limit=10) == ()
    clock.advance(31)
    assert store.due_deliveries(redeliver_after=30, limit=10) == (cancelled.id,)


def test_deliveries_are_listed_in_pages(store: SqlStore, submit: Submit) -> None:
    batch_id = new_id()
    for url in (URL, OTHER, URL):
        options = AnalysisOptions(callback_url=url)
        store.cancel(submit(options=options, batch_id=batch_id).job_id)
    page = store.deliveries(ALL, after=None, limit=2)
    rest = store.deliveries(ALL, after=page.next_cursor, limit=2)
    assert rest.next_cursor is None
    listed = page.deliveries + rest.deliveries
    assert listed == told(store)
    assert [one.id for one in listed] == sorted((one.id for one in listed), reverse=True)
    assert len(told(store, DeliveryFilter(url=URL))) == 2
    assert len(told(store, DeliveryFilter(batch_id=batch_id))) == 3
    assert told(store, DeliveryFilter(state=DeliveryState.FAILED)) == ()
    assert len(told(store, DeliveryFilter(type=EventType.JOB_CANCELLED))) == 3
    assert told(store, DeliveryFilter(created_before=listed[0].created_at)) == ()


def test_deleting_an_article_deletes_its_deliveries(
    store: SqlStore, submit: Submit, settings: Settings
) -> None:
    receipt = submit(options=AnalysisOptions(callback_url=URL))
    store.cancel(receipt.job_id)
    [delivery] = told(store)
    held = send(store, delivery)
    store.delete_article(receipt.article_id)
    assert told(store) == ()
    for ask in (store.delivery, store.redeliver):
        with pytest.raises(GoneError):
            ask(delivery.id)
    assert store.attempted(held, Attempt(status=200)) is None
    assert store.claim_delivery(delivery.id, lease=LEASE) is None


def test_the_database_itself_refuses_a_second_event(
    store: SqlStore, cancelled: Delivery, settings: Settings
) -> None:
    engine = open_engine(settings.database_url)
    columns = "type, job_id, job_version, article_id, url, body, state, attempts, token"
    copy = (
        f"INSERT INTO webhook_deliveries (id, {columns}, created_at, updated_at) "
        f"SELECT 'copy', {columns}, created_at, updated_at FROM webhook_deliveries"
    )
    with pytest.raises(Exception, match=r"(?i)unique"), writing(engine) as connection:
        connection.execute(text(copy))
    engine.dispose()


def test_the_migration_goes_up_and_down_with_data(settings: Settings) -> None:
    migrate(settings, "0001")
    engine = open_engine(settings.database_url)
    article_id, job_id = new_id(), new_id()
    with writing(engine) as connection:
        connection.execute(
            text(
                "INSERT INTO articles (id, text, metadata, created_at) "
                "VALUES (:id, 'x', '{}', '2026-01-01 00:00:00')"
            ),
            {"id": article_id},
        )
        connection.execute(
            text(
                "INSERT INTO jobs (id, article_id, state, priority, options, attempts, "
                "max_attempts, version, created_at, updated_at, token) VALUES (:id, :article, "
                "'queued', 'interactive', '{\"targets\": [\"tax\"]}', 0, 3, 1, "
                "'2026-01-01 00:00:00', '2026-01-01 00:00:00', 0)"
            ),
            {"id": job_id, "article": article_id},
        )
    migrate(settings)
    engine.dispose()
    store = open_store(settings)
    assert store.job(job_id).options == AnalysisOptions(targets=("tax",))
    options = AnalysisOptions(callback_url=URL)
    submitted = store.submit([(make_article(), options)], priority=Priority.BULK).receipts[0]
    for ended in (job_id, submitted.job_id):
        store.cancel(ended)
    [delivery] = told(store)
    assert store.attempted(send(store, delivery), Attempt(status=410)) is DeliveryState.DISABLED
    migrate(settings, "0001")
    migrate(settings)
    assert store.job(job_id).state is JobState.CANCELLED
    assert store.job(submitted.job_id).options == options
    assert told(store) == ()
    store.close()
