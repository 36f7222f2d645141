"""Claims, leases and fencing tokens, on SQLite and on PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from service.domain.errors import GoneError, LeaseLostError, StateConflictError
from service.domain.job import JobFailure, JobState, Stage
from service.domain.ports import Claim, JobFilter
from service.store import SqlStore, new_id
from tests.integration.conftest import FakeClock, Submit

LEASE = 60
FAILURE = JobFailure("broken", "it broke")


def claimed(store: SqlStore, job_id: str, worker_id: str = "w") -> Claim:
    claim = store.claim(job_id, worker_id=worker_id, lease=LEASE)
    assert claim is not None
    return claim


def test_a_claim_carries_job_article_and_lease(
    store: SqlStore, submit: Submit, clock: FakeClock
) -> None:
    receipt = submit()
    claim = claimed(store, receipt.job_id)
    assert (claim.job.state, claim.job.attempts) == (JobState.RUNNING, 1)
    assert claim.article.id == receipt.article_id
    assert (claim.lease_until - clock.now).total_seconds() == LEASE
    assert store.claim(receipt.job_id, worker_id="other", lease=LEASE) is None
    assert store.claim(new_id(), worker_id="other", lease=LEASE) is None


def test_of_many_claimers_one_wins(store: SqlStore, submit: Submit) -> None:
    job_id = submit().job_id
    together = Barrier(8)

    def claim(worker: int) -> Claim | None:
        together.wait()
        return store.claim(job_id, worker_id=str(worker), lease=LEASE)

    with ThreadPoolExecutor(8) as pool:
        won = [claim for claim in pool.map(claim, range(8)) if claim is not None]
    assert len(won) == 1
    assert store.job(job_id).attempts == 1


def test_a_lease_that_ran_out_can_be_taken_over(
    store: SqlStore, submit: Submit, clock: FakeClock
) -> None:
    job_id = submit().job_id
    slow = claimed(store, job_id)
    clock.advance(LEASE - 1)
    assert store.claim(job_id, worker_id="next", lease=LEASE) is None
    clock.advance(1)
    fast = claimed(store, job_id, "next")
    assert fast.token > slow.token
    for late in (
        lambda: store.renew(slow, stage=Stage.STANCE, lease=LEASE),
        lambda: store.complete(slow, {"by": "slow"}, "v"),
        lambda: store.fail(slow, FAILURE, retryable=True),
        lambda: store.release(slow),
    ):
        with pytest.raises(LeaseLostError):
            late()
    store.complete(fast, {"by": "fast"}, "v")
    assert store.analysis(fast.article.id).document == {"by": "fast"}
    with pytest.raises(LeaseLostError):
        store.complete(fast, {"by": "fast again"}, "v")
    assert store.job(job_id).attempts == 2


def test_a_lease_that_ran_out_untaken_still_counts(
    store: SqlStore, submit: Submit, clock: FakeClock
) -> None:
    claim = claimed(store, submit().job_id)
    clock.advance(10 * LEASE)
    store.complete(claim, {}, "v")
    assert store.job(claim.job.id).state is JobState.SUCCEEDED


def test_renewal_moves_lease_and_stage(store: SqlStore, submit: Submit, clock: FakeClock) -> None:
    claim = claimed(store, submit().job_id)
    clock.advance(LEASE - 1)
    renewed = store.renew(claim, stage=Stage.RECOGNISE, lease=LEASE)
    moved = store.job(claim.job.id)
    assert (moved.stage, moved.version) == (Stage.RECOGNISE, claim.job.version + 1)
    clock.advance(LEASE - 1)
    assert store.claim(claim.job.id, worker_id="other", lease=LEASE) is None
    store.renew(renewed, stage=Stage.RECOGNISE, lease=LEASE)
    assert store.job(claim.job.id).version == moved.version


def test_a_cancelled_job_refuses_its_worker(store: SqlStore, submit: Submit) -> None:
    claim = claimed(store, submit().job_id)
    store.cancel(claim.job.id)
    with pytest.raises(LeaseLostError):
        store.renew(claim, stage=Stage.STANCE, lease=LEASE)
    with pytest.raises(LeaseLostError):
        store.complete(claim, {}, "v")
    assert store.job(claim.job.id).state is JobState.CANCELLED


def test_a_deleted_job_refuses_its_worker(store: SqlStore, submit: Submit) -> None:
    claim = claimed(store, submit().job_id)
    store.delete_article(claim.article.id)
    with pytest.raises(LeaseLostError):
        store.complete(claim, {}, "v")
    assert store.jobs(JobFilter(), after=None, limit=9).jobs == ()


@pytest.mark.parametrize("ending", ["cancel", "delete"])
def test_an_ending_against_completion_has_one_winner(
    store: SqlStore, submit: Submit, ending: str
) -> None:
    for _ in range(50):
        claim = claimed(store, submit().job_id)
        together = Barrier(2)

        def end(claim: Claim = claim, together: Barrier = together) -> bool:
            together.wait()
            try:
                if ending == "cancel":
                    store.cancel(claim.job.id)
                else:
                    store.delete_article(claim.article.id)
            except StateConflictError:
                return False
            return True

        def complete(claim: Claim = claim, together: Barrier = together) -> bool:
            together.wait()
            try:
                store.complete(claim, {}, "v")
            except LeaseLostError:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            ended, completed = pool.submit(end), pool.submit(complete)
        if ending == "cancel":
            assert ended.result() != completed.result()
            expected = JobState.SUCCEEDED if completed.result() else JobState.CANCELLED
            assert store.job(claim.job.id).state is expected
        else:
            assert ended.result()
            with pytest.raises(GoneError):
                store.job(claim.job.id)


def test_failures_are_retried_until_the_attempts_are_used_up(
    store: SqlStore, submit: Submit
) -> None:
    job_id = submit().job_id
    states = [store.fail(claimed(store, job_id), FAILURE, retryable=True) for _ in range(3)]
    assert states == [JobState.QUEUED, JobState.QUEUED, JobState.FAILED]
    job = store.job(job_id)
    assert (job.attempts, job.failure) == (3, FAILURE)
    assert store.claim(job_id, worker_id="w", lease=LEASE) is None


def test_a_permanent_failure_is_not_retried(store: SqlStore, submit: Submit) -> None:
    claim = claimed(store, submit().job_id)
    assert store.fail(claim, FAILURE, retryable=False) is JobState.FAILED


def test_a_job_that_kills_its_workers_fails_in_the_end(
    store: SqlStore, submit: Submit, clock: FakeClock
) -> None:
    job_id = submit().job_id
    for _ in range(3):
        last = claimed(store, job_id)
        clock.advance(LEASE)
    assert store.claim(job_id, worker_id="w", lease=LEASE) is None
    job = store.job(job_id)
    assert job.state is JobState.FAILED
    assert job.failure is not None
    assert job.failure.code == "attempts_exhausted"
    with pytest.raises(LeaseLostError):
        store.complete(last, {}, "v")


def test_a_released_job_keeps_its_attempts(store: SqlStore, submit: Submit) -> None:
    job_id = submit().job_id
    store.release(claimed(store, job_id))
    job = store.job(job_id)
    assert (job.state, job.attempts, job.stage) == (JobState.QUEUED, 0, None)


def due(store: SqlStore) -> list[str]:
    return [job.id for job in store.due(redeliver_after=30, limit=10)]


def test_the_outbox_is_due_until_rung(store: SqlStore, submit: Submit, clock: FakeClock) -> None:
    job_id = submit().job_id
    assert due(store) == []  # the web process is about to ring
    clock.advance(2)
    assert due(store) == [job_id]
    before = store.job(job_id)
    store.rung([job_id])
    assert due(store) == []
    assert store.job(job_id) == before
    clock.advance(30)
    assert due(store) == [job_id]
    claimed(store, job_id)
    assert due(store) == []


def test_a_lost_worker_makes_its_job_due_once(
    store: SqlStore, submit: Submit, clock: FakeClock
) -> None:
    job_id = submit().job_id
    store.rung([job_id])
    claimed(store, job_id)
    clock.advance(LEASE)
    assert due(store) == [job_id]
    store.rung([job_id])
    clock.advance(29)
    assert due(store) == []
    clock.advance(1)
    assert due(store) == [job_id]


def test_what_was_handed_back_is_due_again(
    store: SqlStore, submit: Submit, clock: FakeClock
) -> None:
    job_id = submit().job_id
    store.rung([job_id])
    store.release(claimed(store, job_id))
    clock.advance(2)
    assert due(store) == [job_id]


def test_the_longest_waiting_are_rung_first(
    store: SqlStore, submit: Submit, clock: FakeClock
) -> None:
    ids = [submit().job_id for _ in range(4)]
    clock.advance(2)
    assert [job.id for job in store.due(redeliver_after=30, limit=2)] == ids[:2]
