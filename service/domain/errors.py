"""What can go wrong between a caller and the store; `service/problems.py` gives each its status."""

from __future__ import annotations


class StancewireError(Exception):
    """Base of the errors that callers are told about."""


class NotFoundError(StancewireError):
    """No such id."""


class GoneError(StancewireError):
    """The id existed and was deleted or has expired; the message says which."""


class StateConflictError(StancewireError):
    """The job's state does not allow what was asked (cancel a finished job, say)."""


class AnalysisNotReadyError(StancewireError):
    """The article has no analysis yet; `job_id` and `state` say where its job stands."""

    def __init__(self, job_id: str, state: str) -> None:
        super().__init__(f"job {job_id} is {state}")
        self.job_id = job_id
        self.state = state


class IdempotencyMismatchError(StancewireError):
    """The Idempotency-Key was used before with another request body."""


class IdempotencyInFlightError(StancewireError):
    """A request with this Idempotency-Key is still being answered."""


class QueueFullError(StancewireError):
    """So many jobs are queued that no more are accepted; nothing was written."""


class QuotaExceededError(StancewireError):
    """The key may submit no more articles today than `left` of its `quota`; nothing was written.
    `seconds` until the next day begins."""

    def __init__(self, quota: int, left: int, seconds: int) -> None:
        super().__init__(f"{left} of {quota} articles are left today")
        self.quota = quota
        self.left = left
        self.seconds = seconds


class UnknownTenantError(StancewireError):
    """There is no such tenant, or no longer."""


class StoreUnavailableError(StancewireError):
    """The database cannot be reached or does not answer; nothing was written."""


class LeaseLostError(StancewireError):
    """A worker's claim is no longer valid: lease ran out, job cancelled or article deleted."""
