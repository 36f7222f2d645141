"""A worker's `/metrics`: a process of its own beside the pool, on the loopback interface.

The worker's parent forks whenever a pool process is lost, so it must have no thread; the pool
processes come and go. This one is forked before either and only reads the files in which they
keep their figures.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context

from billiard import current_process
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from service.settings import Settings, host_and_port
from service.telemetry import shared_figures
from workers.errors import WorkerStartError

# A client that says nothing is dropped after this.
_CLIENT_SECONDS = 5


@contextmanager
def exposed(settings: Settings) -> Iterator[None]:
    """Answer `/metrics` within the block, if the settings say where. To be entered before the
    pool exists. Raises `WorkerStartError` when the address is not free."""
    if not settings.metrics_bind:
        yield
        return
    listener = _listener(settings.metrics_bind)
    folder = shared_figures.share(_pool_slot)
    process = get_context("fork").Process(
        target=_serve, args=(listener, os.getpid()), name="metrics", daemon=True
    )
    process.start()
    listener.close()
    try:
        yield
    finally:
        process.terminate()
        process.join()
        shutil.rmtree(folder, ignore_errors=True)


def _pool_slot() -> int:
    """The place in the pool: a process that takes the place of a lost one counts on from its
    figures, and there are never more files than places. Process ids would leave files for ever."""
    slot = getattr(current_process(), "index", None)
    return -1 if slot is None else int(slot)


def _listener(bind: str) -> socket.socket:
    host, port = host_and_port(bind)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as err:
        raise WorkerStartError(f"cannot listen on STANCEWIRE_METRICS_BIND {bind}: {err}") from err


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, listener: socket.socket, parent: int) -> None:
        super().__init__(listener.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self._parent = parent

    def service_actions(self) -> None:
        """Called twice a second: a worker that was killed takes its figures along."""
        if os.getppid() != self._parent:
            shutil.rmtree(os.environ[shared_figures.FOLDER], ignore_errors=True)
            os._exit(0)


class _Handler(BaseHTTPRequestHandler):
    timeout = _CLIENT_SECONDS

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(404)
            return
        registry = shared_figures.shared_registry()
        assert registry is not None
        body = generate_latest(registry)
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE_PLAIN_0_0_4)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """A line every few seconds would say nothing."""


def _serve(listener: socket.socket, parent: int) -> None:
    # Ctrl-C goes to the whole group; this process ends after the jobs have.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _Server(listener, parent).serve_forever()
