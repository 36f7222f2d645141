"""The figures of the API, and what it reads from the store when Prometheus asks.

Names end as Prometheus's conventions ask: `_total` counts, `_seconds` and plain nouns measure.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from service.domain.delivery import DeliveryState
from service.domain.errors import StoreUnavailableError
from service.domain.job import JobState, Priority
from service.domain.ports import DeliveryFigures, Doorbell, ServiceStore, StoreFigures
from service.queueing.names import QUEUE_OF_PRIORITY
from service.telemetry.shared_figures import shared_registry

log = logging.getLogger(__name__)

# Callers may send any word as a method: each would be a figure of its own.
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

# From a lookup (milliseconds) to the longest `Prefer: wait` (60 s).
_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0)

_OPEN = (JobState.QUEUED, JobState.RUNNING)


class ApiMetrics:
    """What one process has done. Safe to share between threads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "stancewire_http_requests",
            "Requests answered, by method, route and status.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "stancewire_http_request_seconds",
            "Seconds from a request's arrival to its answer.",
            ["method", "route"],
            buckets=_REQUEST_SECONDS,
            registry=self.registry,
        )
        self._queued = Counter(
            "stancewire_jobs_queued",
            "Jobs queued for new articles and for retries, by queue.",
            ["queue"],
            registry=self.registry,
        )
        self._unrung = Counter(
            "stancewire_doorbell_failures",
            "Jobs that the broker did not take when they were queued: the sweeper rings.",
            ["queue"],
            registry=self.registry,
        )
        for queue in QUEUE_OF_PRIORITY.values():
            # From zero, so that the first one is an increase.
            self._queued.labels(queue)
            self._unrung.labels(queue)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def queued(self, priority: Priority, *, jobs: int, rung: int) -> None:
        """Jobs were stored, and the broker took the messages of `rung` of them."""
        queue = QUEUE_OF_PRIORITY[priority]
        self._queued.labels(queue).inc(jobs)
        self._unrung.labels(queue).inc(jobs - rung)

    def exposition(self, store: ServiceStore, doorbell: Doorbell, *, workers_within: int) -> bytes:
        """Everything as Prometheus's text format 0.0.4: of all processes of this API, and of broker
        and database as they are now. One that is away is a figure too, not an error."""
        figures = generate_latest(shared_registry() or self.registry)
        read = CollectorRegistry()
        read.register(_BrokerCollector(doorbell))
        read.register(_StoreCollector(store, workers_within))
        return figures + generate_latest(read)


class _BrokerCollector(Collector):
    def __init__(self, doorbell: Doorbell) -> None:
        self._doorbell = doorbell

    def describe(self) -> Iterable[Metric]:
        # Otherwise registering would ask the broker a first time, only for the name.
        return []

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("stancewire_broker_up", "1 when the broker answers, else 0.")
        up.add_metric([], int(self._doorbell.ping()))
        yield up


class _StoreCollector(Collector):
    def __init__(self, store: ServiceStore, workers_within: int) -> None:
        self._store = store
        self._workers_within = workers_within

    def describe(self) -> Iterable[Metric]:
        # Otherwise registering would read the store a first time, only for the names.
        return []

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("stancewire_database_up", "1 when the database answers, else 0.")
        try:
            figures = self._store.figures(workers_within=self._workers_within)
        except StoreUnavailableError as err:
            log.error("no figures from the store: %s", err)
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from _queues(figures)
        yield from _others(figures)
        yield from _webhooks(figures.deliveries)


def _queues(figures: StoreFigures) -> Iterator[Metric]:
    """Every queue and state has its value, zero when there are no jobs, so that an alert can tell
    an empty queue from figures that are missing."""
    labels = ["queue", "state"]
    jobs = GaugeMetricFamily("stancewire_jobs", "Open jobs, by queue and state.", labels=labels)
    oldest = GaugeMetricFamily(
        "stancewire_oldest_job_seconds",
        "How long the longest waiting job is queued; running: since the last sign of life.",
        labels=labels,
    )
    outbox = GaugeMetricFamily(
        "stancewire_outbox_jobs", "Queued jobs that the broker has not taken.", labels=["queue"]
    )
    lag = GaugeMetricFamily(
        "stancewire_outbox_lag_seconds",
        "How long the oldest of them waits for the broker.",
        labels=["queue"],
    )
    overdue = GaugeMetricFamily(
        "stancewire_overdue_leases",
        "Running jobs whose worker was silent for longer than the lease.",
        labels=["queue"],
    )
    found = {(line.priority, line.state): line for line in figures.queues}
    for priority, queue in QUEUE_OF_PRIORITY.items():
        for state in _OPEN:
            line = found.get((priority, state))
            jobs.add_metric([queue, state.value], line.jobs if line else 0)
            oldest.add_metric([queue, state.value], line.oldest if line else 0)
        queued = found.get((priority, JobState.QUEUED))
        running = found.get((priority, JobState.RUNNING))
        outbox.add_metric([queue], queued.unrung if queued else 0)
        lag.add_metric([queue], (queued.oldest_unrung or 0.0) if queued else 0)
        overdue.add_metric([queue], running.overdue if running else 0)
    yield from (jobs, oldest, outbox, lag, overdue)


def _others(figures: StoreFigures) -> Iterator[Metric]:
    workers = GaugeMetricFamily(
        "stancewire_live_workers", "Worker processes with a recent heartbeat, of all versions."
    )
    workers.add_metric([], sum(figures.workers.values()))
    yield workers
    versions = GaugeMetricFamily(
        "stancewire_pipeline_workers",
        "Live worker processes by the pipeline version that they run.",
        labels=["pipeline_version"],
    )
    for version, number in sorted(figures.workers.items()):
        versions.add_metric([version], number)
    yield versions
    failures = GaugeMetricFamily(
        "stancewire_recent_failures",
        "Jobs that failed within the last hour, by the code of the failure.",
        labels=["code"],
    )
    for code, number in sorted(figures.failures.items()):
        failures.add_metric([code], number)
    yield failures


def _webhooks(figures: DeliveryFigures) -> Iterator[Metric]:
    deliveries = GaugeMetricFamily(
        "stancewire_webhook_deliveries",
        "Webhook deliveries that have not arrived, by state.",
        labels=["state"],
    )
    deliveries.add_metric([DeliveryState.PENDING.value], figures.pending)
    deliveries.add_metric([DeliveryState.FAILED.value], figures.failed)
    deliveries.add_metric([DeliveryState.DISABLED.value], figures.disabled)
    yield deliveries
    overdue = GaugeMetricFamily(
        "stancewire_webhook_overdue_seconds",
        "How long the longest due webhook delivery has been due.",
    )
    overdue.add_metric([], figures.overdue)
    yield overdue
