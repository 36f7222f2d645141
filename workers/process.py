"""One pool process: its models, its database connections, its heartbeat, its sweeper and
its retention."""

from __future__ import annotations

import os
import socket

from service.domain.ports import WorkerInfo
from service.queueing import BrokerDoorbell, open_doorbell
from service.settings import Settings
from service.store import SqlStore, open_store, utc_now
from service.telemetry.traces import open_traces
from workers.metrics import WorkerMetrics
from workers.no_pipeline import NoPipeline
from workers.periodic import Periodic
from workers.pipeline import Analyser
from workers.retention import let_go
from workers.sender import Sender
from workers.sweeper import sweep, sweep_deliveries


class WorkerProcess:
    """Everything here begins after the fork: neither threads nor SQLite's locks nor ONNX
    sessions survive one. Heartbeat and sweeper live here too, so that the parent process, which
    forks again whenever a child is lost, never has a thread or a database open.
    """

    def __init__(self, settings: Settings, pipeline: Analyser) -> None:
        self.settings = settings
        self.pipeline = pipeline
        self.id = f"{socket.gethostname()}:{os.getpid()}"
        self.store: SqlStore = open_store(settings)
        self.doorbell: BrokerDoorbell = open_doorbell(settings)
        self.sender = Sender(settings.callback_policy)
        self.metrics = WorkerMetrics()
        self.traces = open_traces(settings, "worker")
        self._started_at = utc_now()
        self._periodic = [
            Periodic("sweeper", settings.sweep_interval, self._sweep),
            Periodic("retention", settings.retention_interval, self._let_go),
        ]
        if pipeline.version != NoPipeline.version:
            # A process that analyses nothing must not make `/readyz` say that somebody does.
            self._periodic.append(Periodic("heartbeat", settings.worker_heartbeat, self._beat))

    def start(self) -> None:
        """Begin to beat and to sweep."""
        for periodic in self._periodic:
            periodic.start()

    def stop(self) -> None:
        """Say goodbye."""
        for periodic in self._periodic:
            periodic.stop()
        self.store.worker_gone(self.id)
        self.store.close()
        self.traces.close()

    def _beat(self) -> None:
        self.store.worker_seen(
            WorkerInfo(
                id=self.id,
                pipeline_version=self.pipeline.version,
                models=self.pipeline.models,
                started_at=self._started_at,
                seen_at=utc_now(),
            )
        )

    def _sweep(self) -> None:
        self.metrics.rung_again(sweep(self.store, self.doorbell, self.settings))
        sweep_deliveries(self.store, self.doorbell, self.settings)

    def _let_go(self) -> None:
        self.metrics.expired(let_go(self.store, self.settings))
