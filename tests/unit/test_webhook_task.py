"""The task that sends a webhook and the sweep that rings for it, over a store in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from standardwebhooks import Webhook
from worker_fakes import NOW

from service.domain.delivery import Attempt, Delivery, DeliveryClaim, DeliveryState, EventType
from service.domain.errors import StoreUnavailableError
from service.queueing.names import DELIVER, MAINTENANCE
from service.settings import Settings, load_settings
from workers import sender
from workers.celery_app import create_app
from workers.deliveries import HARD_SECONDS, LEASE_SECONDS, SOFT_SECONDS, deliver
from workers.metrics import WEBHOOK_OUTCOMES, WorkerMetrics
from workers.no_pipeline import NoPipeline
from workers.sweeper import SWEEP_LIMIT, sweep_deliveries

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SETTINGS = replace(load_settings(), webhook_secret=SECRET)
BODY = '{"type":"job.succeeded"}'


@dataclass
class Deliveries:
    """A `DeliveryStore` of one delivery."""

    free: bool = True
    away: bool = False
    outcome: Attempt | None = None
    # What an attempt ends in.
    then: DeliveryState | None = DeliveryState.DELIVERED
    waiting: tuple[str, ...] = ()
    rung: list[str] = field(default_factory=list)
    asked: dict[str, int] = field(default_factory=dict)

    def claim_delivery(self, delivery_id: str, *, lease: int) -> DeliveryClaim | None:
        if self.away:
            raise StoreUnavailableError("away")
        if not self.free:
            return None
        self.free = False
        delivery = Delivery(
            id=delivery_id,
            type=EventType.JOB_SUCCEEDED,
            job_id="j1",
            article_id="a1",
            url="https://hooks.example/?token=hush",
            state=DeliveryState.PENDING,
            attempts=1,
            created_at=NOW,
            updated_at=NOW,
        )
        return DeliveryClaim(delivery, BODY, 1)

    def attempted(self, claim: DeliveryClaim, attempt: Attempt) -> DeliveryState | None:
        self.outcome = attempt
        return self.then

    def due_deliveries(self, *, redeliver_after: int, limit: int) -> tuple[str, ...]:
        self.asked = {"redeliver_after": redeliver_after, "limit": limit}
        return self.waiting[:limit]

    def deliveries_rung(self, delivery_ids: Any) -> None:
        self.rung += delivery_ids


@dataclass
class Poster:
    """Keeps what it is given; raises what it is told to."""

    error: BaseException | None = None
    posts: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> Attempt:
        self.posts.append((url, body, headers))
        if self.error is not None:
            raise self.error
        return Attempt(status=204)


@dataclass
class Context:
    store: Deliveries = field(default_factory=Deliveries)
    sender: Poster = field(default_factory=Poster)
    settings: Settings = SETTINGS
    metrics: WorkerMetrics = field(default_factory=WorkerMetrics)

    def figure(self, name: str, **labels: str) -> float | None:
        found: float | None = self.metrics.registry.get_sample_value(name, labels)
        return found


def test_a_due_delivery_is_signed_sent_and_recorded(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    context = Context()
    deliver(context, "d1")
    [(url, body, headers)] = context.sender.posts
    assert url == "https://hooks.example/?token=hush"
    assert headers["webhook-id"] == "d1"
    assert Webhook(SECRET).verify(body, headers) == {"type": "job.succeeded"}
    assert context.store.outcome == Attempt(status=204)
    assert "delivery d1" in caplog.text
    assert "hush" not in caplog.text
    assert SECRET not in caplog.text


def test_a_delivery_that_is_not_due_is_left_alone() -> None:
    context = Context(Deliveries(free=False))
    deliver(context, "d1")
    assert context.sender.posts == []


def test_without_the_secret_nothing_is_claimed() -> None:
    context = Context(settings=load_settings())
    deliver(context, "d1")
    assert context.store.free
    assert context.sender.posts == []


def test_a_database_that_is_away_ends_the_task_only() -> None:
    context = Context(Deliveries(away=True))
    deliver(context, "d1")
    assert context.sender.posts == []


def test_the_soft_limit_is_a_time_out() -> None:
    context = Context(sender=Poster(SoftTimeLimitExceeded()))
    deliver(context, "d1")
    assert context.store.outcome is not None
    assert context.store.outcome.failure is not None
    assert context.store.outcome.failure.code == "timeout"


@pytest.mark.parametrize("state", WEBHOOK_OUTCOMES)
def test_each_attempt_has_one_outcome(state: DeliveryState | None) -> None:
    context = Context(Deliveries(then=state))
    deliver(context, "d1")
    for outcome in WEBHOOK_OUTCOMES.values():
        found = context.figure("stancewire_webhook_attempts_total", outcome=outcome)
        assert found == (outcome == WEBHOOK_OUTCOMES[state])
    assert context.figure("stancewire_webhook_seconds_count") == 1


def test_a_failed_attempt_is_counted_by_its_code() -> None:
    context = Context(Deliveries(then=DeliveryState.PENDING), Poster(SoftTimeLimitExceeded()))
    deliver(context, "d1")
    assert context.figure("stancewire_webhook_attempts_total", outcome="retried") == 1
    assert context.figure("stancewire_webhook_failures_total", code="timeout") == 1


def test_what_is_not_attempted_is_not_counted() -> None:
    context = Context(Deliveries(free=False))
    deliver(context, "d1")
    assert context.figure("stancewire_webhook_seconds_count") == 0
    assert context.figure("stancewire_webhook_attempts_total", outcome="delivered") == 0


def test_the_limits_of_an_attempt_fit_together() -> None:
    longest = (
        sender.LOOKUP_SECONDS
        + sender.MAX_ADDRESSES * sender.CONNECT_SECONDS
        + sender.ANSWER_SECONDS
    )
    assert longest < SOFT_SECONDS < HARD_SECONDS < LEASE_SECONDS
    app, _ = create_app(load_settings(), NoPipeline)
    task = app.tasks[DELIVER]
    assert (task.soft_time_limit, task.time_limit) == (SOFT_SECONDS, HARD_SECONDS)
    assert MAINTENANCE in app.amqp.queues


@dataclass
class Bell:
    queued: int | None = 0
    takes: int = 1000
    heard: list[str] = field(default_factory=list)

    def ring_delivery(self, delivery_id: str) -> bool:
        if len(self.heard) >= self.takes:
            return False
        self.heard.append(delivery_id)
        return True

    def waiting_deliveries(self) -> int | None:
        return self.queued


def test_the_sweeper_rings_for_what_is_due_and_notes_what_was_taken() -> None:
    store, bell = Deliveries(waiting=("d1", "d2", "d3")), Bell(takes=2)
    assert sweep_deliveries(store, bell, SETTINGS) == 2
    assert bell.heard == store.rung == ["d1", "d2"]


@pytest.mark.parametrize("queued", [None, SWEEP_LIMIT, SWEEP_LIMIT + 1])
def test_a_full_queue_or_an_absent_broker_is_not_rung_at(queued: int | None) -> None:
    store, bell = Deliveries(waiting=("d1",)), Bell(queued)
    assert sweep_deliveries(store, bell, SETTINGS) == 0
    assert bell.heard == []


def test_the_queue_never_grows_beyond_the_limit() -> None:
    store = Deliveries(waiting=tuple(map(str, range(SWEEP_LIMIT))))
    assert sweep_deliveries(store, Bell(SWEEP_LIMIT - 3), SETTINGS) == 3
    assert store.asked["redeliver_after"] > SETTINGS.redeliver_after


def test_a_process_without_the_secret_does_not_ring() -> None:
    store, bell = Deliveries(waiting=("d1",)), Bell()
    assert sweep_deliveries(store, bell, load_settings()) == 0
    assert bell.heard == []
