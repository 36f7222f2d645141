"""Copies of a SQLite database: taken while others write, put back when nobody has it open.

PostgreSQL has tools of its own for this (docs/operations.md).
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url

from service.settings import Settings
from service.store.migrate import revisions

# Others write for milliseconds; who holds the file for longer has it open to stay.
_BUSY_SECONDS = 2.0

_BESIDE = ("-wal", "-shm", "-journal")


class BackupError(RuntimeError):
    """The copy was not made, or not put back; nothing was changed."""


def backup(settings: Settings, target: Path) -> None:
    """Write the database as of one moment to a new file, which only its owner can read.

    Nobody has to wait: writers go on beside the snapshot that is copied. Raises `BackupError`.
    """
    database = _sqlite_file(settings)
    if not database.exists():
        raise BackupError(f"there is no database {database}")
    _refuse_existing(target)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
        os.close(handle)
    except OSError as err:
        raise BackupError(f"cannot write beside {target}: {err.strerror}") from err
    part = Path(name)
    try:
        with closing(_connect(database, "rw")) as source, closing(_connect(part, "rw")) as copy:
            # All pages in one step, which is one read transaction.
            source.backup(copy)
            # The copy is one file, whatever mode the original is in.
            copy.execute("PRAGMA journal_mode=DELETE")
            _check(copy, database)
        _to_disk(part)
        _refuse_existing(target)
        part.rename(target)
        _to_disk(target.parent)
    except (sqlite3.Error, OSError) as err:
        raise BackupError(f"cannot copy {database} to {target}: {err}") from err
    finally:
        for left in (part, *(Path(f"{part}{ending}") for ending in _BESIDE)):
            left.unlink(missing_ok=True)


def restore(settings: Settings, source: Path, *, replace: bool) -> str:
    """Put a copy in the place of the database and return its revision, which may be an older one.

    One transaction: the old content stays if it breaks. A database that exists is replaced only
    if told to. Raises `BackupError` when somebody has it open, or the copy is not fit.
    """
    database = _sqlite_file(settings)
    if not source.is_file():
        raise BackupError(f"there is no file {source}")
    if database.exists() and not replace:
        raise BackupError(f"{database} exists; --replace overwrites it")
    left = [name for ending in _BESIDE if Path(name := f"{database}{ending}").exists()]
    if left and not database.exists():
        # They may hold what is in no copy, and do not belong to what would come beside them.
        raise BackupError(f"{', '.join(left)} lie there without their database: move them away")
    with closing(_connect(source, "ro")) as copy:
        try:
            revision = _check(copy, source)
        except sqlite3.Error as err:
            raise BackupError(f"{source} cannot be read: {err}") from err
        if revision not in revisions():
            raise BackupError(f"{source} is of a newer version: its revision is {revision}")
        try:
            with closing(_connect(database, "rwc")) as opened:
                _take(opened, database)
                copy.backup(opened)
        except sqlite3.Error as err:
            raise BackupError(f"cannot write {database}: {err}") from err
    return revision


def _take(opened: sqlite3.Connection, database: Path) -> None:
    """Lock the database for this connection alone."""
    try:
        opened.execute("PRAGMA locking_mode=EXCLUSIVE")
        # Whoever has the file open in WAL mode, idle or not, stands in the way of leaving it.
        opened.execute("PRAGMA journal_mode=DELETE")
        opened.execute("BEGIN EXCLUSIVE")
        opened.execute("COMMIT")
    except sqlite3.OperationalError as err:
        # The low byte is the primary code of an extended one.
        if err.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise
        raise BackupError(f"{database} is in use: stop API and workers first") from err


def _check(connection: sqlite3.Connection, file: Path) -> str:
    """The revision of a whole database of ours."""
    [faults] = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if faults != "ok":
        raise BackupError(f"{file} is damaged: {faults}")
    ours = connection.execute(
        "SELECT count(*) FROM sqlite_master WHERE name IN ('alembic_version', 'articles')"
    ).fetchone()
    if ours != (2,):
        raise BackupError(f"{file} is no database of this service")
    [revision] = connection.execute("SELECT max(version_num) FROM alembic_version").fetchone()
    return str(revision)


def _connect(file: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{file.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
    )


def _sqlite_file(settings: Settings) -> Path:
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise BackupError("this is for SQLite files; PostgreSQL has pg_dump and pg_restore")
    return Path(url.database)


def _refuse_existing(target: Path) -> None:
    if target.exists():
        raise BackupError(f"{target} exists and is not overwritten")


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
