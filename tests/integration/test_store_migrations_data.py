"""Data survives every migration, up and down, from every revision; new ones need no test of their
own, unless they drop something."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    insert,
    inspect,
    select,
    text,
)

from service.settings import Settings
from service.store.engine import open_engine, reading, writing
from service.store.migrate import migrate_engine, revisions

# What a migration drops on purpose, and why. Everything else must be there afterwards.
DROPPED = {
    "disabled_callbacks.url": "its digest is enough, and it may name an article that is deleted",
}

ROWS = 3
REVISIONS = revisions()[::-1]

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
def engine(settings: Settings) -> Any:
    opened = open_engine(settings.database_url)
    yield opened
    opened.dispose()


def tables(engine: Engine) -> dict[str, Table]:
    """The tables as the database has them, those that are referred to first."""
    found = MetaData()
    found.reflect(engine)
    return {table.name: table for table in found.sorted_tables if table.name != "alembic_version"}


def shape(engine: Engine) -> dict[str, tuple[list[str], list[str]]]:
    """Columns and indexes of each table."""
    return {
        name: (
            sorted(f"{column.name} {column.nullable}" for column in table.columns),
            sorted(f"{index.name} {index.columns.keys()}" for index in table.indexes),
        )
        for name, table in tables(engine).items()
    }


def rows(engine: Engine) -> Rows:
    """Every row of every table, in the order of their keys."""
    with reading(engine) as connection:
        return {
            name: [
                dict(row)
                for row in connection.execute(
                    select(table).order_by(*table.primary_key.columns)
                ).mappings()
            ]
            for name, table in tables(engine).items()
        }


def fill(engine: Engine) -> None:
    """Put rows into every table, with a value in every column, the last one with as few as it may
    have. A table that a migration has filled is left as it is."""
    filled: dict[str, list[dict[str, Any]]] = {}
    there = rows(engine)
    for name, table in tables(engine).items():
        if there[name]:
            filled[name] = there[name]
            continue
        allowed = choices(engine, table)
        filled[name] = [
            {
                column.name: value(column, number, allowed.get(column.name, ()), filled)
                for column in table.columns
            }
            for number in range(ROWS)
        ]
        with writing(engine) as connection:
            connection.execute(insert(table), filled[name])


def choices(engine: Engine, table: Table) -> dict[str, list[str]]:
    """The words that CHECK constraints allow, by column."""
    found = {}
    for constraint in inspect(engine).get_check_constraints(table.name):
        rule = constraint["sqltext"]
        if re.search(r"\bIN\b|\bANY\b", rule, re.IGNORECASE):
            named = set(re.findall(r"\w+", re.sub(r"'[^']*'", "", rule)))
            [column] = named & set(table.columns.keys())
            found[column] = re.findall(r"'([^']*)'", rule)
    return found


def value(column: Column[Any], number: int, allowed: Any, filled: Rows) -> Any:
    """A value of the column's type, another for each number, that its constraints allow."""
    kind = column.type
    for key in column.foreign_keys:
        referred = filled[key.column.table.name]
        return referred[number % len(referred)][key.column.name]
    if column.nullable and number == ROWS - 1:
        return None
    if allowed:
        return allowed[number % len(allowed)]
    if isinstance(kind, String):
        return f"{number} {column.table.name} {column.name} “é”"[: kind.length or 99]
    if isinstance(kind, Boolean):
        return number % 2 == 0
    if isinstance(kind, Integer | Numeric):
        return number + 1
    if isinstance(kind, DateTime):
        moment = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC) + timedelta(days=number)
        return moment if kind.timezone else moment.replace(tzinfo=None)
    if isinstance(kind, Date):
        return date(2026, 1, 2 + number)
    if isinstance(kind, JSON):
        return {"number": number, "words": ["“é”", None]}
    if isinstance(kind, LargeBinary):
        return bytes([0, number, 255])
    raise AssertionError(f"teach this test to fill {column} ({kind!r})")


def check_kept(before: Rows, after: Rows, shared: Mapping[str, Any]) -> None:
    """Every row of `before` is in `after`, in all columns that both have; `shared` names the tables
    and columns that must be there."""
    assert set(before) <= set(shared)
    for name, old in before.items():
        columns = set(shared[name])
        lost = set(old[0]) - columns
        assert {f"{name}.{column}" for column in lost} <= set(DROPPED), name
        kept = [{key: row[key] for key in old[0] if key in columns} for row in after[name]]
        assert kept == [{key: row[key] for key in row if key in columns} for row in old], name


def columns(engine: Engine) -> dict[str, list[str]]:
    return {name: table.columns.keys() for name, table in tables(engine).items()}


@pytest.mark.parametrize("revision", REVISIONS)
def test_data_of_every_revision_survives_the_way_up_and_down(engine: Engine, revision: str) -> None:
    migrate_engine(engine, revision)
    fill(engine)
    old, old_shape = rows(engine), shape(engine)
    assert all(old.values())

    migrate_engine(engine)
    head = columns(engine)
    check_kept(old, rows(engine), head)

    migrate_engine(engine, revision)
    assert shape(engine) == old_shape
    check_kept(old, rows(engine), {name: set(head[name]) & set(old[name][0]) for name in old})


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_data_of_the_newest_revision_survives_the_way_down_and_up(
    engine: Engine, revision: str
) -> None:
    migrate_engine(engine)
    fill(engine)
    new = rows(engine)
    migrate_engine(engine, revision)
    old = columns(engine)
    after = rows(engine)
    for name in old:
        both = [key for key in new[name][0] if key in old[name]]
        assert [{key: row[key] for key in both} for row in after[name]] == [
            {key: row[key] for key in both} for row in new[name]
        ], name
    migrate_engine(engine)
    for name, found in rows(engine).items():
        assert len(found) == len(new[name]) or name not in old, name


def test_the_references_hold_after_a_migration(engine: Engine) -> None:
    """SQLite copies a table to change it, which can lose its foreign keys or its children."""
    migrate_engine(engine, REVISIONS[0])
    fill(engine)
    migrate_engine(engine)
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM articles"))
    left = rows(engine)
    assert (left["articles"], left["jobs"], left["analyses"]) == ([], [], [])
    assert left["tombstones"]


def test_stored_answers_are_told_whom_they_speak_of(engine: Engine) -> None:
    migrate_engine(engine, "0002")
    answers = {
        "single": ({"article_id": "a-1", "job_id": "j-1"}, "a-1"),
        "batch": ({"batch_id": "b-1", "items": [{"article_id": "a-2"}]}, "b-1"),
        "other": (["a-3"], None),
    }
    keys = tables(engine)["idempotency_keys"]
    with writing(engine) as connection:
        connection.execute(
            insert(keys),
            [
                {
                    "key": key,
                    "fingerprint": "f",
                    "body": json.dumps(body),
                    "created_at": datetime(2026, 1, 2),
                }
                for key, (body, _) in answers.items()
            ],
        )
    migrate_engine(engine)
    found = {row["key"]: row["subject"] for row in rows(engine)["idempotency_keys"]}
    assert found == {key: subject for key, (_, subject) in answers.items()}
