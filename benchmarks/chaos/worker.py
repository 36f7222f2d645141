"""A real worker over a pipeline that takes no time, with mines in its way and a clock that jumps:
`python -m benchmarks.chaos.worker`."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event

from benchmarks.chaos.mines import FOLDER, pass_by
from service.domain.analysis import Analysis
from service.domain.article import AnalysisOptions, Article
from service.domain.job import Stage
from service.domain.ports import Claim
from service.settings import Settings
from service.store import SqlStore, utc_now
from service.store.engine import open_engine
from tests.integration.fast_worker import FastPipeline
from workers import process
from workers.__main__ import main
from workers.pipeline import OnStage

CLOCK = "clock-offset"


class SignedPipeline(FastPipeline):
    """Says in the pipeline version which worker ran it: a worker that is stuck signs nothing."""

    def run(self, article: Article, options: AnalysisOptions, on_stage: OnStage) -> Analysis:
        analysis = super().run(article, options, on_stage)
        return replace(analysis, pipeline_version=f"chaos-{os.getppid()}")


class MinedStore(SqlStore):
    """The store, with a point to die at on either side of each transaction of a job."""

    def __init__(self, folder: Path, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._folder = folder
        event.listen(self._engine, "before_cursor_execute", self._executing)

    def claim(self, job_id: str, *, worker_id: str, lease: int) -> Claim | None:
        claim = super().claim(job_id, worker_id=worker_id, lease=lease)
        if claim is not None:
            pass_by(self._folder, "claimed")
        return claim

    def renew(self, claim: Claim, *, stage: Stage, lease: int) -> Claim:
        renewed = super().renew(claim, stage=stage, lease=lease)
        pass_by(self._folder, f"stage-{stage.value}")
        return renewed

    def complete(self, claim: Claim, document: dict[str, Any], pipeline_version: str) -> None:
        pass_by(self._folder, "before-complete")
        super().complete(claim, document, pipeline_version)
        pass_by(self._folder, "completed")

    def _executing(self, _: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.startswith("INSERT INTO analyses"):
            pass_by(self._folder, "inside-complete")


def open_mined_store(settings: Settings) -> SqlStore:
    """What `service.store.open_store` would open, mined, its clock off by what the folder says."""
    folder = Path(os.environ[FOLDER])

    def clock() -> datetime:
        try:
            offset = float((folder / CLOCK).read_text() or 0)
        except FileNotFoundError:
            offset = 0.0
        return utc_now() + timedelta(seconds=offset)

    return MinedStore(
        folder,
        engine=open_engine(settings.database_url),
        max_attempts=settings.max_attempts,
        idempotency_ttl=settings.idempotency_ttl,
        max_queued=settings.max_queued,
        clock=clock,
    )


if __name__ == "__main__":
    process.open_store = open_mined_store
    sys.exit(main(sys.argv[1:], SignedPipeline))
