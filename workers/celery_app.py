"""The Celery application: every limit with its reason."""

from __future__ import annotations

import logging
import os
import resource
import signal
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from threading import Timer
from typing import Any

from celery import Celery, signals
from celery.worker.consumer import Consumer
from kombu.connection import Connection

from service.queueing.names import ANALYSE, DELIVER, INTERACTIVE, declared_queues
from service.settings import Settings
from service.telemetry import logs
from workers.deliveries import HARD_SECONDS, SOFT_SECONDS, deliver
from workers.message import delivered
from workers.pipeline import AnalyserClass, Pipeline
from workers.process import WorkerProcess
from workers.tasks import analyse

log = logging.getLogger(__name__)

# After SIGTERM running jobs may take this long to finish; then they are handed back. Container
# runtimes kill after 30 seconds.
GRACE_SECONDS = 20.0

# Seconds between attempts to reach a broker that is away. Celery's own grow to 30 seconds
# (kombu `Connection.ensure_connection`); work must resume within ten.
RECONNECT_SECONDS = 2.0

# A worker waits on a socket at most this long. Without a limit a publish or a restore on a dead
# connection blocks for ever, and with it the event loop (celery/celery#4627).
SOCKET_SECONDS = 5.0

# The blocking read is checked this often, so that a half-open connection is noticed in about
# twice this time instead of never (celery/celery#10205, celery/celery#8030).
HEALTH_SECONDS = 4

# A child opens three models before it says that it is up; Celery's four seconds would kill it
# on a loaded machine, over and over.
CHILD_START_SECONDS = 60.0

# Leaks of native code that the memory ceiling would take long to notice end here.
MAX_JOBS_A_CHILD = 2_000

# A process above its memory ceiling is replaced after its job; one that asks for this many times
# the ceiling within a job is refused the memory, so that the job fails and not the machine.
MEMORY_IN_A_JOB = 2


class SteadyConsumer(Consumer):  # type: ignore[misc]  # Celery has no types
    """Celery's consumer, but it never waits long before it tries to reach the broker again, and
    a message that could not be acknowledged makes it reach for the broker at once.

    Celery only logs the latter (kombu `Message.ack_log_error`). The message then counts as being
    worked on for ever, and a worker that takes one at a time never asks for another: it looks
    well and does nothing (packit/packit-service#2697).
    """

    def call_soon_ack(self, p: Callable[..., None], *args: Any, **kwargs: Any) -> Any:
        """Acknowledge or reject a message, or connect anew."""
        message = getattr(p, "__self__", None)

        def acknowledge(*args: Any, **kwargs: Any) -> None:
            p(*args, **kwargs)
            if message is not None and not message.acknowledged:
                raise ConnectionResetError("a message could not be acknowledged")

        return super().call_soon_ack(acknowledge, *args, **kwargs)

    def ensure_connected(self, conn: Connection) -> Connection:
        """Wait for the broker, for ever if need be."""
        steady: Any = conn
        steady.ensure_connection = partial(
            conn.ensure_connection,
            interval_start=RECONNECT_SECONDS,
            interval_step=0,
            interval_max=RECONNECT_SECONDS,
        )
        super().ensure_connected(conn)
        return conn


class Pool:
    """What the parent process and the pool processes share across the fork."""

    def __init__(self, settings: Settings, pipeline: AnalyserClass) -> None:
        self._settings = settings
        self._pipeline = pipeline
        self.process: WorkerProcess | None = None
        # Set by a child that cannot start: the parent then ends with an error.
        self.broken = get_context("fork").Event()
        self._worker: Any = None

    def connect(self) -> None:
        """Hook into the worker's life. Celery keeps weak references: `self` keeps the methods."""
        # A receiver here keeps Celery from setting up logging its own way.
        signals.setup_logging.connect(self._set_up_logging, weak=False)
        signals.worker_process_init.connect(self.child_started, weak=False)
        signals.worker_process_shutdown.connect(self.child_stopped, weak=False)
        signals.celeryd_init.connect(self._remember, weak=False)
        signals.worker_shutting_down.connect(self.parent_stopping, weak=False)

    def child_started(self, **_: object) -> None:
        """After the fork: open models and database, begin to beat and to sweep."""
        try:
            self.process = WorkerProcess(self._settings, self._pipeline.load(self._settings))
        # Celery would log the error, keep the child and fail every job in it.
        except Exception:
            log.critical("this worker process cannot start", exc_info=True)
            self.broken.set()
            os.kill(os.getppid(), signal.SIGTERM)
            os._exit(1)
        limit = resource.getrlimit(resource.RLIMIT_DATA)[1]
        wanted = MEMORY_IN_A_JOB * self._settings.worker_memory
        if limit == resource.RLIM_INFINITY or wanted < limit:
            resource.setrlimit(resource.RLIMIT_DATA, (wanted, limit))
        self.process.start()
        log.info("ready: pipeline %s", self.process.pipeline.version)

    def child_stopped(self, **_: object) -> None:
        """A child ends in good order."""
        if self.process is not None:
            self.process.stop()

    def parent_stopping(self, **_: object) -> None:
        """SIGTERM came: give the running jobs their time, then have them handed back."""
        timer = Timer(GRACE_SECONDS, self._end_children)
        timer.daemon = True
        timer.start()

    def _set_up_logging(self, **_: object) -> None:
        logs.configure(self._settings.log_level)

    def _remember(self, instance: Any, **_: object) -> None:
        self._worker = instance

    def _end_children(self) -> None:
        log.warning("handing back what is still running after %s seconds", GRACE_SECONDS)
        for child in list(self._worker.pool._pool._pool):
            os.kill(child.pid, signal.SIGTERM)


