"""gunicorn's worker process: its listeners, its heartbeat and its signals around one loop."""

from __future__ import annotations

import logging
import os
import time
from typing import Any

from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.task import ThreadedTaskDispatcher

from service.serving.limits import Limits
from service.serving.server import Server
from service.settings import load_settings

_TURN_SECONDS = 1.0
# A stopping process ends soon after its last answer.
_LAST_TURNS_SECONDS = 0.2


class BufferingWorker(Worker):  # type: ignore[misc]
    """Takes in whole requests in one loop and has them answered by threads."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._servers: list[Server] = []
        # By file descriptor: listeners, connections and what wakes the loop.
        self._connections: dict[int, Any] = {}
        self._looked_after = 0.0

    def run(self) -> None:
        """Serve until gunicorn says otherwise or is gone, then for the grace period."""
        # More requests than threads is what it is for.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        limits = Limits.of(
            load_settings(),
            idle_seconds=self.cfg.keepalive,
            fields=self.cfg.limit_request_fields,
            connections=self.cfg.worker_connections,
            threads=self.cfg.threads,
        )
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.set_thread_count(limits.threads)
        self._servers = [
            Server(self.wsgi, listener.sock, limits, self._connections, dispatcher)
            for listener in self.sockets
        ]
        while self.alive and self.ppid == os.getppid():
            self._turn(_TURN_SECONDS)
        for server in self._servers:
            server.stop_accepting()
        deadline = time.monotonic() + self.cfg.graceful_timeout
        while time.monotonic() < deadline and any(s.active_channels for s in self._servers):
            self._turn(_LAST_TURNS_SECONDS)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM: stop after the requests at hand."""
        super().handle_exit(sig, frame)
        for server in self._servers:
            server.pull_trigger()

    def _turn(self, seconds: float) -> None:
        self.notify()
        wasyncore.loop(timeout=seconds, use_poll=True, map=self._connections, count=1)
        now = time.monotonic()
        if now - self._looked_after >= min(_TURN_SECONDS, seconds):
            self._looked_after = now
            for server in self._servers:
                server.look_after(now)
