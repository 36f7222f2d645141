"""Keys, quotas, the audit log and the end of a tenant, in both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import create_engine, select

from service.domain.article import AnalysisOptions
from service.domain.audit import AuditFilter
from service.domain.delivery import Attempt
from service.domain.errors import (
    NotFoundError,
    QuotaExceededError,
    StateConflictError,
    UnknownTenantError,
)
from service.domain.job import Priority
from service.domain.key import KeyGrant, Quota, Scope, StoredKey, Token
from service.domain.ports import DeliveryFilter, IdempotencyClaim, Receipt
from service.settings import Settings
from service.store import SqlStore
from service.store.tables import metadata
from tests.integration.conftest import FakeClock, make_article

GRANT = KeyGrant("default", "newsroom", frozenset({Scope.READ, Scope.WRITE}))
ANY = AuditFilter()


def found(store: SqlStore, token: Token) -> StoredKey:
    stored = store.find_key(token.key_id)
    assert stored is not None
    return stored


def history(store: SqlStore, wanted: AuditFilter = ANY) -> list[tuple[str, str, dict[str, Any]]]:
    """Kind, actor and detail of the tenant's events, oldest first."""
    events = store.audit_events(wanted, after=None, limit=100).events
    return [(event.kind, event.actor, event.detail) for event in reversed(events)]


def submit(store: SqlStore, number: int = 1, **more: Any) -> tuple[Receipt, ...]:
    articles = [(make_article(), AnalysisOptions()) for _ in range(number)]
    return store.submit(articles, priority=Priority.BULK, **more).receipts


def test_a_key_is_kept_without_its_secret(
    store: SqlStore, settings: Settings, clock: FakeClock
) -> None:
    grant = replace(
        GRANT,
        requests_per_minute=60,
        articles_per_day=100,
        expires_at=clock.now + timedelta(days=1),
    )
    assert not store.has_keys()
    key, token = store.create_key(grant)
    assert store.has_keys()
    assert found(store, token).key == key == store.keys()[0]
    assert found(store, token).proved_by(token, clock.now)
    assert key.grant == grant
    assert store.find_key("another") is None
    for rows in everything(settings).values():
        assert token.secret not in str(rows)
    assert history(store) == [
        ("key.created", "operator", {"name": "newsroom", "scopes": ["read", "write"]})
    ]


def test_a_rotated_key_has_its_old_secret_for_the_grace_period(
    store: SqlStore, clock: FakeClock
) -> None:
    _, first = store.create_key(GRANT)
    _, second = store.rotate_key(first.key_id, grace=timedelta(seconds=30))
    assert second.key_id == first.key_id
    assert second.secret != first.secret
    clock.advance(29)
    assert found(store, first).proved_by(first, clock.now)
    clock.advance(1)
    assert not found(store, first).proved_by(first, clock.now)
    assert found(store, second).proved_by(second, clock.now)
    _, third = store.rotate_key(first.key_id, grace=timedelta())
    assert not found(store, second).proved_by(second, clock.now)
    assert found(store, third).proved_by(third, clock.now)
    assert history(store, AuditFilter(kind="key.rotated")) == [
        ("key.rotated", "operator", {"grace_seconds": seconds}) for seconds in (30, 0)
    ]


def test_a_revoked_key_stays_revoked(store: SqlStore, clock: FakeClock) -> None:
    _, token = store.create_key(GRANT)
    revoked = store.revoke_key(token.key_id)
    assert revoked.ended(clock.now) == "revoked"
    clock.advance(5)
    assert store.revoke_key(token.key_id) == revoked
    with pytest.raises(StateConflictError, match="is revoked"):
        store.rotate_key(token.key_id, grace=timedelta(days=1))
    assert found(store, token).key == revoked
    assert found(store, token).proved_by(token, clock.now)
    assert store.has_keys()
    assert [kind for kind, _, _ in history(store)] == ["key.created", "key.revoked"]
    for unknown in (store.revoke_key, lambda id_: store.rotate_key(id_, grace=timedelta())):
        with pytest.raises(NotFoundError):
            unknown("nokey")


def test_use_is_noted_to_the_minute_and_refusal_to_the_hour(
    store: SqlStore, clock: FakeClock
) -> None:
    _, token = store.create_key(GRANT)
    first = clock.now
    store.key_used(token.key_id)
    clock.advance(59)
    store.key_used(token.key_id)
    assert found(store, token).key.last_used_at == first
    clock.advance(1)
    store.key_used(token.key_id)
    assert found(store, token).key.last_used_at == clock.now
    for seconds in (0, 3599, 1):
        clock.advance(seconds)
        store.key_refused(token.key_id, "expired")
    assert (
        history(store, AuditFilter(kind="key.refused"))
        == [("key.refused", token.key_id, {"reason": "expired"})] * 2
    )


