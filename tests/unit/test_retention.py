"""Letting go in small steps: the limits of one round, and what it asks of the store."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from service.domain.errors import StoreUnavailableError
from service.settings import load_settings
from workers.retention import AT_ONCE, MOST_TRANSACTIONS, PAUSE_SECONDS, let_go

SETTINGS = replace(load_settings(), retention_days=30, retention_articles=1_000, audit_days=90)


@dataclass
class OldRows:
    """A `RetentionStore` with so many articles and marks to let go."""

    articles: int = 0
    marks: int = 0
    asked: list[tuple[str, int]] = field(default_factory=list)
    emptied: int = 0
    rule: tuple[int, int, int] | None = None

    def expire(self, *, days: int, keep: int, limit: int) -> int:
        done = min(self.articles, limit)
        self.articles -= done
        self.asked.append(("expire", done))
        self.rule = (days, keep, limit)
        return done

    def purge(self, *, tombstone_days: int, audit_days: int, limit: int) -> int:
        assert (tombstone_days, audit_days) == (SETTINGS.tombstone_days, SETTINGS.audit_days)
        done = min(self.marks, limit)
        self.marks -= done
        self.asked.append(("purge", done))
        return done

    def empty_log(self) -> None:
        self.emptied += 1


def test_a_round_goes_in_small_transactions_with_pauses() -> None:
    store, pauses = OldRows(articles=AT_ONCE * 2 + 3, marks=AT_ONCE), []
    assert let_go(store, SETTINGS, pauses.append) == AT_ONCE * 2 + 3
    assert store.asked == [
        ("expire", AT_ONCE), ("expire", AT_ONCE), ("expire", 3), ("purge", AT_ONCE), ("purge", 0),
    ]  # fmt: skip
    assert pauses == [PAUSE_SECONDS] * 3
    assert store.rule == (30, 1_000, AT_ONCE)
    assert store.emptied == 1


def test_a_round_ends_and_leaves_the_rest_to_the_next() -> None:
    store = OldRows(articles=10**9)
    assert let_go(store, SETTINGS, lambda _: None) == AT_ONCE * MOST_TRANSACTIONS
    assert store.asked[-1] == ("purge", 0)


def test_a_database_that_is_away_is_said_so() -> None:
    class Away(OldRows):
        def purge(self, *, tombstone_days: int, audit_days: int, limit: int) -> int:
            raise StoreUnavailableError("away")

    with pytest.raises(StoreUnavailableError):
        let_go(Away(), SETTINGS)
