"""The migrations make exactly the tables that the code describes, and unmake them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, MetaData, inspect, select, text

from service.domain.article import AnalysisOptions
from service.domain.errors import StoreUnavailableError
from service.domain.job import Priority
from service.settings import Settings
from service.store import new_id, open_store
from service.store.engine import open_engine, writing
from service.store.migrate import SchemaError, check_schema, migrate, revisions
from service.store.tables import metadata
from tests.integration.conftest import make_article

# One of each, as revision 0002 knew them.
OLD_ROWS: dict[str, dict[str, Any]] = {
    "articles": {"id": "a", "text": "Old news.", "metadata": {}},
    "jobs": {
        "id": "j",
        "article_id": "a",
        "state": "succeeded",
        "priority": "bulk",
        "options": {"targets": [], "callback_url": "https://hooks.example/a"},
        "attempts": 1,
        "max_attempts": 3,
        "version": 4,
        "token": 1,
    },
    "analyses": {"job_id": "j", "article_id": "a", "pipeline_version": "p", "document": {}},
    "webhook_deliveries": {
        "id": "d",
        "type": "job.succeeded",
        "job_id": "j",
        "job_version": 4,
        "article_id": "a",
        "url": "https://hooks.example/a",
        "body": "{}",
        "state": "pending",
        "attempts": 0,
        "token": 0,
    },
    "disabled_callbacks": {"url_sha256": "0" * 64, "url": "https://hooks.example/b"},
    "idempotency_keys": {"key": "k", "fingerprint": "0" * 64, "body": "{}"},
    "tombstones": {"id": "t", "kind": "article"},
}


def tables(settings: Settings) -> set[str]:
    engine = open_engine(settings.database_url)
    try:
        return set(inspect(engine).get_table_names()) - {"alembic_version"}
    finally:
        engine.dispose()


def test_migrations_and_tables_agree(settings: Settings) -> None:
    migrate(settings)
    engine = open_engine(settings.database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_up_down_and_up_again(settings: Settings) -> None:
    migrate(settings)
    assert tables(settings) == set(metadata.tables)
    migrate(settings, "base")
    assert tables(settings) == set()
    migrate(settings)
    migrate(settings)
    assert tables(settings) == set(metadata.tables)


def test_rows_of_the_revision_before_come_through_up_and_down(settings: Settings) -> None:
    migrate(settings, "0002")
    engine = open_engine(settings.database_url)
    with writing(engine) as connection:
        _insert_old_rows(connection)
    before = _rows(engine)

    migrate(settings, "0003")
    after = _rows(engine)
    for name, rows in before.items():
        assert [{**row, "tenant": "default"} for row in rows if name != "analyses"] == [
            row for row in after[name] if name != "analyses"
        ]
        assert len(rows) == len(after[name]) == 1
    assert [row["id"] for row in after["tenants"]] == ["default"]
    migrate(settings, "0002")
    assert _rows(engine) == before

    migrate(settings)
    store = open_store(settings)
    assert store.article("a").text == store.for_tenant("default").article("a").text == "Old news."
    assert store.delivery("d").job_id == "j"
    store.close()
    assert _rows(engine)["jobs"] == after["jobs"]
    engine.dispose()


def test_a_revision_without_tenants_is_refused_while_there_are_some(settings: Settings) -> None:
    migrate(settings)
    store = open_store(settings)
    store.add_tenant("other")
    store.for_tenant("other").submit(
        [(make_article("Not for everybody."), AnalysisOptions())], priority=Priority.BULK
    )
    store.close()
    with pytest.raises(SchemaError, match=r"tenants first.*: other"):
        migrate(settings, "0002")
    check_schema(settings)


def _insert_old_rows(connection: Connection) -> None:
    old = MetaData()
    old.reflect(connection)
    now = datetime(2026, 1, 2, 3, 4, 5)
    for name, values in OLD_ROWS.items():
        table = old.tables[name]
        times = {
            column.name: now
            for column in table.columns
            if column.name.endswith("_at") and not column.nullable
        }
        connection.execute(table.insert().values(**values, **times))


def _rows(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table but Alembic's, as the database has it now."""
    found = MetaData()
    with engine.connect() as connection:
        found.reflect(connection)
        return {
            name: [dict(row._mapping) for row in connection.execute(select(table))]
            for name, table in found.tables.items()
            if name not in {"alembic_version", "workers"}
        }


def test_processes_that_start_together_migrate_once(settings: Settings) -> None:
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(migrate, settings) for _ in range(2)]:
            done.result()
    check_schema(settings)


def test_a_new_sqlite_file_is_opened_by_many_at_once(tmp_path: Path) -> None:
    for attempt in range(20):
        together = Barrier(4)

        def opened(path: Path = tmp_path / f"{attempt}.db", together: Barrier = together) -> str:
            engine = open_engine(f"sqlite:///{path}")
            together.wait()
            try:
                with writing(engine) as connection:
                    return str(connection.exec_driver_sql("PRAGMA journal_mode").scalar_one())
            finally:
                engine.dispose()

        with ThreadPoolExecutor(4) as pool:
            modes = [done.result() for done in [pool.submit(opened) for _ in range(4)]]
        assert modes == ["wal"] * 4


def test_an_api_is_not_ready_before_the_migration(settings: Settings) -> None:
    store = open_store(settings)
    migrate(settings)
    store.ping()
    for revision in (revisions()[1], "base"):
        migrate(settings, revision)
        with pytest.raises(StoreUnavailableError):
            store.ping()
    migrate(settings, "0002")
    with pytest.raises(StoreUnavailableError):
        store.article(new_id())
    migrate(settings)
    # An old process beside a newer schema: its successor is on the way.
    engine = open_engine(settings.database_url)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    store.ping()
    store.close()


def test_an_old_schema_is_refused(settings: Settings) -> None:
    with pytest.raises(SchemaError, match=r"service\.store upgrade"):
        check_schema(settings)