def create_app(
    settings: Settings, pipeline: AnalyserClass = Pipeline
) -> tuple[Celery, Callable[[], bool]]:
    """The application of this worker, and whether a child of it could not start."""
    app = Celery("stancewire", set_as_current=False)
    app.conf.update(
        broker_url=settings.broker_url,
        broker_transport_options={
            # After this time the broker hands an unacknowledged message to another worker. It is
            # above the hard limit (the settings check that), or a long job would be delivered
            # again while it runs (celery/celery#5935).
            "visibility_timeout": settings.visibility_timeout,
            "socket_timeout": SOCKET_SECONDS,
            "socket_connect_timeout": SOCKET_SECONDS,
            "socket_keepalive": True,
            "health_check_interval": HEALTH_SECONDS,
            # Always in the order in which they are declared: an article that somebody waits for
            # goes before any number of those in batches. kombu would take turns.
            "queue_order_strategy": "priority",
        },
        broker_connection_timeout=SOCKET_SECONDS,
        # A worker outlives its broker, at start and later; it never gives up.
        broker_connection_retry=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # A broker without memory refuses even the receipt of a message. Celery takes that for a
        # programming error and ends the worker, unless told that it passes.
        broker_channel_error_retry=True,
        worker_consumer="workers.celery_app:SteadyConsumer",
        # Jobs that run when the connection is lost go on: the claim, not the message, decides.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        # Only queues that we declare: a typing error must not make one that nobody reads.
        task_queues=declared_queues(),
        task_default_queue=INTERACTIVE,
        task_create_missing_queues=False,
        # The database holds the results. A result backend would be a second truth.
        task_ignore_result=True,
        result_backend=None,
        # Job ids only; pickle would run what a stranger puts into the broker.
        task_serializer="json",
        accept_content=["json"],
        # A message is acknowledged when its job has ended, and goes back when its process was
        # killed. Celery warns of endless loops (celery/celery#3541 and the manual): here the
        # claim counts the attempts, and a job that kills its workers fails in the end.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        # One job at a time: a message that waits behind a long job is a job that nobody else takes.
        worker_prefetch_multiplier=1,
        # The soft limit lets the job fail with its reason; the hard one kills what does not listen.
        task_soft_time_limit=settings.soft_time_limit,
        task_time_limit=settings.hard_time_limit,
        worker_concurrency=settings.worker_processes,
        worker_proc_alive_timeout=CHILD_START_SECONDS,
        worker_max_tasks_per_child=MAX_JOBS_A_CHILD,
        # Kilobytes, checked after each task: a leak ends here instead of in the kernel's killer.
        worker_max_memory_per_child=settings.worker_memory // 1_000,
        # Remote control needs fanout connections, which are what most often fails to come back
        # after a broker restart (celery/celery#8030 ends in pidbox). Workers report by database.
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_redirect_stdouts=False,
    )
    pool = Pool(settings, pipeline)
    pool.connect()

    # shared=False: a task of this app alone, which a second app of the process does not inherit.
    @app.task(name=ANALYSE, bind=True, shared=False)  # type: ignore[untyped-decorator]
    def run(task: Any, job_id: str) -> None:
        assert pool.process is not None
        with delivered(pool.process.traces, vars(task.request), job_id):
            analyse(pool.process, job_id)

    @app.task(  # type: ignore[untyped-decorator]
        name=DELIVER, shared=False, soft_time_limit=SOFT_SECONDS, time_limit=HARD_SECONDS
    )
    def send(delivery_id: str) -> None:
        assert pool.process is not None
        deliver(pool.process, delivery_id)

    return app, pool.broken.is_set
