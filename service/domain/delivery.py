"""A webhook delivery: one event, told to one URL, and how its attempts go on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from service.domain.job import Job, JobFailure, JobState

# Seconds between attempts, each six times the one before: seven attempts over thirteen hours. The
# first bridge a restart or a deployment of the receiver, the last an outage that began at night
# and is seen to in the morning. More would outlive the receiver's interest in a finished job.
RETRY_SECONDS: tuple[int, ...] = (5, 30, 180, 1_080, 6_480, 38_880)
MAX_ATTEMPTS = len(RETRY_SECONDS) + 1

# Each pause is stretched or shortened by up to this share, so that the deliveries that failed
# together while a receiver was away do not all come back at the same moment.
JITTER = 0.2


class EventType(StrEnum):
    """What a webhook can tell."""

    JOB_SUCCEEDED = "job.succeeded"
    JOB_FAILED = "job.failed"
    JOB_CANCELLED = "job.cancelled"


EVENT_OF_STATE = {
    JobState.SUCCEEDED: EventType.JOB_SUCCEEDED,
    JobState.FAILED: EventType.JOB_FAILED,
    JobState.CANCELLED: EventType.JOB_CANCELLED,
}


class DeliveryState(StrEnum):
    """Where a delivery stands. All but the first are final until it is sent again by request."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one URL. Its `id` is the `webhook-id` of every attempt."""

    id: str
    type: EventType
    job_id: str
    article_id: str
    url: str
    state: DeliveryState
    attempts: int
    created_at: datetime
    updated_at: datetime
    batch_id: str | None = None
    next_attempt_at: datetime | None = None
    last_attempt_at: datetime | None = None
    delivered_at: datetime | None = None
    last_status: int | None = None
    failure: JobFailure | None = None


@dataclass(frozen=True, slots=True)
class DeliveryClaim:
    """A worker's right to one attempt. `token` is the fencing token, `body` what is signed."""

    delivery: Delivery
    body: str
    token: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one attempt ended: the status that came, or why none did."""

    status: int | None = None
    failure: JobFailure | None = None
    permanent: bool = False

    @property
    def delivered(self) -> bool:
        """Whether the receiver has it: any 2xx says so, nothing else does."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether the receiver wants no more: 410, as Standard Webhooks asks."""
        return self.status == 410


def state_after(attempt: Attempt, attempts: int) -> DeliveryState:
    """The delivery's state after its attempt number `attempts` (from 1)."""
    if attempt.delivered:
        return DeliveryState.DELIVERED
    if attempt.gone:
        return DeliveryState.DISABLED
    if attempt.permanent or attempts >= MAX_ATTEMPTS:
        return DeliveryState.FAILED
    return DeliveryState.PENDING


def pause_after(attempts: int, chance: float) -> float:
    """Seconds until the next attempt after `attempts` failed ones; `chance` in [0, 1] spreads."""
    return RETRY_SECONDS[attempts - 1] * (1 + JITTER * (2 * chance - 1))


def event_body(job: Job) -> str:
    """The JSON of a finished job's event. It says where to look, never what an article says."""
    assert job.finished_at is not None
    failure = job.failure
    return json.dumps(
        {
            "type": EVENT_OF_STATE[job.state].value,
            "timestamp": job.finished_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "data": {
                "job_id": job.id,
                "article_id": job.article_id,
                "batch_id": job.batch_id,
                "state": job.state.value,
                "links": {
                    "job": f"/v1/jobs/{job.id}",
                    "article": f"/v1/articles/{job.article_id}",
                    "analysis": f"/v1/articles/{job.article_id}/analysis",
                },
                "failure": {"code": failure.code, "detail": failure.detail} if failure else None,
            },
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
