"""Bringing a database's schema to the revision that this code expects."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, make_url, text

from service.domain.errors import StoreUnavailableError
from service.settings import Settings
from service.store.engine import open_engine, reading, writing

# Any number, the same for all of ours: two processes that start at once must not both migrate.
_POSTGRES_LOCK = 7_316_203

_VERSION = text("SELECT version_num FROM alembic_version")


class SchemaError(RuntimeError):
    """The database's schema is not the one that this code works with."""


def migrate(settings: Settings, revision: str = "head") -> None:
    """Upgrade (or downgrade, given an older `revision` or `base`) in one transaction.

    Safe to call from several processes at once. Raises `StoreUnavailableError`, or `SchemaError`
    for a revision that this code does not know.
    """
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = open_engine(settings.database_url)
    try:
        migrate_engine(engine, revision)
    finally:
        engine.dispose()


def migrate_engine(engine: Engine, revision: str = "head") -> None:
    """`migrate` over an open engine."""
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(
                text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _POSTGRES_LOCK}
            )
        config = _config()
        config.attributes["connection"] = connection
        current = MigrationContext.configure(connection).get_current_revision()
        known = revisions()
        for asked in {current, revision} - {None, "head", "base"}:
            if asked not in known:
                raise SchemaError(f"this version knows no revision {asked}: is it an older one?")
        older = set(known[known.index(current) :]) if current else set()
        if revision == "base" or (revision in older and revision != current):
            command.downgrade(config, revision)
        else:
            command.upgrade(config, revision)


def check_schema(settings: Settings) -> None:
    """Raise `SchemaError` unless the database is at the newest revision."""
    engine = open_engine(settings.database_url)
    try:
        with reading(engine) as connection:
            current = MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
    known = revisions()
    if current is not None and current not in known:
        raise SchemaError(f"the database is at revision {current}, which a newer version made")
    wanted = known[0]
    if current != wanted:
        raise SchemaError(
            f"the database is at revision {current or 'none'}, this version needs {wanted}: "
            "run `python -m service.store upgrade`"
        )


def check_not_behind(connection: Connection) -> None:
    """Raise `StoreUnavailableError` when the schema is older than this code needs. With a newer
    one an old process may go on: its successor is on the way."""
    current = connection.execute(_VERSION).scalar_one_or_none()
    if current is None or current in revisions()[1:]:
        raise StoreUnavailableError(f"the database is at revision {current or 'none'}")


@cache
def revisions() -> tuple[str, ...]:
    """Every revision that this code knows, the newest first."""
    scripts = ScriptDirectory.from_config(_config())
    return tuple(script.revision for script in scripts.iterate_revisions("head", "base"))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "service.store:migrations")
    config.set_main_option("path_separator", "os")
    return config
