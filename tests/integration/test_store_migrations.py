"""The migrations make exactly the tables that the code describes, and unmake them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from service.domain.errors import StoreUnavailableError
from service.settings import Settings
from service.store import new_id, open_store
from service.store.engine import open_engine, writing
from service.store.migrate import SchemaError, check_schema, migrate, revisions
from service.store.tables import metadata


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
