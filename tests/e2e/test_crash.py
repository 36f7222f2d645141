"""What dies in mid-job, and what becomes of the job."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable

import psutil
import redis
from e2e_texts import long_text

from client import Job, NewArticle, StancewireClient
from client.local_stack import LocalStack


def running_job(client: StancewireClient, text: str) -> Job:
    """A job that a worker is at, past its first stages."""
    receipt = client.submit(NewArticle(text))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        job = client.job(receipt.job_id)
        assert not job.is_final, "the article is too short to be caught in mid-job"
        if job.state == "running" and job.stage in {"recognise", "attribute", "stance"}:
            return job
        time.sleep(0.05)
    raise AssertionError("no worker took the job")


def stored(stack: LocalStack, article_id: str) -> int:
    """How many analyses the database holds for the article."""
    with sqlite3.connect(stack.data_dir / "stancewire.db") as connection:
        found = connection.execute(
            "select count(*) from analyses where article_id = ?", (article_id,)
        ).fetchone()
    connection.close()
    return int(found[0])


def survives(
    stack: LocalStack, client: StancewireClient, text: str, kill: Callable[[], None]
) -> None:
    job = running_job(client, text)
    kill()
    final = client.wait(job.id, timeout=180)

    assert final.state == "succeeded", final.failure
    assert final.attempts > job.attempts
    assert stored(stack, job.article_id) == 1
    coverage = client.analysis(job.article_id)["coverage"]
    assert coverage["characters"] == len(text)


def test_a_worker_that_is_killed_in_mid_job_costs_nothing_but_time(
    stack: LocalStack, client: StancewireClient, seed_texts: dict[str, str]
) -> None:
    def kill() -> None:
        os.killpg(stack.child("worker").process.pid, signal.SIGKILL)
        stack.child("worker").process.wait(10)
        stack.restart_worker()

    survives(stack, client, long_text(seed_texts, 60_000), kill)


def test_a_process_of_the_worker_that_is_killed_is_replaced_by_the_worker(
    stack: LocalStack, client: StancewireClient, seed_texts: dict[str, str]
) -> None:
    def kill() -> None:
        worker = psutil.Process(stack.child("worker").process.pid)
        busiest = max(
            worker.children(recursive=True),
            key=lambda child: child.cpu_times().user,
        )
        busiest.kill()

    survives(stack, client, long_text(seed_texts, 60_000), kill)
    assert stack.child("worker").process.poll() is None


def test_a_broker_that_forgets_everything_loses_no_job(
    stack: LocalStack, client: StancewireClient, seed_texts: dict[str, str]
) -> None:
    receipts = [client.submit(NewArticle(text)) for text in seed_texts.values()]

    with redis.Redis.from_url(stack.environment["STANCEWIRE_BROKER_URL"]) as broker:
        broker.flushall()

    for receipt in receipts:
        assert client.wait(receipt.job_id, timeout=180).state == "succeeded"
        assert stored(stack, receipt.article_id) == 1


def test_a_queued_job_can_be_cancelled_while_the_worker_is_busy(
    stack: LocalStack, client: StancewireClient, seed_texts: dict[str, str]
) -> None:
    busy = running_job(client, long_text(seed_texts, 40_000))
    waiting = client.submit(NewArticle("Anna Petrov said yes."))

    assert client.cancel(waiting.job_id).state == "cancelled"
    assert client.cancel(busy.id).state == "cancelled"

    after = client.submit(NewArticle("Omar Haddad said no."))
    assert client.wait(after.job_id, timeout=120).state == "succeeded"
    assert client.job(waiting.job_id).state == "cancelled"
    assert client.job(busy.id).state == "cancelled"
    assert stored(stack, waiting.article_id) == stored(stack, busy.article_id) == 0
