"""A real worker lets go of what is too old or too much, and of nothing that it still works on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from service.domain.errors import GoneError
from service.domain.job import JobState
from service.domain.ports import Receipt
from service.store import SqlStore
from tests.integration.processes import wait_for
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


def gone(store: SqlStore, receipt: Receipt) -> Callable[[], bool]:  # noqa: F811
    def is_gone() -> bool:
        try:
            store.article(receipt.article_id)
        except GoneError:
            return True
        return False

    return is_gone


@on_both
def test_a_worker_keeps_only_so_many(
    store: SqlStore,  # noqa: F811
    submit: Submit,  # noqa: F811
    start_worker: StartWorker,  # noqa: F811
) -> None:
    worker = start_worker(STANCEWIRE_RETENTION_ARTICLES="2", STANCEWIRE_RETENTION_INTERVAL="1")
    ended = []
    for _ in range(3):
        ended.append(submit())
        await_state(store, ended[-1], JobState.SUCCEEDED)
    running = submit("sleep 6")
    await_state(store, running, JobState.RUNNING)
    waiting = [submit() for _ in range(3)]
    wait_for(gone(store, ended[0]), 30, "the oldest expires")
    with pytest.raises(GoneError, match="expired"):
        store.job(ended[0].job_id)
    assert state(store, running) is JobState.RUNNING
    for receipt in (*ended[1:], *waiting):
        assert store.article(receipt.article_id).text == "hello"
    await_state(store, waiting[-1], JobState.SUCCEEDED)
    wait_for(gone(store, waiting[0]), 30, "it goes when more have ended")
    for receipt in waiting[1:]:
        assert store.analysis(receipt.article_id).pipeline_version == "fast-1"
    assert worker.said("expired 1 articles")
    assert not worker.said("retention failed")


def test_a_worker_keeps_everything_unless_told(
    store: SqlStore,  # noqa: F811
    submit: Submit,  # noqa: F811
    start_worker: StartWorker,  # noqa: F811
) -> None:
    worker = start_worker(STANCEWIRE_RETENTION_INTERVAL="1")
    receipts = [submit() for _ in range(3)]
    for receipt in receipts:
        await_state(store, receipt, JobState.SUCCEEDED)
    with pytest.raises(AssertionError, match="not within"):
        wait_for(lambda: any(gone(store, one)() for one in receipts), 4, "one expires")
    assert not worker.said("expired")
