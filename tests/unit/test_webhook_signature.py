"""Signatures, as the library of Standard Webhooks sees them, and the rules of the attempts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError
from worker_fakes import a_job

from service.domain.delivery import (
    JITTER,
    MAX_ATTEMPTS,
    RETRY_SECONDS,
    Attempt,
    DeliveryState,
    event_body,
    pause_after,
    state_after,
)
from service.domain.job import FINAL_STATES, JobFailure, JobState
from service.domain.signature import signature, signed_headers, signing_keys

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
BODY = '{"test": 2432232314, "word": "Grüße"}'


def test_the_library_verifies_what_we_sign() -> None:
    headers = signed_headers(signing_keys(SECRET), "msg_1", datetime.now(UTC), BODY)
    assert set(headers) == {"webhook-id", "webhook-timestamp", "webhook-signature"}
    assert Webhook(SECRET).verify(BODY.encode(), headers) == json.loads(BODY)
    for changed in (
        {**headers, "webhook-id": "msg_2"},
        {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)},
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(BODY.encode(), changed)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY.replace("1", "2").encode(), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(BODY.encode(), headers)


def test_the_specification_s_own_example() -> None:
    body = '{"test": 2432232314}'
    made = signature(signing_keys(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_both_secrets_sign_while_they_are_changed() -> None:
    headers = signed_headers(signing_keys(f"{OTHER} {SECRET}"), "m", datetime.now(UTC), BODY)
    for secret in (SECRET, OTHER):
        assert Webhook(secret).verify(BODY.encode(), headers)
    assert signing_keys("") == ()


@pytest.mark.parametrize("state", sorted(FINAL_STATES))
def test_an_event_says_where_to_look_and_not_what_is_there(state: JobState) -> None:
    end = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
    failure = JobFailure("busy", "something") if state is JobState.FAILED else None
    event = json.loads(event_body(a_job(state=state, finished_at=end, failure=failure)))
    assert event == {
        "type": f"job.{state}",
        "timestamp": "2026-01-05T09:30:00Z",
        "data": {
            "job_id": "j1",
            "article_id": "a1",
            "batch_id": None,
            "state": str(state),
            "links": {
                "job": "/v1/jobs/j1",
                "article": "/v1/articles/a1",
                "analysis": "/v1/articles/a1/analysis",
            },
            "failure": {"code": "busy", "detail": "something"} if failure else None,
        },
    }


@pytest.mark.parametrize(
    ("attempt", "attempts", "state"),
    [
        (Attempt(status=200), 1, DeliveryState.DELIVERED),
        (Attempt(status=299), MAX_ATTEMPTS, DeliveryState.DELIVERED),
        (Attempt(status=302), 1, DeliveryState.PENDING),
        (Attempt(status=404), 1, DeliveryState.PENDING),
        (Attempt(status=410), 1, DeliveryState.DISABLED),
        (Attempt(status=500), MAX_ATTEMPTS - 1, DeliveryState.PENDING),
        (Attempt(status=500), MAX_ATTEMPTS, DeliveryState.FAILED),
        (Attempt(failure=JobFailure("timeout", "")), 1, DeliveryState.PENDING),
        (Attempt(failure=JobFailure("address_refused", ""), permanent=True), 1, "failed"),
    ],
)
def test_what_follows_an_attempt(attempt: Attempt, attempts: int, state: DeliveryState) -> None:
    assert state_after(attempt, attempts) is DeliveryState(state)


def test_the_pauses_grow_over_hours_and_spread() -> None:
    assert all(later >= 3 * sooner for sooner, later in pairwise(RETRY_SECONDS))
    assert timedelta(hours=6) < timedelta(seconds=sum(RETRY_SECONDS)) < timedelta(hours=48)
    for attempts, seconds in enumerate(RETRY_SECONDS, start=1):
        assert pause_after(attempts, 0.5) == pytest.approx(seconds)
        assert pause_after(attempts, 0.0) == pytest.approx(seconds * (1 - JITTER))
        assert pause_after(attempts, 1.0) == pytest.approx(seconds * (1 + JITTER))