def test_the_audit_log_is_the_tenants_own_and_comes_by_pages(store: SqlStore) -> None:
    _, mine = store.create_key(GRANT)
    _, theirs = store.create_key(replace(GRANT, tenant="theirs"))
    for _ in range(3):
        store.rotate_key(mine.key_id, grace=timedelta())
    view = store.for_tenant("theirs")
    [event] = view.audit_events(ANY, after=None, limit=9).events
    assert (event.tenant, event.subject) == ("theirs", theirs.key_id)
    assert view.audit_events(AuditFilter(subject=mine.key_id), after=None, limit=9).events == ()
    seen, cursor = [], None
    while True:
        page = store.audit_events(ANY, after=cursor, limit=3)
        seen += [event.kind for event in page.events]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ["key.rotated"] * 3 + ["key.created"]


def test_a_quota_is_counted_to_the_article(
    store: SqlStore, clock: FakeClock, settings: Settings
) -> None:
    _, token = store.create_key(replace(GRANT, articles_per_day=5))
    limited = store.for_tenant("default", Quota(token.key_id, 5))
    claim = IdempotencyClaim("a-key", "f", lambda receipts: receipts[0].job_id)
    submit(limited, 3, idempotency=claim)
    with pytest.raises(QuotaExceededError) as refused:
        submit(limited, 3)
    assert (refused.value.quota, refused.value.left) == (5, 2)
    # The clock stands at 03:04:05.678901.
    assert refused.value.seconds == 20 * 3600 + 55 * 60 + 55
    # What was accepted before is answered again, and not counted again.
    assert submit(limited, 3, idempotency=claim) == ()
    submit(limited, 2)
    with pytest.raises(QuotaExceededError):
        submit(limited)
    # Without a quota, or on another day, there is room.
    submit(store)
    clock.advance(refused.value.seconds)
    submit(limited, 5)
    usage = everything(settings)["daily_usage"]
    assert [(row.tenant, row.articles) for row in usage] == [("default", 5)] * 2
    assert len(everything(settings)["jobs"]) == 3 + 2 + 1 + 5


def test_audit_events_and_daily_counts_go_when_told(
    store: SqlStore, clock: FakeClock, settings: Settings
) -> None:
    _, token = store.create_key(replace(GRANT, articles_per_day=9))
    for _ in range(3):
        submit(store.for_tenant("default", Quota(token.key_id, 9)), 2)
        clock.advance(86_400)
        store.rotate_key(token.key_id, grace=timedelta())

    def purge(days: int, limit: int = 100) -> int:
        return store.purge(tombstone_days=1000, audit_days=days, limit=limit)

    def kept() -> tuple[int, int]:
        return len(history(store)), len(everything(settings)["daily_usage"])

    # Days that were over 3, 2 and 1 days ago, less the hours of this one; events of 3, 2, 1, 0.
    assert (purge(0), kept()) == (0, (4, 3))
    clock.advance(-1)
    assert (purge(3), kept()) == (0, (4, 3))
    clock.advance(1)
    assert (purge(3), kept()) == (1, (3, 3))
    assert (purge(1, limit=1), kept()) == (2, (2, 2))
    assert (purge(1, limit=1), kept()) == (2, (1, 1))
    assert (purge(1, limit=1), kept()) == (0, (1, 1))
    # What is counted today stays counted, and the event that is left is the newest.
    [(kind, _, _)] = history(store)
    assert kind == "key.rotated"


def test_parallel_submissions_share_a_quota_exactly(store: SqlStore, settings: Settings) -> None:
    _, token = store.create_key(replace(GRANT, articles_per_day=5))
    limited = store.for_tenant("default", Quota(token.key_id, 5))
    together = Barrier(8)

    def one(_: int) -> bool:
        together.wait()
        try:
            submit(limited)
        except QuotaExceededError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        accepted = list(pool.map(one, range(8)))
    assert sum(accepted) == len(everything(settings)["jobs"]) == 5


def furnish(store: SqlStore, tenant: str) -> list[str]:
    """Give the tenant something in every table; the ids and words that are its alone."""
    key, token = store.create_key(replace(GRANT, tenant=tenant, name=f"Only-{tenant}"))
    _, gone = store.create_key(replace(GRANT, tenant=tenant, articles_per_day=100))
    store.revoke_key(gone.key_id)
    store.key_refused(gone.key_id, "revoked")
    view = store.for_tenant(tenant, Quota(gone.key_id, 100))
    url = f"https://hooks.example/{tenant}"
    article = make_article(f"The tiger of {tenant}.", source=f"Only-{tenant}")
    options = AnalysisOptions(targets=("tiger",), callback_url=url)
    claim = IdempotencyClaim(f"{tenant}-idempotency-key", "f", lambda _: "tiger")
    [receipt] = view.submit(
        [(article, options)], priority=Priority.BULK, idempotency=claim
    ).receipts
    held = store.claim(receipt.job_id, worker_id="w", lease=60)
    assert held is not None
    store.complete(held, {"found": "tiger"}, "p")
    [delivery] = view.deliveries(DeliveryFilter(), after=None, limit=9).deliveries
    sent = store.claim_delivery(delivery.id, lease=60)
    assert sent is not None
    store.attempted(sent, Attempt(status=410))
    [deleted] = submit(view)
    view.delete_article(deleted.article_id)
    [waiting] = submit(view)
    ids = [key.id, token.digest, gone.key_id, delivery.id, url, f"Only-{tenant}"]
    for one in (receipt, deleted, waiting):
        ids += [one.article_id, one.job_id]
    return [*ids, f"The tiger of {tenant}", f"{tenant}-idempotency-key"]


