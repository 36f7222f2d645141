"""The lease keeper renews while a stage runs, and says when there is nothing left to renew."""

from __future__ import annotations

import time

import pytest
from worker_fakes import MemoryStore, a_job

from service.domain.errors import LeaseLostError
from service.domain.job import Stage
from service.domain.ports import Claim
from workers.lease import LeaseKeeper


def claim_of(store: MemoryStore) -> Claim:
    claim = store.claim("j1", worker_id="w", lease=1)
    assert claim is not None
    return claim


def wait_until(condition: object) -> None:
    assert callable(condition)
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_it_renews_within_a_long_stage_and_stops_afterwards() -> None:
    store = MemoryStore(a_job())
    with LeaseKeeper(store, claim_of(store), lease=1) as keeper:
        keeper.enter(Stage.STANCE)
        wait_until(lambda: len(store.stages) >= 3)
    renewed = len(store.stages)
    assert set(store.stages) == {Stage.STANCE}
    time.sleep(0.5)
    assert len(store.stages) == renewed


def test_a_stage_does_not_begin_without_a_lease() -> None:
    store = MemoryStore(a_job())
    with LeaseKeeper(store, claim_of(store), lease=1) as keeper:
        store.lost = True
        with pytest.raises(LeaseLostError):
            keeper.enter(Stage.STANCE)


def test_a_lease_lost_meanwhile_is_known_at_the_next_stage() -> None:
    store = MemoryStore(a_job())
    with LeaseKeeper(store, claim_of(store), lease=1) as keeper:
        store.lost = True
        wait_until(lambda: keeper._lost)
        store.lost = False
        with pytest.raises(LeaseLostError):
            keeper.enter(Stage.STANCE)


def test_a_database_that_is_away_does_not_end_the_job() -> None:
    store = MemoryStore(a_job(), away=0)
    with LeaseKeeper(store, claim_of(store), lease=1) as keeper:
        store.away = 2
        keeper.enter(Stage.SEGMENT)
        wait_until(lambda: store.stages)
    assert store.stages[0] is Stage.SEGMENT
