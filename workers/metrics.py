"""The figures of a worker: what it did, how long it took, how it ended."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram

from service.domain.analysis import Coverage
from service.domain.delivery import Attempt, DeliveryState
from service.domain.job import STAGES, Job, Stage
from service.queueing.names import QUEUE_OF_PRIORITY

# Ways in which an attempt can end. `retried`: failed, and queued again; `lease_lost`: cancelled,
# deleted or taken by another worker; `not_stored`: the database stayed away, the lease runs out.
SUCCEEDED = "succeeded"
FAILED = "failed"
RETRIED = "retried"
HANDED_BACK = "handed_back"
LEASE_LOST = "lease_lost"
NOT_STORED = "not_stored"
OUTCOMES = (SUCCEEDED, FAILED, RETRIED, HANDED_BACK, LEASE_LOST, NOT_STORED)

# From a short text's cleaning to a very long text's stances under the soft limit.
_STAGE_SECONDS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0)

# From a doorbell that is answered at once to a night's backlog.
_WAIT_SECONDS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 10_000.0)

# Ways in which an attempt at a webhook can end. `retried`: failed, and due again; `failed` and
# `disabled`: not tried again; `lost`: the lease ran out, somebody else makes the next attempt.
WEBHOOK_OUTCOMES = {
    DeliveryState.DELIVERED: "delivered",
    DeliveryState.PENDING: "retried",
    DeliveryState.FAILED: "failed",
    DeliveryState.DISABLED: "disabled",
    None: "lost",
}

# From a receiver next door to the soft limit of an attempt.
_WEBHOOK_SECONDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


class WorkerMetrics:
    """What one pool process has done. Safe to share between threads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._stage_seconds = self._histogram(
            "stancewire_stage_seconds", "Seconds that a stage took.", "stage", _STAGE_SECONDS
        )
        self._wait_seconds = self._histogram(
            "stancewire_job_wait_seconds",
            "Seconds from a job's submission to its first attempt.",
            "queue",
            _WAIT_SECONDS,
        )
        self._attempts = self._counter("stancewire_attempts", "Attempts begun.", "queue")
        self._retries = self._counter(
            "stancewire_retries", "Attempts begun that were not the job's first.", "queue"
        )
        self._ended = self._counter(
            "stancewire_attempts_ended", "Attempts ended, by outcome.", "queue", "outcome"
        )
        self._failures = self._counter(
            "stancewire_failures", "Attempts that failed, by the code of the failure.", "code"
        )
        self._windows = self._counter(
            "stancewire_windows", "Windows of text that a model read.", "model"
        )
        self._characters = self._counter(
            "stancewire_characters", "Characters of the articles analysed."
        )
        self._tokens = self._counter(
            "stancewire_tokens", "Tokens (wordpieces) that a model read.", "model"
        )
        # Tokens that each model had read when it was last looked at.
        self._tokens_read: dict[str, int] = {}
        self._webhook_attempts = self._counter(
            "stancewire_webhook_attempts", "Attempts to send a webhook, by outcome.", "outcome"
        )
        self._webhook_failures = self._counter(
            "stancewire_webhook_failures",
            "Attempts to send a webhook that failed, by the code of the failure.",
            "code",
        )
        self._webhook_seconds = Histogram(
            "stancewire_webhook_seconds",
            "Seconds that an attempt to send a webhook took.",
            buckets=_WEBHOOK_SECONDS,
            registry=self.registry,
        )
        self._rung_again = self._counter("stancewire_rung_again", "Jobs that the sweeper rang for.")
        self._expired = self._counter("stancewire_articles_expired", "Articles that expired.")
        # From zero, so that the first one is an increase.
        for queue in QUEUE_OF_PRIORITY.values():
            self._attempts.labels(queue)
            self._retries.labels(queue)
            for outcome in OUTCOMES:
                self._ended.labels(queue, outcome)
        for outcome in WEBHOOK_OUTCOMES.values():
            self._webhook_attempts.labels(outcome)
        for stage in STAGES:
            self._stage_seconds.labels(stage.value)

    def began(self, job: Job) -> None:
        """A claim was won; `job` as claimed."""
        queue = QUEUE_OF_PRIORITY[job.priority]
        self._attempts.labels(queue).inc()
        if job.attempts > 1:
            self._retries.labels(queue).inc()
        elif job.started_at is not None:
            waited = (job.started_at - job.created_at).total_seconds()
            self._wait_seconds.labels(queue).observe(max(0.0, waited))

    def ended(self, job: Job, outcome: str, code: str | None = None) -> None:
        """An attempt ended in one of `OUTCOMES`; `code` is its failure's."""
        self._ended.labels(QUEUE_OF_PRIORITY[job.priority], outcome).inc()
        if code is not None:
            self._failures.labels(code).inc()

    def stage(self, stage: Stage, seconds: float) -> None:
        """A stage ended."""
        self._stage_seconds.labels(stage.value).observe(seconds)

    def read(self, coverage: Coverage) -> None:
        """An article was analysed."""
        self._characters.inc(coverage.characters)
        for model, windows in coverage.windows.items():
            self._windows.labels(model).inc(windows)

    def tokens_read(self, totals: Mapping[str, int]) -> None:
        """Each model has read so many tokens since it was loaded. One thread tells."""
        for model, total in totals.items():
            self._tokens.labels(model).inc(total - self._tokens_read.get(model, 0))
        self._tokens_read = dict(totals)

    def webhook(self, attempt: Attempt, state: DeliveryState | None, seconds: float) -> None:
        """An attempt to send a webhook ended, and its delivery is now in `state`."""
        self._webhook_attempts.labels(WEBHOOK_OUTCOMES[state]).inc()
        if attempt.failure is not None:
            self._webhook_failures.labels(attempt.failure.code).inc()
        self._webhook_seconds.observe(seconds)

    def rung_again(self, jobs: int) -> None:
        """The sweeper rang."""
        self._rung_again.inc(jobs)

    def expired(self, articles: int) -> None:
        """A round of retention let go of so many articles."""
        self._expired.inc(articles)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(name, about, labels, registry=self.registry)

    def _histogram(
        self, name: str, about: str, label: str, buckets: tuple[float, ...]
    ) -> Histogram:
        return Histogram(name, about, [label], buckets=buckets, registry=self.registry)
