"""From a job's end to a real receiver: API store, sweeper, broker, worker, HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest
from standardwebhooks import Webhook

from service.domain.article import AnalysisOptions
from service.domain.delivery import Delivery, DeliveryState
from service.domain.job import JobState, Priority
from service.domain.ports import DeliveryFilter, Receipt
from service.queueing.names import MAINTENANCE
from service.store import SqlStore
from tests.integration.conftest import make_article
from tests.integration.processes import Broker, wait_for
from tests.integration.test_worker import (  # noqa: F401 (fixtures)
    StartWorker,
    broker,
    database_url,
    doorbell,
    environment,
    on_both,
    settings,
    start_worker,
    store,
)
from tests.receiver import Receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SENDS = {
    "STANCEWIRE_WEBHOOK_SECRET": SECRET,
    "STANCEWIRE_WEBHOOK_ALLOW": "127.0.0.0/8",
    "STANCEWIRE_WEBHOOK_ALLOW_HTTP": "true",
}

Submit = Callable[[str, str], Receipt]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as started:
        yield started


@pytest.fixture
def submit(store: SqlStore) -> Submit:  # noqa: F811
    """Submit an article that asks for a webhook; the sweeper rings."""

    def one(text: str, url: str) -> Receipt:
        options = AnalysisOptions(callback_url=url)
        article = make_article(text)
        return store.submit([(article, options)], priority=Priority.BULK).receipts[0]

    return one


def delivery(store: SqlStore, receipt: Receipt) -> Delivery:  # noqa: F811
    wanted = DeliveryFilter(job_id=receipt.job_id)
    [found] = store.deliveries(wanted, after=None, limit=2).deliveries
    return found


@on_both
def test_ends_are_told_to_a_receiver(
    store: SqlStore,  # noqa: F811
    submit: Submit,
    start_worker: StartWorker,  # noqa: F811
    receiver: Receiver,
) -> None:
    receiver.script = [503, 204]
    worker = start_worker(**SENDS)
    succeeded = submit("hello", receiver.url(path="/good?token=hush"))
    wait_for(lambda: len(receiver.received) == 2, 60, "it is tried again after some seconds")
    failed = submit("permanent", receiver.url())
    wait_for(lambda: len(receiver.received) == 3, 60, "the failure is told")
    first, again, second = receiver.received
    assert first.path == again.path == "/good?token=hush"
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    assert int(first.headers["webhook-timestamp"]) < int(again.headers["webhook-timestamp"])
    for request, receipt, kind in (
        (again, succeeded, "job.succeeded"),
        (second, failed, "job.failed"),
    ):
        event = Webhook(SECRET).verify(request.body, request.headers)
        assert (event["type"], event["data"]["job_id"]) == (kind, receipt.job_id)
        wait_for(
            lambda receipt=receipt: delivery(store, receipt).state is DeliveryState.DELIVERED,  # type: ignore[misc]
            10,
            "it is noted",
        )
    assert delivery(store, succeeded).attempts == 2
    assert event["data"]["failure"]["code"] == "unreadable"
    assert not worker.said("hush")
    assert not worker.said(SECRET)


def test_workers_apart(
    store: SqlStore,  # noqa: F811
    submit: Submit,
    start_worker: StartWorker,  # noqa: F811
    broker: Broker,  # noqa: F811
    receiver: Receiver,
) -> None:
    """An inference worker that sends nothing, and one that does nothing but send."""
    start_worker("--queues", "interactive,bulk")
    receipt = submit("hello", receiver.url())
    wait_for(lambda: store.job(receipt.job_id).state is JobState.SUCCEEDED, 60, "it is done")
    time.sleep(2.5)
    assert delivery(store, receipt).attempts == 0
    with broker.client() as client:
        assert client.llen(MAINTENANCE) == 0
    assert len(store.live_workers(within=30)) == 1

    sending = start_worker("--queues", "maintenance", **SENDS, FAST_WORKER="unfit")
    wait_for(lambda: len(receiver.received) == 1, 60, "it is sent")
    assert json.loads(receiver.received[0].body)["data"]["job_id"] == receipt.job_id
    assert sending.said("ready: pipeline none")
    # It analyses nothing, so it does not make the service ready.
    assert len(store.live_workers(within=30)) == 1
    sending.ask_to_stop()
    assert sending.process.wait(40) == 0


def test_a_redirect_inside_and_a_url_inside_are_not_called(
    store: SqlStore,  # noqa: F811
    submit: Submit,
    start_worker: StartWorker,  # noqa: F811
    receiver: Receiver,
) -> None:
    # Only the first is on the allow-list: the other is another address of the same machine.
    with Receiver([302], {"Location": receiver.url()}) as redirecting:
        start_worker(**{**SENDS, "STANCEWIRE_WEBHOOK_ALLOW": "127.0.0.1/32"})
        redirected = submit("hello", redirecting.url())
        inside = submit("hello", receiver.url("127.0.0.2"))
        wait_for(lambda: store_has(store, inside), 60, "it is tried")
        wait_for(lambda: store_has(store, redirected), 60, "it is tried")
    assert delivery(store, redirected).last_status == 302
    refused = delivery(store, inside)
    assert (refused.state, refused.attempts) == (DeliveryState.FAILED, 1)
    assert refused.failure is not None
    assert refused.failure.code == "address_refused"
    assert receiver.connections == 0


def store_has(store: SqlStore, receipt: Receipt) -> bool:  # noqa: F811
    wanted = DeliveryFilter(job_id=receipt.job_id)
    found = store.deliveries(wanted, after=None, limit=1).deliveries
    return bool(found) and found[0].last_attempt_at is not None


def test_410_and_sending_again(
    store: SqlStore,  # noqa: F811
    submit: Submit,
    start_worker: StartWorker,  # noqa: F811
    receiver: Receiver,
) -> None:
    receiver.script = [410, 204]
    start_worker(**SENDS)
    first = submit("hello", receiver.url())
    wait_for(lambda: store_has(store, first), 60, "it is sent")
    second = submit("hello", receiver.url())
    wait_for(
        lambda: (
            store.job(second.job_id).state is JobState.SUCCEEDED
            and delivery(store, second).state is DeliveryState.DISABLED
        ),
        60,
        "the second is not sent",
    )
    assert len(receiver.received) == 1
    store.redeliver(delivery(store, first).id)
    wait_for(
        lambda: delivery(store, first).state is DeliveryState.DELIVERED, 60, "it is sent again"
    )
    one, again = receiver.received
    assert (one.headers["webhook-id"], one.body) == (again.headers["webhook-id"], again.body)
