"""Something that a process does again and again beside its work."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from threading import Event, Thread

from service.domain.errors import StoreUnavailableError

log = logging.getLogger(__name__)


class Periodic:
    """A daemon thread that calls `act` now and then every `seconds`, give or take a fifth, so
    that workers started together do not all act together."""

    def __init__(self, name: str, seconds: float, act: Callable[[], object]) -> None:
        self._seconds = seconds
        self._act = act
        self._stopped = Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin with a first call."""
        self._thread.start()

    def stop(self) -> None:
        """No further call begins."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._act()
            except StoreUnavailableError as err:
                log.warning("%s: %s", self._thread.name, err)
            # A thread that ended would end all redelivery, silently: it says so and goes on.
            except Exception:
                log.exception("%s failed", self._thread.name)
            self._stopped.wait(self._seconds * random.uniform(0.8, 1.2))  # noqa: S311 (no secret)
