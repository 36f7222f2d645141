"""What every route needs: the settings and the two ports."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import BoundedSemaphore

from flask import current_app, g

from service.access import Access
from service.domain.errors import StoreUnavailableError
from service.domain.job import Job
from service.domain.key import Caller
from service.domain.ports import ApiStore, Doorbell, ServiceStore
from service.extraction.page_reader import PageReader
from service.metrics import ApiMetrics
from service.settings import Settings
from service.telemetry.traces import NoTraces

EXTENSION = "stancewire"

# A request that waits holds a server thread. This many may wait at once in one process, half of
# its threads (see gunicorn_conf.py); any more are answered 202 at once, as RFC 7240 allows.
MAX_WAITING = 8

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.25


@dataclass(frozen=True, slots=True)
class Context:
    """One application's settings and ports."""

    settings: Settings
    stores: ServiceStore
    doorbell: Doorbell
    waiting: BoundedSemaphore
    metrics: ApiMetrics
    traces: NoTraces
    pages: PageReader
    access: Access

    @property
    def store(self) -> ApiStore:
        """The store as the caller's tenant sees it, and nothing beside that."""
        caller: Caller = g.admission.caller
        return self.stores.for_tenant(caller.tenant, caller.quota)

    def wait_for(self, job_id: str, seconds: float) -> Job:
        """The job when it is final, or as it stands after `seconds` (or at once when too many
        requests wait already)."""
        job = self.store.job(job_id)
        if not self.waiting.acquire(blocking=False):
            return job
        try:
            deadline = time.monotonic() + seconds
            pause = _FIRST_PAUSE
            while not job.state.is_final:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                time.sleep(min(pause, left))
                pause = min(pause * 1.5, _LONGEST_PAUSE)
                try:
                    job = self.store.job(job_id)
                except StoreUnavailableError:
                    # The article is accepted; a database that stumbles now must not unsay that.
                    break
            return job
        finally:
            self.waiting.release()


def context() -> Context:
    """The running application's context."""
    found = current_app.extensions[EXTENSION]
    assert isinstance(found, Context)
    return found
