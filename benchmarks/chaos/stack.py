"""The processes of a run: a broker, an API of several processes, several workers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import psutil

from benchmarks.chaos.mines import FOLDER
from benchmarks.machine import ROOT
from tests.integration.processes import Broker, wait_for

START_SECONDS = 120.0
# What a supervisor would do: look now and then, start again what ended.
SUPERVISE_SECONDS = 0.5


class Part:
    """One command in a process group of its own, started again whenever it ends."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], log: Path):
        self.name = name
        self.starts = 0
        # How often it ended although nobody ended it.
        self.gave_up = 0
        self._meant_to_end = 0
        self._command = command
        self._environment = environment
        self._log = log
        self._start()

    def _start(self) -> None:
        with self._log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self._command],
                cwd=ROOT,
                env={**os.environ, **self._environment},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.starts += 1

    def supervise(self) -> None:
        """Start it again if it has ended."""
        if self.process.poll() is not None:
            self.gave_up += self.process.pid != self._meant_to_end
            # A container takes the children of a killed parent with it.
            self.signal_group(signal.SIGKILL)
            self._start()

    def children(self) -> list[int]:
        """Pids of the processes that do the work, oldest first."""
        try:
            return sorted(child.pid for child in psutil.Process(self.process.pid).children())
        except psutil.NoSuchProcess:
            return []

    def signal_group(self, number: int) -> None:
        """Signal the command and its children."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def end(self, number: int) -> None:
        """Signal a command that is meant to end of it: SIGTERM goes to the parent alone."""
        self._meant_to_end = self.process.pid
        if number == signal.SIGTERM:
            with suppress(ProcessLookupError):
                self.process.send_signal(number)
        else:
            self.signal_group(number)

    def said(self, words: str) -> int:
        """How often the log has these words."""
        return self._log.read_text(errors="replace").count(words)

    def stop(self, seconds: float) -> int | None:
        """SIGTERM; the exit code, or `None` when it had to be killed after `seconds`."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        self.signal_group(signal.SIGCONT)
        self.signal_group(signal.SIGKILL)
        self.process.wait(10)


class Stack:
    """Everything but the database."""

    def __init__(self, folder: Path, database_url: str, *, workers: int, api_processes: int):
        self.folder = folder
        self.broker = Broker()
        self.port = free_port()
        self.settings = {
            "STANCEWIRE_DATABASE_URL": database_url,
            "STANCEWIRE_BROKER_URL": self.broker.url,
            "STANCEWIRE_API_PROCESSES": str(api_processes),
            # A killed worker costs seconds here, not minutes.
            "STANCEWIRE_LEASE": "3",
            "STANCEWIRE_SWEEP_INTERVAL": "1",
            "STANCEWIRE_REDELIVER_AFTER": "1",
            "STANCEWIRE_WORKER_HEARTBEAT": "2",
            "STANCEWIRE_MAX_ATTEMPTS": "5",
            "STANCEWIRE_SOFT_TIME_LIMIT": "20",
            "STANCEWIRE_HARD_TIME_LIMIT": "30",
            "STANCEWIRE_VISIBILITY_TIMEOUT": "60",
            FOLDER: str(folder),
        }
        self.api: Part | None = None
        self.workers: list[Part] = []
        self._wanted = workers

    def start(self) -> None:
        """Start API and workers and wait until they answer."""
        gunicorn = ["gunicorn", "-c", "python:service.gunicorn_conf"]
        self.api = Part(
            "api",
            [*gunicorn, "--bind", f"127.0.0.1:{self.port}", "benchmarks.chaos.wsgi"],
            self.settings,
            self.folder / "api.log",
        )
        for number in range(self._wanted):
            self.workers.append(
                Part(
                    f"worker-{number}",
                    ["benchmarks.chaos.worker"],
                    self.settings,
                    self.folder / f"worker-{number}.log",
                )
            )
        wait_for(self._answers, START_SECONDS, "the API answers")
        for worker in self.workers:
            wait_for(lambda w=worker: w.said("ready: pipeline"), START_SECONDS, "a worker starts")  # type: ignore[misc]

    def supervise(self) -> None:
        """Start again what ended."""
        assert self.api is not None
        for part in (self.api, *self.workers):
            part.supervise()

    def stop(self) -> None:
        """End everything, however it stands."""
        for part in (*self.workers, *([self.api] if self.api else [])):
            part.kill()
        with suppress(AssertionError, ProcessLookupError):
            os.kill(self.broker.pid, signal.SIGCONT)
        self.broker.stop()

    def peak_memory(self) -> dict[str, Any]:
        """Resident megabytes of the broker now."""
        return {"broker_mb": round(psutil.Process(self.broker.pid).memory_info().rss / 1e6, 1)}

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/livez")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            time.sleep(0.2)
            return False
        finally:
            connection.close()


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
