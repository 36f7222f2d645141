"""The application over a real SQLite store whose jobs end as soon as they are rung for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask
from sqlalchemy import Engine

from service.app import create_app
from service.domain.documents import to_document
from service.domain.job import JobFailure, Priority
from service.domain.key import Scope
from service.domain.ports import WorkerInfo
from service.domain.tenant import DEFAULT_TENANT
from service.schemas.example_analysis import EXAMPLE
from service.settings import load_settings
from service.store import SqlStore, migrate, open_store
from service.store.engine import open_engine, writing
from service.store.tables import api_keys, metadata, tenants, workers
from tests.contract.conftest import KEY, SECRET

LEASE = 60
# Who may ask and who works stays the same.
_KEPT = (tenants, api_keys, workers)
_ENDS = ("done", "done", "failed", "done", "")


@dataclass
class WorkingDoorbell:
    """A broker and its worker in one: of five jobs three succeed, one fails, one stays queued."""

    store: SqlStore
    rung: int = 0

    def ring(self, job_id: str, priority: Priority) -> bool:
        end = _ENDS[self.rung % len(_ENDS)]
        self.rung += 1
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


@dataclass(frozen=True, slots=True)
class SqlApp:
    """An application, its worker and its database."""

    app: Flask
    doorbell: WorkingDoorbell
    engine: Engine

    def forget(self) -> None:
        """Begin anew: no article, no job, no delivery."""
        self.doorbell.rung = 0
        with writing(self.engine) as connection:
            for table in reversed(metadata.sorted_tables):
                if table not in _KEPT:
                    connection.execute(table.delete())


def open_sql(folder: Path) -> SqlApp:
    """A new database in `folder`, one live worker, webhooks on, the operator's `KEY`."""
    settings = replace(
        load_settings(),
        database_url=f"sqlite:///{folder}/store.db",
        webhook_secret=SECRET,
        max_wait=0,  # one job in five stays queued for ever
        worker_heartbeat=3600,  # the one below stays alive for the longest run
    )
    migrate(settings)
    store = open_store(settings)
    now = datetime.now(UTC)
    models = ({"name": "ner", "version": "1", "sha256": "ab", "metrics": {"f1": 0.9}},)
    store.worker_seen(WorkerInfo("w", "v", models, now, now))
    doorbell = WorkingDoorbell(store)
    engine = open_engine(settings.database_url)
    with writing(engine) as connection:
        connection.execute(
            api_keys.insert().values(
                id=KEY.key_id,
                tenant=DEFAULT_TENANT,
                name="a key",
                scopes=sorted(Scope),
                secret_sha256=KEY.digest,
                created_at=now,
            )
        )
    return SqlApp(create_app(settings, store, doorbell), doorbell, engine)
