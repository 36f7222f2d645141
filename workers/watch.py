"""Watching one attempt: its stages' seconds and spans, and the one line that says how it ended."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from types import TracebackType

from service.domain.job import Job, Stage
from service.telemetry.traces import NoTraces
from workers.metrics import WorkerMetrics

log = logging.getLogger(__name__)


class AttemptWatch:
    """Times the stages from one `enter` to the next. A stage ends with the `with` block too."""

    def __init__(self, job: Job, metrics: WorkerMetrics, traces: NoTraces) -> None:
        self._job = job
        self._metrics = metrics
        self._traces = traces
        self._began = time.perf_counter()
        self._stage = ExitStack()
        metrics.began(job)

    def __enter__(self) -> AttemptWatch:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stage.__exit__(kind, error, trace)

    def enter(self, stage: Stage) -> None:
        """A stage begins, and the one before it has ended."""
        self._stage.close()
        began = time.perf_counter()
        self._stage.callback(lambda: self._metrics.stage(stage, time.perf_counter() - began))
        self._stage.enter_context(self._traces.span(f"stage {stage.value}"))

    def ended(self, outcome: str, code: str | None = None) -> None:
        """The attempt ended in one of the outcomes of `workers.metrics`."""
        self._metrics.ended(self._job, outcome, code)
        fields = {
            "job_id": self._job.id,
            "outcome": outcome,
            "code": code,
            "priority": self._job.priority.value,
            "attempt": self._job.attempts,
            "seconds": round(time.perf_counter() - self._began, 4),
        }
        log.info("attempt", extra={"fields": fields})
