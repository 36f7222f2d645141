"""The way of a job through a real broker and a real worker process, and what may die on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from service.domain.article import AnalysisOptions
from service.domain.errors import GoneError
from service.domain.job import JobState, Priority
from service.domain.ports import Receipt
from service.queueing import BrokerDoorbell, open_doorbell
from service.settings import Settings, load_settings
from service.store import SqlStore, migrate, open_store
from tests.integration.conftest import make_article, new_database
from tests.integration.processes import Broker, Worker, wait_for

LEASE = 2


@pytest.fixture
def broker() -> Iterator[Broker]:
    started = Broker()
    yield started
    started.stop()


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A SQLite file unless the test asks for PostgreSQL."""
    return new_database(getattr(request, "param", "sqlite"), request, tmp_path)


on_both = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def environment(database_url: str, broker: Broker) -> dict[str, str]:
    """Settings that make everything happen in seconds."""
    return {
        "STANCEWIRE_DATABASE_URL": database_url,
        "STANCEWIRE_BROKER_URL": broker.url,
        "STANCEWIRE_LEASE": str(LEASE),
        "STANCEWIRE_SWEEP_INTERVAL": "1",
        "STANCEWIRE_REDELIVER_AFTER": "1",
        "STANCEWIRE_WORKER_HEARTBEAT": "1",
        "STANCEWIRE_MAX_ATTEMPTS": "2",
    }


