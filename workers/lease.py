"""Keeping a claim alive while its job runs."""

from __future__ import annotations

import logging
from contextvars import copy_context
from functools import partial
from threading import Event, Lock, Thread
from types import TracebackType

from service.domain.errors import LeaseLostError, StoreUnavailableError
from service.domain.job import Stage
from service.domain.ports import Claim, WorkerStore

log = logging.getLogger(__name__)

# Two renewals may fail before the lease is gone.
RENEWALS_A_LEASE = 3


class LeaseKeeper:
    """Renews a claim's lease from a thread while the `with` block runs.

    A stage can take longer than a lease, so renewing as each stage begins is not enough.
    """

    def __init__(self, store: WorkerStore, claim: Claim, *, lease: int) -> None:
        self.claim = claim
        self._store = store
        self._lease = lease
        self._stage = Stage.CLEAN
        self._lock = Lock()
        self._ended = Event()
        self._lost = False
        # Its log lines belong to the same request and job.
        run = partial(copy_context().run, self._keep)
        self._thread = Thread(target=run, name=f"lease-{claim.job.id}", daemon=True)

    def __enter__(self) -> LeaseKeeper:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def enter(self, stage: Stage) -> None:
        """Record that a stage begins. Raises `LeaseLostError` when the claim is no longer valid:
        the job was cancelled or deleted, or another worker has it."""
        if self._lost:
            raise LeaseLostError(f"job {self.claim.job.id}: the lease was lost")
        self._stage = stage
        self._renew()

    def _renew(self) -> None:
        try:
            with self._lock:
                self._store.renew(self.claim, stage=self._stage, lease=self._lease)
        except StoreUnavailableError as err:
            # The database may be back before the lease is over; if not, the token decides.
            log.warning("job %s: lease not renewed: %s", self.claim.job.id, err)

    def _keep(self) -> None:
        while not self._ended.wait(self._lease / RENEWALS_A_LEASE):
            try:
                self._renew()
            except LeaseLostError:
                self._lost = True
                return
