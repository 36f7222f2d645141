"""What is done to the stack, in an order that the seed decides."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from threading import Event, Thread

import psutil
from redis.exceptions import RedisError

from benchmarks.chaos import mines
from benchmarks.chaos.databases import PostgresServer, SqliteFile
from benchmarks.chaos.stack import SUPERVISE_SECONDS, Part, Stack
from benchmarks.chaos.worker import CLOCK
from service.store.engine import SQLITE_BUSY_SECONDS

MINES_AT_ONCE = 3
# Longer than the lease of the run: another worker takes the job over.
LONGEST_PAUSE = 5.0
CLOCK_JUMP = 8.0


class Faults:
    """A thread that disturbs the stack until told to stop, and one that restarts what ended."""

    def __init__(
        self,
        stack: Stack,
        database: SqliteFile | PostgresServer,
        *,
        seed: int,
        gap: float,
        rounds: int | None,
    ) -> None:
        self.done: Counter[str] = Counter()
        self._stack = stack
        self._database = database
        self._chance = random.Random(seed)
        self._gap = gap
        self._rounds = rounds
        self._ended = Event()
        self._healed = Event()
        self._kinds: dict[str, Callable[[], None]] = {
            "worker child killed": self._kill_child,
            "worker killed": self._kill_worker,
            "worker paused": self._pause_worker,
            "worker asked to stop": self._stop_worker,
            "worker mines": self._mine_workers,
            "more worker mines": self._mine_workers,
            "api mines": self._mine_api,
            "api child killed": self._kill_api_child,
            "broker restarted": self._restart_broker,
            "broker paused": self._pause_broker,
            "broker emptied": self._empty_broker,
            "broker filled": self._fill_broker,
            "broker connections cut": self._cut_broker,
            "database disturbed": self._disturb_database,
            "clock jumped": self._jump,
        }
        self._threads = [Thread(target=self._run), Thread(target=self._supervise)]

    def kinds(self) -> set[str]:
        """The names of everything that can happen."""
        return set(self._kinds)

    def over(self) -> bool:
        """Whether all rounds have been played."""
        return not self._threads[0].is_alive()

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """No more faults; the one under way is undone first."""
        self._ended.set()
        self._threads[0].join()
        self.done["mines unexploded"] = mines.sweep(self._stack.folder)
        (self._stack.folder / CLOCK).write_text("0")

    def retire(self) -> None:
        """No more restarts either."""
        self._ended.set()
        self._healed.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _run(self) -> None:
        for kind in self._order():
            if self._ended.wait(self._chance.uniform(0.2, 1.0) * self._gap):
                return
            self._kinds[kind]()
            self.done[kind] += 1

    def _order(self) -> Iterator[str]:
        """Every kind once in random order; so many rounds, or again and again."""
        for _ in count() if self._rounds is None else range(self._rounds):
            deck = sorted(self._kinds)
            self._chance.shuffle(deck)
            yield from deck

    def _supervise(self) -> None:
        while not self._healed.wait(SUPERVISE_SECONDS):
            self._stack.supervise()

    def _wait(self, shortest: float, longest: float) -> None:
        self._ended.wait(self._chance.uniform(shortest, longest))

    def _worker(self) -> Part:
        return self._chance.choice(self._stack.workers)

    def _kill_child(self) -> None:
        for child in self._worker().children()[:1]:
            _kill(child)

    def _kill_worker(self) -> None:
        self._worker().end(signal.SIGKILL)

    def _pause_worker(self) -> None:
        worker = self._worker()
        worker.signal_group(signal.SIGSTOP)
        self._wait(0.5, LONGEST_PAUSE)
        worker.signal_group(signal.SIGCONT)

    def _stop_worker(self) -> None:
        self._worker().end(signal.SIGTERM)

    def _mine_workers(self) -> None:
        for point in self._chance.sample(mines.WORKER_POINTS, MINES_AT_ONCE):
            mines.lay(self._stack.folder, point)

    def _mine_api(self) -> None:
        for point in mines.API_POINTS:
            mines.lay(self._stack.folder, point)

    def _kill_api_child(self) -> None:
        assert self._stack.api is not None
        children = self._stack.api.children()
        if children:
            _kill(self._chance.choice(children))

    def _restart_broker(self) -> None:
        self._stack.broker.stop()
        self._wait(0.1, 3.0)
        self._stack.broker.start()

    def _pause_broker(self) -> None:
        pid = self._stack.broker.pid
        os.kill(pid, signal.SIGSTOP)
        self._wait(0.5, LONGEST_PAUSE)
        os.kill(pid, signal.SIGCONT)

    def _empty_broker(self) -> None:
        with suppress(RedisError):
            self._stack.broker.empty()

    def _fill_broker(self) -> None:
        with suppress(RedisError), self._stack.broker.client() as client:
            client.config_set("maxmemory", 1)
            self._wait(0.5, 3.0)
            client.config_set("maxmemory", 0)

    def _cut_broker(self) -> None:
        with suppress(RedisError), self._stack.broker.client() as client:
            for _ in range(self._chance.randint(1, 5)):
                client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                time.sleep(0.1)

    def _disturb_database(self) -> None:
        self._database.disturb(self._chance.uniform(0.2, SQLITE_BUSY_SECONDS + 1))

    def _jump(self) -> None:
        offset = self._chance.uniform(-CLOCK_JUMP, CLOCK_JUMP)
        (self._stack.folder / CLOCK).write_text(f"{offset:.3f}")


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError, psutil.NoSuchProcess):
        os.kill(pid, signal.SIGKILL)