@pytest.fixture
def settings(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load_settings()


@pytest.fixture
def store(settings: Settings) -> Iterator[SqlStore]:
    migrate(settings)
    opened = open_store(settings)
    yield opened
    opened.close()


@pytest.fixture
def doorbell(settings: Settings) -> Iterator[BrokerDoorbell]:
    # Longer than in production: two test workers on two cores can hold a process up.
    opened = open_doorbell(replace(settings, broker_timeout=2.0))
    yield opened
    opened.close()


StartWorker = Callable[..., Worker]


@pytest.fixture
def start_worker(
    store: SqlStore, environment: dict[str, str], tmp_path: Path
) -> Iterator[StartWorker]:
    started: list[Worker] = []

    def start(*arguments: str, ready: bool = True, **extra: str) -> Worker:
        log = tmp_path / f"worker-{len(started)}.log"
        worker = Worker({**environment, **extra}, log, *arguments)
        started.append(worker)
        if ready:
            wait_for(lambda: worker.said("ready: pipeline"), 60, "the worker starts")
        return worker

    yield start
    for worker in started:
        worker.kill()
        print(worker.log.read_text())


@pytest.fixture
def submit(store: SqlStore, doorbell: BrokerDoorbell) -> Callable[..., Receipt]:
    """Submit as the web process does: write, then ring."""

    def one(text: str = "hello", priority: Priority = Priority.INTERACTIVE) -> Receipt:
        article = make_article(text)
        receipt = store.submit([(article, AnalysisOptions())], priority=priority).receipts[0]
        if doorbell.ring(receipt.job_id, priority):
            store.rung([receipt.job_id])
        return receipt

    return one


Submit = Callable[..., Receipt]


def state(store: SqlStore, receipt: Receipt) -> JobState:
    return store.job(receipt.job_id).state


def await_state(store: SqlStore, receipt: Receipt, wanted: JobState, seconds: float = 40) -> float:
    return wait_for(lambda: state(store, receipt) is wanted, seconds, f"the job is {wanted}")


@on_both
def test_from_submission_to_analysis(
    store: SqlStore, submit: Submit, start_worker: StartWorker
) -> None:
    worker = start_worker()
    for priority in Priority:
        receipt = submit("hello", priority)
        await_state(store, receipt, JobState.SUCCEEDED)
        assert store.analysis(receipt.article_id).pipeline_version == "fast-1"
        assert store.job(receipt.job_id).attempts == 1
    wait_for(lambda: len(store.live_workers(within=30)) == 1, 30, "the worker is alive")
    [info] = store.live_workers(within=30)
    assert (info.pipeline_version, info.models[0]["name"]) == ("fast-1", "fast")
    worker.ask_to_stop()
    assert worker.process.wait(40) == 0
    assert store.live_workers(within=60) == ()


def test_failures_end_as_they_should(
    store: SqlStore, submit: Submit, start_worker: StartWorker
) -> None:
    start_worker(
        STANCEWIRE_SOFT_TIME_LIMIT="1", STANCEWIRE_HARD_TIME_LIMIT="30", STANCEWIRE_LEASE="30"
    )
    permanent, slow, busy = submit("permanent"), submit("sleep 20"), submit("retry")
    for receipt, code, attempts in (
        (permanent, "unreadable", 1),
        (slow, "time_limit", 1),
        (busy, "busy", 2),
    ):
        await_state(store, receipt, JobState.FAILED)
        job = store.job(receipt.job_id)
        assert job.failure is not None
        assert (job.failure.code, job.attempts) == (code, attempts)


@on_both
def test_a_worker_killed_in_mid_job(
    store: SqlStore, submit: Submit, start_worker: StartWorker
) -> None:
    first = start_worker()
    receipt = submit("sleep 1.5")
    await_state(store, receipt, JobState.RUNNING)
    first.kill()
    start_worker()
    await_state(store, receipt, JobState.SUCCEEDED)
    job = store.job(receipt.job_id)
    assert job.attempts == 2
    stored = store.analysis(receipt.article_id)
    time.sleep(LEASE)
    assert (store.job(receipt.job_id), store.analysis(receipt.article_id)) == (job, stored)


def test_a_job_that_kills_its_workers(
    store: SqlStore, submit: Submit, start_worker: StartWorker
) -> None:
    start_worker()
    deadly = submit("die")
    harmless = submit()
    await_state(store, harmless, JobState.SUCCEEDED)
    await_state(store, deadly, JobState.FAILED)
    job = store.job(deadly.job_id)
    assert job.failure is not None
    assert (job.failure.code, job.attempts) == ("attempts_exhausted", 2)
    await_state(store, submit(), JobState.SUCCEEDED)


def test_the_hard_time_limit_ends_what_does_not_heed_the_soft_one(
    store: SqlStore, submit: Submit, start_worker: StartWorker
) -> None:
    start_worker(STANCEWIRE_SOFT_TIME_LIMIT="1", STANCEWIRE_HARD_TIME_LIMIT="2")
    for text, code, attempts in (("deaf", "time_limit", 1), ("stuck", "attempts_exhausted", 2)):
        receipt = submit(text)
        await_state(store, receipt, JobState.FAILED, 60)
        job = store.job(receipt.job_id)
        assert job.failure is not None
        assert (job.failure.code, job.attempts) == (code, attempts)
    await_state(store, submit(), JobState.SUCCEEDED)


def test_the_memory_ceiling(store: SqlStore, submit: Submit, start_worker: StartWorker) -> None:
    worker = start_worker(STANCEWIRE_WORKER_MEMORY="300000000")
    await_state(store, submit("eat 400"), JobState.SUCCEEDED)
    wait_for(lambda: worker.ready() == 2, 30, "its process is replaced")
    greedy = submit("eat 4000")
    await_state(store, greedy, JobState.FAILED)
    failure = store.job(greedy.job_id).failure
    assert failure is not None
    assert failure.code == "out_of_memory"
    await_state(store, submit(), JobState.SUCCEEDED)


def test_interactive_jobs_go_before_those_of_batches(
    store: SqlStore, submit: Submit, start_worker: StartWorker
) -> None:
    bulk = [submit("sleep 0.1", Priority.BULK) for _ in range(5)]
    interactive = [submit("sleep 0.1", Priority.INTERACTIVE) for _ in range(3)]
    # The order on the command line does not matter.
    start_worker("--queues", "bulk,interactive")
    for receipt in bulk + interactive:
        await_state(store, receipt, JobState.SUCCEEDED)

    def ends(receipts: list[Receipt]) -> list[datetime]:
        return [store.job(receipt.job_id).finished_at or datetime.max for receipt in receipts]

    assert max(ends(interactive)) < min(ends(bulk))


def test_a_slow_batch_does_not_hold_up_interactive_jobs_that_have_their_own_worker(
    store: SqlStore, submit: Submit, start_worker: StartWorker
) -> None:
    start_worker()
    start_worker("--queues", "interactive")
    slow = submit("sleep 8", Priority.BULK)
    await_state(store, slow, JobState.RUNNING)
    for _ in range(3):
        await_state(store, submit(), JobState.SUCCEEDED)
    assert state(store, slow) is JobState.RUNNING


def test_a_job_longer_than_its_lease_runs_once(
    store: SqlStore, submit: Submit, start_worker: StartWorker
) -> None:
    start_worker()
    start_worker()
    receipt = submit(f"sleep {LEASE * 2}")
    await_state(store, receipt, JobState.SUCCEEDED)
    assert store.job(receipt.job_id).attempts == 1


def test_a_broker_that_comes_back_empty(
    store: SqlStore, submit: Submit, start_worker: StartWorker, broker: Broker
) -> None:
    receipt = submit()
    broker.empty()
    worker = start_worker()
    await_state(store, receipt, JobState.SUCCEEDED)
    broker.stop()
    wait_for(lambda: worker.said("Connection to broker lost"), 30, "the worker notices")
    began = time.monotonic()
    unrung = submit()
    assert time.monotonic() - began < 1.0
    assert state(store, unrung) is JobState.QUEUED
    broker.start()
    assert await_state(store, unrung, JobState.SUCCEEDED) < 10


def test_a_broker_that_is_away_when_a_job_ends(
    store: SqlStore, submit: Submit, start_worker: StartWorker, broker: Broker
) -> None:
    worker = start_worker()
    receipt = submit("sleep 1")
    await_state(store, receipt, JobState.RUNNING)
    broker.stop()
    await_state(store, receipt, JobState.SUCCEEDED)
    wait_for(lambda: worker.said("Couldn't ack"), 30, "the worker cannot acknowledge")
    broker.start()
    # Ten seconds are promised on an idle machine.
    await_state(store, submit(), JobState.SUCCEEDED, 20)
    assert worker.process.poll() is None


def test_a_broker_without_memory(
    store: SqlStore, submit: Submit, start_worker: StartWorker, broker: Broker
) -> None:
    worker = start_worker()
    receipt = submit("sleep 1")
    await_state(store, receipt, JobState.RUNNING)
    # Its message waits in the broker, whose receipt of it will be refused.
    waiting = submit()
    with broker.client() as client:
        client.config_set("maxmemory", 1)
        unrung = submit()
        wait_for(lambda: worker.said("OutOfMemoryError"), 30, "the worker is refused")
        client.config_set("maxmemory", 0)
    await_state(store, receipt, JobState.SUCCEEDED)
    await_state(store, waiting, JobState.SUCCEEDED)
    await_state(store, unrung, JobState.SUCCEEDED)
    assert worker.process.poll() is None


def test_a_worker_that_starts_before_its_broker(
    store: SqlStore, submit: Submit, start_worker: StartWorker, broker: Broker
) -> None:
    broker.stop()
    worker = start_worker(ready=False)
    receipt = submit()
    wait_for(lambda: worker.said("Cannot connect to"), 60, "the worker says so")
    broker.start()
    await_state(store, receipt, JobState.SUCCEEDED)


def test_cancelling_and_deleting_a_running_job(
    store: SqlStore, submit: Submit, start_worker: StartWorker
) -> None:
    worker = start_worker()
    cancelled = submit("sleep 0.7")
    await_state(store, cancelled, JobState.RUNNING)
    store.cancel(cancelled.job_id)
    deleted = submit("sleep 0.7")
    await_state(store, deleted, JobState.RUNNING)
    store.delete_article(deleted.article_id)
    await_state(store, submit(), JobState.SUCCEEDED)
    assert state(store, cancelled) is JobState.CANCELLED
    with pytest.raises(GoneError):
        store.job(deleted.job_id)
    assert worker.said("given up")
    assert not worker.said("Traceback")


def test_a_worker_asked_to_stop_finishes_its_job(
    store: SqlStore, submit: Submit, start_worker: StartWorker
) -> None:
    worker = start_worker()
    receipt = submit("sleep 1.5")
    await_state(store, receipt, JobState.RUNNING)
    worker.ask_to_stop()
    assert worker.process.wait(40) == 0
    assert state(store, receipt) is JobState.SUCCEEDED


def test_a_worker_out_of_time_hands_its_job_back(
    store: SqlStore, submit: Submit, start_worker: StartWorker
) -> None:
    worker = start_worker(FAST_WORKER_GRACE="1")
    receipt = submit("sleep 60")
    await_state(store, receipt, JobState.RUNNING)
    began = time.monotonic()
    worker.ask_to_stop()
    worker.process.wait(40)
    assert time.monotonic() - began < 30
    job = store.job(receipt.job_id)
    assert (job.state, job.attempts) == (JobState.QUEUED, 0)


def test_messages_about_nothing_are_dropped(
    store: SqlStore, submit: Submit, start_worker: StartWorker, doorbell: BrokerDoorbell
) -> None:
    worker = start_worker()
    done = submit()
    await_state(store, done, JobState.SUCCEEDED)
    job = store.job(done.job_id)
    for job_id in (done.job_id, "no-such-job"):
        assert doorbell.ring(job_id, Priority.INTERACTIVE)
        wait_for(lambda job_id=job_id: worker.said(f"{job_id}: nothing to do"), 30, "it is dropped")  # type: ignore[misc]
    assert store.job(done.job_id) == job


def test_a_worker_serves_only_its_queues(
    store: SqlStore, submit: Submit, start_worker: StartWorker
) -> None:
    start_worker("--queues", "bulk")
    interactive, bulk = submit(priority=Priority.INTERACTIVE), submit(priority=Priority.BULK)
    await_state(store, bulk, JobState.SUCCEEDED)
    time.sleep(0.5)
    assert state(store, interactive) is JobState.QUEUED


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"FAST_WORKER": "unfit"}, "cannot start: a model cannot be used"),
        ({"FAST_WORKER": "breaks"}, "no memory for the models"),
        ({"STANCEWIRE_LEASE": "none"}, "STANCEWIRE_LEASE"),
        ({"STANCEWIRE_DATABASE_URL": "sqlite:////no/such/place.db"}, "does not answer"),
    ],
)
def test_a_worker_that_cannot_start_says_so(
    start_worker: StartWorker, extra: dict[str, str], words: str
) -> None:
    worker = start_worker(ready=False, **extra)
    assert worker.process.wait(60) in {1, 2}
    assert worker.said(words)
