"""The task: claim, analyse, store. Every way in which it can end is named here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import monotonic, sleep
from typing import Protocol, TypeVar

from celery.exceptions import SoftTimeLimitExceeded

from service.domain.documents import to_document
from service.domain.errors import LeaseLostError, StoreUnavailableError
from service.domain.job import JobFailure, JobState, Stage
from service.domain.ports import Claim, WorkerStore
from service.settings import Settings
from service.telemetry.traces import NoTraces
from workers import metrics
from workers.errors import PermanentError, RetryableError
from workers.lease import LeaseKeeper
from workers.metrics import WorkerMetrics
from workers.pipeline import Analyser, OnStage
from workers.watch import AttemptWatch

log = logging.getLogger(__name__)

# A finished analysis is worth waiting for a database that restarts. The lease is kept meanwhile.
STORE_TRIES = 5
STORE_PAUSE_SECONDS = 1.0

T = TypeVar("T")


class Context(Protocol):
    """What the task needs of its process."""

    @property
    def id(self) -> str: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def store(self) -> WorkerStore: ...
    @property
    def pipeline(self) -> Analyser: ...
    @property
    def metrics(self) -> WorkerMetrics: ...
    @property
    def traces(self) -> NoTraces: ...


def analyse(context: Context, job_id: str) -> None:
    """Run one job if it is free. A message for a finished, held or unknown job ends here."""
    try:
        lease = context.settings.lease
        claim = context.store.claim(job_id, worker_id=context.id, lease=lease)
    except StoreUnavailableError as err:
        # Still queued: the sweeper rings when the database is back.
        log.warning("job %s not claimed: %s", job_id, err)
        return
    if claim is None:
        log.info("job %s: nothing to do", job_id)
        return
    watch = AttemptWatch(claim.job, context.metrics, context.traces)
    began = monotonic()
    try:
        _run(context, claim, watch)
    except LeaseLostError as err:
        watch.ended(metrics.LEASE_LOST)
        log.info("given up: %s", err)
    except StoreUnavailableError as err:
        # The lease runs out and the job is tried again.
        watch.ended(metrics.NOT_STORED)
        log.error("job %s: result not stored: %s", job_id, err)
    except SystemExit:
        # billiard turns SIGTERM in a pool process into this: there is no time left to finish.
        if monotonic() - began < context.settings.soft_time_limit:
            _quietly(lambda: context.store.release(claim))
            watch.ended(metrics.HANDED_BACK)
            log.info("job %s handed back", job_id)
        else:
            # The hard limit begins with a SIGTERM, too. Handed back, the job would run for ever.
            _quietly(lambda: context.store.fail(claim, _too_slow(context), retryable=False))
            watch.ended(metrics.FAILED, "time_limit")
            log.warning("job %s did not heed the soft time limit", job_id)
        raise
    finally:
        context.metrics.tokens_read(context.pipeline.tokens_read)


def _run(context: Context, claim: Claim, watch: AttemptWatch) -> None:
    try:
        with LeaseKeeper(context.store, claim, lease=context.settings.lease) as keeper, watch:
            enter = _both(keeper.enter, watch.enter)
            analysis = context.pipeline.run(claim.article, claim.job.options, enter)
            enter(Stage.STORE)
            document = to_document(analysis)
            _patiently(lambda: context.store.complete(claim, document, analysis.pipeline_version))
        context.metrics.read(analysis.coverage)
        watch.ended(metrics.SUCCEEDED)
    except SoftTimeLimitExceeded:
        _fail(context, claim, watch, _too_slow(context), retryable=False)
    except MemoryError:
        log.warning("job %s: no memory left", claim.job.id)
        failure = JobFailure("out_of_memory", "the analysis needs more memory than a worker has")
        _fail(context, claim, watch, failure, retryable=True)
    except PermanentError as err:
        log.exception("job %s failed", claim.job.id)
        _fail(context, claim, watch, JobFailure(err.code, err.detail), retryable=False)
    except RetryableError as err:
        log.warning("job %s: attempt %d failed: %s", claim.job.id, claim.job.attempts, err)
        _fail(context, claim, watch, JobFailure(err.code, err.detail), retryable=True)


def _too_slow(context: Context) -> JobFailure:
    limit = context.settings.soft_time_limit
    return JobFailure("time_limit", f"the analysis took longer than {limit} seconds")


def _fail(
    context: Context, claim: Claim, watch: AttemptWatch, failure: JobFailure, *, retryable: bool
) -> None:
    state = _patiently(lambda: context.store.fail(claim, failure, retryable=retryable))
    outcome = metrics.FAILED if state is JobState.FAILED else metrics.RETRIED
    watch.ended(outcome, failure.code)


def _both(first: OnStage, second: OnStage) -> OnStage:
    """`second` only if `first` lets the stage begin."""

    def enter(stage: Stage) -> None:
        first(stage)
        second(stage)

    return enter


def _patiently(act: Callable[[], T]) -> T:
    for _ in range(STORE_TRIES - 1):
        try:
            return act()
        except StoreUnavailableError as err:
            log.warning("the database is away, trying again: %s", err)
            sleep(STORE_PAUSE_SECONDS)
    return act()


def _quietly(act: Callable[[], object]) -> None:
    try:
        act()
    except (LeaseLostError, StoreUnavailableError) as err:
        log.warning("%s", err)
