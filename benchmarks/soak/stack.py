"""The processes of a soak: a broker, an API of two processes, one worker, with default limits."""

from __future__ import annotations

import base64
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil

from benchmarks.chaos.stack import START_SECONDS, Part, free_port
from tests.integration.processes import Broker, wait_for

API_PROCESSES = 2
WORKER = "workers"
FAST_WORKER = "tests.integration.fast_worker"
# Signs what goes to a receiver of the run's own.
_SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


class Stack:
    """Everything but the database. Nothing here is restarted: what ends is a fault."""

    def __init__(self, folder: Path, database_url: str, *, fast: bool) -> None:
        self.broker = Broker()
        self.port, self.metrics_port = free_port(), free_port()
        self._folder = folder
        self._worker_module = FAST_WORKER if fast else WORKER
        self._settings = {
            "STANCEWIRE_DATABASE_URL": database_url,
            "STANCEWIRE_BROKER_URL": self.broker.url,
            "STANCEWIRE_API_PROCESSES": str(API_PROCESSES),
            "STANCEWIRE_METRICS_BIND": f"127.0.0.1:{self.metrics_port}",
            "STANCEWIRE_WEBHOOK_SECRET": _SECRET,
            "STANCEWIRE_WEBHOOK_ALLOW": "127.0.0.1/32",
            "STANCEWIRE_WEBHOOK_ALLOW_HTTP": "true",
            # One core keeps pace with twenty articles a minute.
            "STANCEWIRE_PROFILE": "fast",
        }
        self._parts: list[Part] = []

    def start(self) -> None:
        """Start API and worker and wait until both are ready."""
        gunicorn = ["gunicorn", "-c", "python:service.gunicorn_conf"]
        bind = f"127.0.0.1:{self.port}"
        self._parts = [
            Part(
                "api", [*gunicorn, "--bind", bind, "service.wsgi"], self._settings, self._log("api")
            ),
            Part("worker", [self._worker_module], self._settings, self._log("worker")),
        ]
        wait_for(self._ready, START_SECONDS, "API and worker are ready")

    def ended(self) -> list[str]:
        """Names of the commands that have ended by themselves."""
        return [part.name for part in self._parts if part.process.poll() is not None]

    def processes(self) -> dict[str, list[psutil.Process]]:
        """The processes of each part that live now."""
        api, worker = (psutil.Process(part.process.pid) for part in self._parts)
        serving = _children(api)
        # The process that answers `/metrics` is forked before the pool.
        exposing, *pool = _children(worker)
        return {
            "API, parent": [api],
            "API, serving": serving,
            "API, page readers": [reader for found in serving for reader in _children(found)],
            "worker, parent": [worker],
            "worker, inference": pool,
            "worker, metrics": [exposing],
            "broker": [psutil.Process(self.broker.pid)],
        }

    def broker_megabytes(self) -> float:
        """What the broker says that its data and buffers take."""
        with self.broker.client() as client:
            return float(client.info("memory")["used_memory"]) / 1e6

    def stop(self) -> list[str]:
        """Ask API and worker to end; a sentence for each that did not end as it should."""
        faults = []
        for part in reversed(self._parts):
            code = part.stop(40)
            if code != 0:
                faults.append(f"{part.name}, asked to stop, ended with {code}")
        return faults

    def kill(self) -> None:
        """End everything, however it stands."""
        for part in self._parts:
            part.kill()
        self.broker.stop()

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _ready(self) -> bool:
        if ended := self.ended():
            raise AssertionError(f"ended at its start: {', '.join(ended)}; logs: {self._folder}")
        connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


def _children(process: psutil.Process) -> list[psutil.Process]:
    """Oldest first."""
    return sorted(process.children(), key=lambda child: (child.create_time(), child.pid))
