"""The database connection: one engine a process, short transactions, one kind of failure."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry

from service.domain.errors import StoreUnavailableError

# How long a writer waits for another writer of the same SQLite file. Our transactions take
# milliseconds; five seconds of waiting mean that something else holds the file.
SQLITE_BUSY_SECONDS = 5.0
_BUSY_MILLISECONDS = int(SQLITE_BUSY_SECONDS * 1000)
_WAL_PAUSE_SECONDS = 0.01

# A PostgreSQL that does not answer in this time is treated as away: a request must not hang.
POSTGRES_SOCKET_SECONDS = 10

# How long a thread waits for a free connection of this process.
POOL_SECONDS = 5

_WRITE = "stancewire_write"

# SQLSTATE classes that mean "not now" rather than "wrong": connection, resources, operator
# intervention (shutdown, crash), transaction rollback (deadlock, serialisation), and a database
# that nobody has migrated yet (undefined table or column: SQLite calls that an operational error
# too).
_AWAY_CODES = ("08", "53", "57", "40", "42P01", "42703")


def open_engine(database_url: str) -> Engine:
    """An engine for a SQLite file or a PostgreSQL server. Connects when first used.

    A process that forks must not have one open: SQLite's locks do not survive a fork
    (https://www.sqlite.org/howtocorrupt.html, 2.6).
    """
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url, connect_args={"timeout": SQLITE_BUSY_SECONDS}, pool_timeout=POOL_SECONDS
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(
        url,
        # A server restart leaves dead connections in the pool; each is tried before it is used.
        pool_pre_ping=True,
        pool_timeout=POOL_SECONDS,
        connect_args={"timeout": POSTGRES_SOCKET_SECONDS},
    )


def _prepare_sqlite(connection: Any, _: ConnectionPoolEntry) -> None:
    # The driver must not begin transactions by itself: `_begin_sqlite` does.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        _enter_wal(cursor)
        # An accepted article survives a power cut, not only a killed process.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        # What is deleted is overwritten, not only unlinked (ADR 0009).
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
    finally:
        cursor.close()


def _enter_wal(cursor: sqlite3.Cursor) -> None:
    """Let readers and one writer at a time not wait for each other.

    The switch of a new file needs it alone and does not heed the busy timeout, so processes that
    start together wait for it here. Afterwards the mode is kept in the file and this is a read.
    """
    deadline = monotonic() + SQLITE_BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as err:
            # The low byte is the primary code of an extended one (SQLITE_BUSY_RECOVERY, say).
            if err.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                raise
            sleep(_WAL_PAUSE_SECONDS)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later can fail at once with "database is locked",
    # busy timeout or not; taking the write lock at the start waits its turn instead.
    write = connection.get_execution_options().get(_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def empty_log(engine: Engine) -> None:
    """Move SQLite's write-ahead log into the file and cut it: it holds what was deleted, too.

    Left for the next time while somebody reads. Raises `StoreUnavailableError`.
    """
    if engine.dialect.name != "sqlite":
        return
    # A plain cursor: a checkpoint cannot run within a transaction.
    with _available(), engine.connect() as connection, closing(_cursor(connection)) as cursor:
        try:
            # Waiting for a reader here would make every writer wait, too.
            cursor.execute("PRAGMA busy_timeout=0")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.OperationalError as err:
            raise StoreUnavailableError("the database does not answer") from err
        finally:
            cursor.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")


def _cursor(connection: Connection) -> sqlite3.Cursor:
    cursor = connection.connection.cursor()
    assert isinstance(cursor, sqlite3.Cursor)
    return cursor


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads. Raises `StoreUnavailableError`."""
    with _available(), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes, committed at the end. Raises `StoreUnavailableError`."""
    with _available(), engine.connect() as connection:
        connection = connection.execution_options(**{_WRITE: True})
        with connection.begin():
            yield connection


@contextmanager
def _available() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError) as err:
        raise StoreUnavailableError("the database does not answer") from err
    except DBAPIError as err:
        if err.connection_invalidated or _is_away(err):
            raise StoreUnavailableError("the database does not answer") from err
        raise
    except OSError as err:
        # pg8000 lets a broken socket through as it is.
        raise StoreUnavailableError("the database does not answer") from err


def _is_away(err: DBAPIError) -> bool:
    """Whether PostgreSQL ends or refuses the session, rather than finds a statement wrong."""
    arguments = err.orig.args if err.orig is not None else ()
    said = arguments[0] if arguments else None
    if not isinstance(said, dict):
        return False
    # V is the severity in English whatever the server's language; FATAL ends the session.
    return said.get("V") in ("FATAL", "PANIC") or str(said.get("C", "")).startswith(_AWAY_CODES)
