"""Small in-memory stand-ins for what a worker talks to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from service.domain.analysis import Analysis, Coverage
from service.domain.article import AnalysisOptions, Article
from service.domain.errors import LeaseLostError, StoreUnavailableError
from service.domain.job import Job, JobFailure, JobState, Priority, Stage
from service.domain.ports import Claim, WorkerInfo
from service.settings import load_settings
from service.telemetry.traces import NoTraces
from workers.metrics import WorkerMetrics

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def a_job(job_id: str = "j1", **changes: Any) -> Job:
    job = Job(
        id=job_id,
        article_id="a1",
        state=JobState.QUEUED,
        priority=Priority.INTERACTIVE,
        options=AnalysisOptions(),
        attempts=0,
        max_attempts=3,
        created_at=NOW,
        updated_at=NOW,
        version=1,
    )
    return replace(job, **changes)


class MemoryStore:
    """One job: what was done with it, and `away` calls that fail before any succeeds."""

    def __init__(self, job: Job | None = None, away: int = 0) -> None:
        self.job = job
        self.away = away
        self.lost = False
        self.stages: list[Stage] = []
        self.document: dict[str, Any] | None = None
        self.failure: tuple[str, bool] | None = None
        self.released = False
        self.due_jobs: list[Job] = []
        self.rung_ids: list[str] = []
        self.asked_redeliver_after: int | None = None

    def _answer(self) -> None:
        if self.away:
            self.away -= 1
            raise StoreUnavailableError("away")

    def _held(self) -> None:
        self._answer()
        if self.lost:
            raise LeaseLostError("lost")

    def claim(self, job_id: str, *, worker_id: str, lease: int) -> Claim | None:
        self._answer()
        if self.job is None:
            return None
        article = Article(id="a1", text="x", created_at=NOW)
        return Claim(self.job, article, 1, NOW + timedelta(seconds=lease))

    def renew(self, claim: Claim, *, stage: Stage, lease: int) -> Claim:
        self._held()
        self.stages.append(stage)
        return claim

    def complete(self, claim: Claim, document: dict[str, Any], pipeline_version: str) -> None:
        self._held()
        self.document = document

    def fail(self, claim: Claim, failure: JobFailure, *, retryable: bool) -> JobState:
        self._held()
        self.failure = (failure.code, retryable)
        return JobState.FAILED

    def release(self, claim: Claim) -> None:
        self._held()
        self.released = True

    def due(self, *, redeliver_after: int, limit: int) -> tuple[Job, ...]:
        self.asked_redeliver_after = redeliver_after
        return tuple(self.due_jobs[:limit])

    def rung(self, job_ids: Sequence[str]) -> None:
        self.rung_ids += job_ids

    def worker_seen(self, info: WorkerInfo) -> None: ...


@dataclass
class MemoryDoorbell:
    """Takes `takes` messages, then none; `queued` is how many wait (None: broker away)."""

    queued: int | None = 0
    takes: int = 1_000
    heard: list[tuple[str, Priority]] = field(default_factory=list)

    def ring(self, job_id: str, priority: Priority) -> bool:
        if len(self.heard) >= self.takes:
            return False
        self.heard.append((job_id, priority))
        return True

    def waiting(self) -> int | None:
        return self.queued


class ScriptedPipeline:
    """Calls `act` in the middle of an analysis of nothing."""

    version = "v"
    models: tuple[dict[str, Any], ...] = ()

    def __init__(self, act: Callable[[], object] = lambda: None) -> None:
        self.act = act
        self.tokens_read: dict[str, int] = {}

    def run(
        self, article: Article, options: AnalysisOptions, on_stage: Callable[[Stage], None]
    ) -> Analysis:
        on_stage(Stage.CLEAN)
        self.act()
        on_stage(Stage.STANCE)
        coverage = Coverage(1, 0, {}, 0, 0, ())
        return Analysis("v", "s", "en", (), (), (), (), (), (), coverage, ())


def a_context(store: MemoryStore, act: Callable[[], object] = lambda: None) -> Any:
    return SimpleNamespace(
        id="w",
        settings=load_settings(),
        store=store,
        pipeline=ScriptedPipeline(act),
        metrics=WorkerMetrics(),
        traces=NoTraces(),
    )
