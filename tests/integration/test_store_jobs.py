"""The store's promises to callers, on SQLite and on PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest

from service.domain.article import AnalysisOptions
from service.domain.errors import (
    AnalysisNotReadyError,
    GoneError,
    IdempotencyMismatchError,
    NotFoundError,
    StateConflictError,
    StoreUnavailableError,
)
from service.domain.job import JobFailure, JobState, Priority
from service.domain.ports import IdempotencyClaim, JobFilter, Submission, WorkerInfo
from service.settings import Settings
from service.store import SqlStore, new_id, open_store
from tests.integration.conftest import FakeClock, Submit, make_article

DOCUMENT = {"mentions": [{"text": "Zürich 🏔", "start": 0, "end": 8, "score": 0.1}], "stances": []}


def finish(store: SqlStore, job_id: str) -> None:
    claim = store.claim(job_id, worker_id="w", lease=60)
    assert claim is not None
    store.complete(claim, DOCUMENT, "v1")


def keyed(key: str, fingerprint: str = "f") -> IdempotencyClaim:
    return IdempotencyClaim(key, fingerprint, lambda receipts: f"body {receipts[0].job_id}")


def send(store: SqlStore, claim: IdempotencyClaim) -> Submission:
    return store.submit(
        [(make_article(), AnalysisOptions())], priority=Priority.BULK, idempotency=claim
    )


def test_an_article_comes_back_as_it_was_submitted(store: SqlStore, submit: Submit) -> None:
    article = make_article(
        "‘Naïve’ 🦆\u202e text\n",
        title="T",
        source="Wire",
        url="https://example.org/a",
        published_at=datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC),
        language="en",
        metadata={"desk": {"nested": [1, None, "é"]}},
    )
    options = AnalysisOptions(("nuclear power",), "utf16")
    receipt = submit(article, options=options)
    assert store.article(receipt.article_id) == article
    job = store.job(receipt.job_id)
    assert (job.state, job.attempts, job.progress) == (JobState.QUEUED, 0, 0.0)
    assert job.options == options
    assert store.latest_job(article.id) == job


def test_an_analysis_comes_back_as_it_was_stored(store: SqlStore, submit: Submit) -> None:
    receipt = submit()
    with pytest.raises(AnalysisNotReadyError) as caught:
        store.analysis(receipt.article_id)
    assert (caught.value.job_id, caught.value.state) == (receipt.job_id, "queued")
    finish(store, receipt.job_id)
    stored = store.analysis(receipt.article_id)
    assert stored.document == DOCUMENT
    assert (stored.job_id, stored.pipeline_version) == (receipt.job_id, "v1")
    assert store.job(receipt.job_id).progress == 1.0


def test_unknown_ids_are_not_found(store: SqlStore) -> None:
    for ask in (
        store.job,
        store.article,
        store.analysis,
        store.latest_job,
        store.cancel,
        store.retry,
        store.delete_article,
    ):
        with pytest.raises(NotFoundError):
            ask(new_id())


def test_deleted_ids_are_gone(store: SqlStore, submit: Submit) -> None:
    receipt = submit()
    finish(store, receipt.job_id)
    store.delete_article(receipt.article_id)
    for ask in (store.article, store.analysis, store.latest_job, store.delete_article):
        with pytest.raises(GoneError):
            ask(receipt.article_id)
    for ask in (store.job, store.cancel, store.retry):
        with pytest.raises(GoneError):
            ask(receipt.job_id)
    assert store.claim(receipt.job_id, worker_id="w", lease=60) is None


def test_a_batch_that_breaks_leaves_nothing(store: SqlStore) -> None:
    twice = make_article()
    with pytest.raises(Exception, match=r"(?i)unique"):
        store.submit(
            [(make_article(), AnalysisOptions()), (twice, AnalysisOptions()),
             (twice, AnalysisOptions())],
            priority=Priority.BULK,
        )  # fmt: skip
    assert store.jobs(JobFilter(), after=None, limit=10).jobs == ()


def test_jobs_are_listed_newest_first_in_pages(store: SqlStore, submit: Submit) -> None:
    ids = [submit().job_id for _ in range(5)]
    first = store.jobs(JobFilter(), after=None, limit=2)
    second = store.jobs(JobFilter(), after=first.next_cursor, limit=2)
    last = store.jobs(JobFilter(), after=second.next_cursor, limit=2)
    listed = [job.id for page in (first, second, last) for job in page.jobs]
    assert listed == ids[::-1]
    assert last.next_cursor is None


def test_jobs_are_filtered(store: SqlStore, submit: Submit, clock: FakeClock) -> None:
    batch = new_id()
    early = submit(make_article(source="Wire"), batch_id=batch)
    moment = clock.now
    clock.advance(60)
    late = submit(make_article(source="Post"))
    store.cancel(late.job_id)

    def ids(**wanted: object) -> list[str]:
        found = store.jobs(JobFilter(**wanted), after=None, limit=9)  # type: ignore[arg-type]
        return [job.id for job in found.jobs]

    assert ids(source="Wire") == ids(batch_id=batch) == [early.job_id]
    assert ids(article_id=early.article_id) == ids(state=JobState.QUEUED) == [early.job_id]
    assert ids(state=JobState.CANCELLED) == ids(created_after=moment) == [late.job_id]
    assert ids(created_before=moment + timedelta(seconds=1)) == [early.job_id]
    assert ids(source="Wire", state=JobState.CANCELLED) == []


def test_cancel_is_final_and_repeatable(store: SqlStore, submit: Submit) -> None:
    receipt = submit()
    cancelled = store.cancel(receipt.job_id)
    assert cancelled.state is JobState.CANCELLED
    assert cancelled.finished_at is not None
    assert store.cancel(receipt.job_id) == cancelled
    assert store.claim(receipt.job_id, worker_id="w", lease=60) is None
    done = submit()
    finish(store, done.job_id)
    with pytest.raises(StateConflictError):
        store.cancel(done.job_id)


def test_only_a_failed_job_is_retried(store: SqlStore, submit: Submit) -> None:
    receipt = submit()
    with pytest.raises(StateConflictError):
        store.retry(receipt.job_id)
    claim = store.claim(receipt.job_id, worker_id="w", lease=60)
    assert claim is not None
    store.fail(claim, JobFailure("no_model", "gone"), retryable=False)
    failed = store.job(receipt.job_id)
    assert failed.failure == JobFailure("no_model", "gone")
    retried = store.retry(receipt.job_id)
    assert (retried.state, retried.attempts, retried.failure) == (JobState.QUEUED, 0, None)
    assert retried.version > failed.version
    again = store.claim(receipt.job_id, worker_id="w", lease=60)
    assert again is not None
    assert again.token > claim.token


def test_a_key_is_answered_once(store: SqlStore, clock: FakeClock, settings: Settings) -> None:
    first = send(store, keyed("k"))
    again = send(store, keyed("k"))
    assert again.receipts == ()
    assert again.replayed_body == f"body {first.receipts[0].job_id}"
    with pytest.raises(IdempotencyMismatchError):
        send(store, keyed("k", "another body"))
    clock.advance(settings.idempotency_ttl)
    assert send(store, keyed("k", "another body")).replayed_body is None


def test_twenty_parallel_posts_of_one_key_make_one_job(store: SqlStore) -> None:
    together = Barrier(20)

    def post(_: int) -> Submission:
        together.wait()
        return send(store, keyed("k"))

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(post, range(20)))
    made = [answer.receipts[0].job_id for answer in answers if answer.receipts]
    assert len(made) == 1
    assert {answer.replayed_body for answer in answers} == {None, f"body {made[0]}"}
    assert len(store.jobs(JobFilter(), after=None, limit=50).jobs) == 1


def test_live_workers_are_those_heard_of(store: SqlStore, clock: FakeClock) -> None:
    info = WorkerInfo("w1", "v1", ({"name": "ner"},), clock.now, clock.now)
    store.worker_seen(info)
    clock.advance(10)
    store.worker_seen(replace(info, id="w2"))
    assert [worker.id for worker in store.live_workers(within=30)] == ["w1", "w2"]
    assert [worker.id for worker in store.live_workers(within=5)] == ["w2"]
    store.worker_seen(info)
    assert len(store.live_workers(within=5)) == 2
    store.worker_gone("w1")
    assert [worker.id for worker in store.live_workers(within=30)] == ["w2"]


def test_a_database_that_is_away_is_said_to_be(settings: Settings, tmp_path: Path) -> None:
    nowhere = {
        "sqlite": f"sqlite:///{tmp_path}/no/such/folder.db",
        "postgresql+pg8000": "postgresql+pg8000://postgres@127.0.0.1:1/x",
    }[settings.database_url.partition(":")[0]]
    away = open_store(replace(settings, database_url=nowhere))
    with pytest.raises(StoreUnavailableError):
        away.ping()
    with pytest.raises(StoreUnavailableError):
        away.submit([(make_article(), AnalysisOptions())], priority=Priority.BULK)
    away.close()


def test_a_database_without_our_tables_is_away(settings: Settings) -> None:
    empty = open_store(settings)
    with pytest.raises(StoreUnavailableError):
        empty.ping()
    empty.close()
