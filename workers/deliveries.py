"""The task that sends one webhook: claim, sign, send, record."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import Protocol

from celery.exceptions import SoftTimeLimitExceeded

from service.domain.delivery import Attempt
from service.domain.errors import StoreUnavailableError
from service.domain.job import JobFailure
from service.domain.ports import DeliveryStore
from service.domain.signature import signed_headers, signing_keys
from service.settings import Settings
from service.store import utc_now
from workers.metrics import WorkerMetrics

log = logging.getLogger(__name__)

# An attempt has its own time limits (see `workers/sender.py`), well below these, which end what
# should never happen. The lease is longer than the hard limit: a delivery is not tried again while
# the attempt before may still be on its way.
SOFT_SECONDS = 40
HARD_SECONDS = 50
LEASE_SECONDS = 60


class Poster(Protocol):
    """Sends one body to one URL and says how it went; raises nothing."""

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> Attempt: ...


class DeliveryContext(Protocol):
    """What the task needs of its process."""

    @property
    def settings(self) -> Settings: ...
    @property
    def store(self) -> DeliveryStore: ...
    @property
    def sender(self) -> Poster: ...
    @property
    def metrics(self) -> WorkerMetrics: ...


def deliver(context: DeliveryContext, delivery_id: str) -> None:
    """Make one attempt if the delivery is due. Whatever goes wrong here, the sweeper rings again
    when the lease has run out."""
    keys = signing_keys(context.settings.webhook_secret)
    if not keys:
        log.error("delivery %s not sent: this worker has no webhook secret", delivery_id)
        return
    try:
        claim = context.store.claim_delivery(delivery_id, lease=LEASE_SECONDS)
        if claim is None:
            log.info("delivery %s: nothing to do", delivery_id)
            return
        headers = signed_headers(keys, claim.delivery.id, utc_now(), claim.body)
        began = perf_counter()
        try:
            attempt = context.sender.post(claim.delivery.url, claim.body.encode(), headers)
        except SoftTimeLimitExceeded:
            attempt = Attempt(failure=JobFailure("timeout", "no answer in time"))
        seconds = perf_counter() - began
        state = context.store.attempted(claim, attempt)
    except StoreUnavailableError as err:
        log.warning("delivery %s: %s", delivery_id, err)
        return
    context.metrics.webhook(attempt, state, seconds)
    # Not the URL: many carry a token in it.
    log.info(
        "delivery %s: attempt %d, status %s%s: %s",
        delivery_id,
        claim.delivery.attempts,
        attempt.status,
        f" ({attempt.failure.code})" if attempt.failure else "",
        state or "taken by another",
    )
