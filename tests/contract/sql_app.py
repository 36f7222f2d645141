"""The application over a real SQLite store whose jobs end as soon as they are rung for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

from flask import Flask

from service.app import create_app
from service.domain.documents import to_document
from service.domain.job import JobFailure, Priority
from service.domain.ports import WorkerInfo
from service.schemas.example_analysis import EXAMPLE
from service.settings import load_settings
from service.store import SqlStore, migrate, open_store
from tests.contract.conftest import SECRET

LEASE = 60


@dataclass
class WorkingDoorbell:
    """A broker and its worker in one: of five jobs three succeed, one fails, one stays queued."""

    store: SqlStore
    _ends: cycle[str] = field(default_factory=lambda: cycle(("done", "done", "failed", "done", "")))

    def ring(self, job_id: str, priority: Priority) -> bool:
        end = next(self._ends)
        claim = self.store.claim(job_id, worker_id="w", lease=LEASE) if end else None
        if claim is None:
            return True
        if end == "failed":
            self.store.fail(claim, JobFailure("unreadable", "Not read."), retryable=False)
        else:
            self.store.complete(claim, to_document(EXAMPLE), "v")
        return True

    def ping(self) -> bool:
        return True


def make_sql_app(folder: Path) -> Flask:
    """A new database in `folder`, one live worker, webhooks on."""
    settings = replace(
        load_settings(),
        database_url=f"sqlite:///{folder}/store.db",
        webhook_secret=SECRET,
        worker_heartbeat=3600,  # the one below stays alive for the longest run
    )
    migrate(settings)
    store = open_store(settings)
    now = datetime.now(UTC)
    models = ({"name": "ner", "version": "1", "sha256": "ab", "metrics": {"f1": 0.9}},)
    store.worker_seen(WorkerInfo("w", "v", models, now, now))
    return create_app(settings, store, WorkingDoorbell(store))
