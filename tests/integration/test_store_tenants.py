"""One tenant never sees, changes or collides with what is another's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from service.domain.article import AnalysisOptions
from service.domain.delivery import Attempt, DeliveryState
from service.domain.errors import (
    GoneError,
    NotFoundError,
    UnknownTenantError,
)
from service.domain.job import Priority
from service.domain.ports import DeliveryFilter, IdempotencyClaim, JobFilter, Receipt
from service.store import SqlStore
from tests.integration.conftest import make_article

HOOK = "https://hooks.example/same"
HOOKED = AnalysisOptions(callback_url=HOOK)


@pytest.fixture
def theirs(store: SqlStore) -> SqlStore:
    """The store as another tenant sees it."""
    store.add_tenant("theirs")
    return store.for_tenant("theirs")


def submit(store: SqlStore, options: AnalysisOptions = HOOKED, **more: Any) -> Receipt:
    return store.submit([(make_article(), options)], priority=Priority.BULK, **more).receipts[0]


def finish(store: SqlStore, receipt: Receipt) -> None:
    claim = store.claim(receipt.job_id, worker_id="w", lease=60)
    assert claim is not None
    store.complete(claim, {"stances": []}, "p")


def test_what_is_anothers_is_not_found(store: SqlStore, theirs: SqlStore) -> None:
    receipt = submit(theirs)
    finish(store, receipt)
    [delivery] = theirs.deliveries(DeliveryFilter(), after=None, limit=9).deliveries
    reads: list[Callable[[SqlStore], object]] = [
        lambda view: view.article(receipt.article_id),
        lambda view: view.latest_job(receipt.article_id),
        lambda view: view.analysis(receipt.article_id),
        lambda view: view.job(receipt.job_id),
        lambda view: view.delivery(delivery.id),
    ]
    writes: list[Callable[[SqlStore], object]] = [
        lambda view: view.cancel(receipt.job_id),
        lambda view: view.retry(receipt.job_id),
        lambda view: view.redeliver(delivery.id),
        lambda view: view.delete_article(receipt.article_id),
    ]
    for ask in (*reads, *writes):
        with pytest.raises(NotFoundError):
            ask(store)
    for ask in reads:
        ask(theirs)
    assert theirs.delivery(delivery.id) == delivery
    theirs.delete_article(receipt.article_id)
    for ask in reads:
        # Deleted is a word that only its owner hears.
        with pytest.raises(NotFoundError):
            ask(store)
        with pytest.raises(GoneError):
            ask(theirs)


def test_lists_have_only_ones_own(store: SqlStore, theirs: SqlStore) -> None:
    mine, other = submit(store, batch_id="b"), submit(theirs, batch_id="b")
    for receipt in (mine, other):
        finish(store, receipt)
    for view, receipt in ((store, mine), (theirs, other)):
        for wanted in (JobFilter(), JobFilter(batch_id="b")):
            jobs = view.jobs(wanted, after=None, limit=9).jobs
            assert [job.id for job in jobs] == [receipt.job_id]
        told = view.deliveries(DeliveryFilter(url=HOOK), after=None, limit=9).deliveries
        assert [one.job_id for one in told] == [receipt.job_id]
    assert store.jobs(JobFilter(article_id=other.article_id), after=None, limit=9).jobs == ()


def test_an_idempotency_key_is_ones_own(store: SqlStore, theirs: SqlStore) -> None:
    def claim(fingerprint: str) -> IdempotencyClaim:
        return IdempotencyClaim("the-same", fingerprint, lambda receipts: receipts[0].job_id)

    mine = submit(store, idempotency=claim("one"))
    other = submit(theirs, idempotency=claim("another"))
    for view, fingerprint, receipt in ((store, "one", mine), (theirs, "another", other)):
        again = view.submit(
            [(make_article(), HOOKED)], priority=Priority.BULK, idempotency=claim(fingerprint)
        )
        assert again.replayed_body == receipt.job_id


def test_a_disabled_callback_is_disabled_for_its_tenant_alone(
    store: SqlStore, theirs: SqlStore
) -> None:
    def state_after(view: SqlStore, status: int) -> DeliveryState | None:
        receipt = submit(view)
        finish(store, receipt)
        wanted = DeliveryFilter(job_id=receipt.job_id)
        [delivery] = view.deliveries(wanted, after=None, limit=9).deliveries
        claim = store.claim_delivery(delivery.id, lease=60)
        if claim is None:
            return view.delivery(delivery.id).state
        return store.attempted(claim, Attempt(status=status))

    assert state_after(theirs, 410) is DeliveryState.DISABLED
    assert state_after(theirs, 200) is DeliveryState.DISABLED
    assert state_after(store, 410) is DeliveryState.DISABLED
    # Enabled again by one tenant, the other still wants none.
    [first] = store.deliveries(DeliveryFilter(), after=None, limit=9).deliveries
    store.redeliver(first.id)
    assert state_after(store, 200) is DeliveryState.DELIVERED
    assert state_after(theirs, 200) is DeliveryState.DISABLED


def test_nothing_is_written_for_a_tenant_that_is_not(store: SqlStore) -> None:
    with pytest.raises(UnknownTenantError):
        submit(store.for_tenant("nobody"))
    with pytest.raises(UnknownTenantError):
        store.for_tenant("nobody").delete_article("a")
