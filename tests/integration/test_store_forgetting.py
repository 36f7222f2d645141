"""Keeping and losing on purpose, in a real database: what expires, what stays, what goes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from service.domain.article import AnalysisOptions
from service.domain.delivery import Attempt
from service.domain.errors import (
    GoneError,
    IdempotencyMismatchError,
    NotFoundError,
)
from service.domain.job import JobFailure, JobState, Priority
from service.domain.ports import DeliveryFilter, IdempotencyClaim, JobFilter, Receipt
from service.settings import Settings
from service.store import SqlStore, open_store
from tests.integration.conftest import FakeClock, Submit, make_article

DAY = 86_400
CALLED_BACK = AnalysisOptions(callback_url="https://hooks.example/a")


def ended(store: SqlStore, receipt: Receipt, how: JobState = JobState.SUCCEEDED) -> Receipt:
    """The receipt, its job ended."""
    if how is JobState.CANCELLED:
        store.cancel(receipt.job_id)
        return receipt
    claim = store.claim(receipt.job_id, worker_id="w", lease=60)
    assert claim is not None
    if how is JobState.SUCCEEDED:
        store.complete(claim, {"a": 1}, "v1")
    else:
        store.fail(claim, JobFailure("unreadable", "no"), retryable=False)
    return receipt


def left(store: SqlStore) -> set[str]:
    """The jobs that are still there."""
    return {job.id for job in store.jobs(JobFilter(), after=None, limit=100).jobs}


def key(name: str, fingerprint: str = "f") -> IdempotencyClaim:
    return IdempotencyClaim(name, fingerprint, lambda receipts: str(receipts))


@pytest.mark.parametrize("how", [JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED])
def test_the_age_counts_from_the_end_of_the_job(
    store: SqlStore, submit: Submit, clock: FakeClock, how: JobState
) -> None:
    receipt = submit()
    clock.advance(30 * DAY)
    ended(store, receipt, how)
    clock.advance(7 * DAY - 1)
    assert store.expire(days=7, keep=0, limit=9) == 0
    clock.advance(1)
    assert store.expire(days=0, keep=0, limit=9) == 0
    assert store.expire(days=7, keep=0, limit=9) == 1
    for ask, id_ in (
        (store.article, receipt.article_id),
        (store.analysis, receipt.article_id),
        (store.delete_article, receipt.article_id),
        (store.job, receipt.job_id),
        (store.retry, receipt.job_id),
    ):
        with pytest.raises(GoneError, match="expired"):
            ask(id_)


def test_open_jobs_are_never_touched(store: SqlStore, submit: Submit, clock: FakeClock) -> None:
    queued, running, again = submit(), submit(), submit()
    assert store.claim(running.job_id, worker_id="w", lease=60) is not None
    ended(store, again, JobState.FAILED)
    store.retry(again.job_id)
    gone = ended(store, submit())
    clock.advance(400 * DAY)
    newest = ended(store, submit())
    assert store.expire(days=1, keep=1, limit=9) == 1
    assert left(store) == {queued.job_id, running.job_id, again.job_id, newest.job_id}
    with pytest.raises(GoneError):
        store.job(gone.job_id)


def test_the_articles_that_ended_last_are_kept(
    store: SqlStore, submit: Submit, clock: FakeClock
) -> None:
    waiting = submit()
    first, second, third, fourth = (submit() for _ in range(4))
    # At the same moment, and not in the order of their submission.
    ended(store, third)
    clock.advance(1)
    for receipt in (fourth, second, first):
        ended(store, receipt)
    assert store.expire(days=0, keep=4, limit=9) == 0
    assert store.expire(days=0, keep=2, limit=9) == 2
    assert left(store) == {waiting.job_id, second.job_id, fourth.job_id}
    assert store.expire(days=0, keep=2, limit=9) == 0


def test_one_transaction_takes_no_more_than_its_limit(
    store: SqlStore, submit: Submit, clock: FakeClock
) -> None:
    oldest_first = []
    for _ in range(5):
        oldest_first.append(ended(store, submit()).job_id)
        clock.advance(1)
    clock.advance(2 * DAY)
    assert store.expire(days=1, keep=0, limit=2) == 2
    assert left(store) == set(oldest_first[2:])
    assert [store.expire(days=1, keep=0, limit=2) for _ in range(3)] == [2, 1, 0]


def test_deliveries_go_with_their_article(
    store: SqlStore, submit: Submit, clock: FakeClock
) -> None:
    receipt = ended(store, submit(options=CALLED_BACK))
    wanted = DeliveryFilter(job_id=receipt.job_id)
    [delivery] = store.deliveries(wanted, after=None, limit=9).deliveries
    clock.advance(2 * DAY)
    store.expire(days=1, keep=0, limit=9)
    assert store.deliveries(wanted, after=None, limit=9).deliveries == ()
    with pytest.raises(GoneError, match="expired"):
        store.redeliver(delivery.id)


def test_a_repetition_does_not_bring_back_what_was_deleted(
    store: SqlStore, clock: FakeClock
) -> None:
    def post(article_key: str, *texts: str, batch_id: str | None = None) -> tuple[Receipt, ...]:
        articles = [(make_article(text), AnalysisOptions()) for text in texts]
        submission = store.submit(
            articles, priority=Priority.BULK, batch_id=batch_id, idempotency=key(article_key)
        )
        return submission.receipts

    [single] = post("single", "one")
    batch = post("batch", "two", "three", batch_id="batch-1")
    [kept] = post("kept", "four")
    store.delete_article(single.article_id)
    store.delete_article(batch[0].article_id)
    for name in ("single", "batch"):
        with pytest.raises(GoneError, match="deleted or has expired"):
            post(name, "again")
        with pytest.raises(IdempotencyMismatchError):
            store.submit([], priority=Priority.BULK, idempotency=key(name, "another"))
    assert post("kept", "four") == ()
    assert left(store) == {batch[1].job_id, kept.job_id}
    # The key is forgotten when it would be anyway.
    clock.advance(DAY + 1)
    assert len(post("single", "again")) == 1


def test_marks_and_keys_are_not_kept_for_ever(
    store: SqlStore, submit: Submit, clock: FakeClock
) -> None:
    receipts = [ended(store, submit(options=CALLED_BACK)) for _ in range(3)]
    [*_, delivery] = store.deliveries(DeliveryFilter(), after=None, limit=9).deliveries
    claim = store.claim_delivery(delivery.id, lease=60)
    assert claim is not None
    store.attempted(claim, Attempt(status=410))
    store.submit([(make_article(), AnalysisOptions())], priority=Priority.BULK,
                 idempotency=key("k"))  # fmt: skip
    for receipt in receipts[:2]:
        store.delete_article(receipt.article_id)
    clock.advance(10 * DAY - 1)
    # The key is older than a day.
    assert store.purge(tombstone_days=10, audit_days=0, limit=100) == 1
    store.delete_article(receipts[2].article_id)
    clock.advance(1)
    # Article, job and delivery of two, and the URL that wanted no more.
    assert [store.purge(tombstone_days=10, audit_days=0, limit=4) for _ in range(3)] == [5, 2, 0]
    for receipt in receipts[:2]:
        with pytest.raises(NotFoundError):
            store.article(receipt.article_id)
    with pytest.raises(GoneError, match="deleted"):
        store.article(receipts[2].article_id)
    # The URL is called again, which tells whether it still wants none.
    later = ended(store, submit(options=CALLED_BACK))
    [told] = store.deliveries(DeliveryFilter(job_id=later.job_id), after=None, limit=9).deliveries
    assert store.claim_delivery(told.id, lease=60) is not None


def test_workers_that_expire_at_the_same_time(
    store: SqlStore, submit: Submit, settings: Settings, clock: FakeClock
) -> None:
    receipts = [ended(store, submit()) for _ in range(60)]
    open_job = submit()
    clock.advance(2 * DAY)
    others = [open_store(settings, clock=clock) for _ in range(4)]
    together = Barrier(4)

    def work(other: SqlStore) -> int:
        together.wait()
        total = 0
        while done := other.expire(days=1, keep=0, limit=7):
            total += done
        return total

    with ThreadPoolExecutor(4) as pool:
        totals = list(pool.map(work, others))
    for other in others:
        other.close()
    # Who finds every row locked has nothing to do, and the others do it.
    assert sum(totals) + store.expire(days=1, keep=0, limit=100) == len(receipts)
    assert left(store) == {open_job.job_id}


def test_a_retry_against_the_expiry_has_one_winner(
    store: SqlStore, submit: Submit, settings: Settings, clock: FakeClock
) -> None:
    other = open_store(settings, clock=clock)
    for _ in range(15):
        receipt = ended(store, submit(), JobState.FAILED)
        clock.advance(2 * DAY)
        together = Barrier(2)

        def retried(job_id: str = receipt.job_id, together: Barrier = together) -> bool:
            together.wait()
            try:
                other.retry(job_id)
            except GoneError:
                return False
            return True

        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(retried)
            together.wait()
            expired = store.expire(days=1, keep=0, limit=9)
            assert (expired, asked.result()) in {(1, False), (0, True)}
        if not expired:
            assert store.job(receipt.job_id).state is JobState.QUEUED
            assert store.article(receipt.article_id).text
            store.delete_article(receipt.article_id)
    other.close()