def everything(settings: Settings) -> dict[str, list[Any]]:
    """Every row of every table."""
    engine = create_engine(settings.database_url)
    with engine.connect() as connection:
        rows = {
            name: list(connection.execute(select(table)).all())
            for name, table in metadata.tables.items()
        }
    engine.dispose()
    return rows


def test_a_deleted_tenant_leaves_nothing_but_the_event_of_its_deletion(
    store: SqlStore, settings: Settings
) -> None:
    theirs = furnish(store, "theirs")
    before = everything(settings)
    for name, rows in before.items():
        # Otherwise this test would prove nothing about the table.
        assert rows or name == "workers", name
    for word in theirs:
        assert any(word in str(rows) for rows in before.values()), word
    others = furnish(store, "others")
    kept = everything(settings)

    store.delete_tenant("theirs")

    after = everything(settings)
    for name, rows in after.items():
        for word in theirs:
            assert word not in str(rows), f"{name} still has {word}"
        for row in rows:
            if getattr(row, "tenant", None) == "theirs" or row[0] == "theirs":
                assert name == "audit_events"
    [event] = [row for row in after["audit_events"] if row.tenant == "theirs"]
    assert (event.kind, event.actor, event.subject, event.detail) == (
        "tenant.deleted",
        "operator",
        "theirs",
        {},
    )
    # The other one has all that it had.
    for word in others:
        assert any(word in str(rows) for rows in after.values()), word
    for name, rows in kept.items():
        mine = [row for row in rows if getattr(row, "tenant", None) == "others"]
        assert mine == [row for row in after[name] if getattr(row, "tenant", None) == "others"]
    assert store.tenants() == ("default", "others")
    with pytest.raises(NotFoundError):
        store.delete_tenant("theirs")
    with pytest.raises(UnknownTenantError):
        submit(store.for_tenant("theirs"))


def test_deleting_the_default_tenant_leaves_its_name(store: SqlStore, settings: Settings) -> None:
    submit(store)
    store.create_key(replace(GRANT, tenant="others"))
    store.delete_tenant("default")
    assert everything(settings)["articles"] == []
    assert store.tenants() == ("default", "others")
    submit(store)


def test_the_last_keys_cannot_be_deleted_with_their_tenant(
    store: SqlStore, settings: Settings
) -> None:
    _, token = store.create_key(replace(GRANT, tenant="theirs"))
    submit(store.for_tenant("theirs"))
    store.revoke_key(token.key_id)
    with pytest.raises(StateConflictError, match="create a key for another tenant first"):
        store.delete_tenant("theirs")
    assert len(everything(settings)["articles"]) == 1
    store.create_key(GRANT)
    store.delete_tenant("theirs")
    assert everything(settings)["articles"] == []


def test_tenants_deleted_at_once_do_not_take_all_keys(store: SqlStore) -> None:
    for name in ("one", "two"):
        store.create_key(replace(GRANT, tenant=name))
    together = Barrier(2)

    def delete(name: str) -> bool:
        together.wait()
        try:
            store.delete_tenant(name)
        except StateConflictError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(delete, ("one", "two"))) == [False, True]
    assert store.has_keys()


def test_a_tenant_deleted_under_submissions_keeps_none_of_them(
    store: SqlStore, settings: Settings
) -> None:
    store.create_key(GRANT)
    store.create_key(replace(GRANT, tenant="theirs"))
    together = Barrier(5)

    def submit_until_refused(_: int) -> int:
        together.wait()
        for accepted in range(200):
            try:
                submit(store.for_tenant("theirs"))
            except UnknownTenantError:
                return accepted
        raise AssertionError("never refused")

    def delete(_: int) -> int:
        together.wait()
        store.delete_tenant("theirs")
        return 0

    with ThreadPoolExecutor(5) as pool:
        done = [pool.submit(submit_until_refused, number) for number in range(4)]
        done.append(pool.submit(delete, 0))
        for one in done:
            one.result()
    rows = everything(settings)
    assert (rows["articles"], rows["jobs"]) == ([], [])
