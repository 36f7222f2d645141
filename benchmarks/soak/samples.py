"""What each part of a running stack takes, now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median
from threading import Event, Thread

import psutil

from benchmarks.soak.stack import Stack

Points = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Sample:
    """One part at one moment; of several processes the mean."""

    seconds: float
    processes: int
    megabytes: float
    # Proportional: what processes share is counted once.
    total_pss_megabytes: float
    files: float
    threads: float


@dataclass
class Sampler:
    """Looks at every part again and again, in a thread of its own."""

    stack: Stack
    every: float
    began: float
    # What else to look at: name → megabytes.
    also: dict[str, Callable[[], float]]
    parts: dict[str, list[Sample]] = field(default_factory=dict)
    # Process ids of each part, of all times.
    seen: dict[str, set[int]] = field(default_factory=dict)
    others: dict[str, Points] = field(default_factory=dict)
    _stop: Event = field(default_factory=Event)
    _thread: Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        self._thread = Thread(target=self._run, name="sampler", daemon=True)
        self._thread.start()

    def is_alive(self) -> bool:
        """Whether it still looks."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            self.look()
            due += self.every

    def look(self) -> None:
        """Take one sample of everything."""
        now = time.monotonic() - self.began
        for part, processes in self.stack.processes().items():
            sample = _sample(now, processes)
            if sample is not None:
                self.parts.setdefault(part, []).append(sample)
                self.seen.setdefault(part, set()).update(found.pid for found in processes)
        for name, measure in self.also.items():
            self.others.setdefault(name, []).append((now, measure()))


def _sample(now: float, processes: list[psutil.Process]) -> Sample | None:
    found = []
    for process in processes:
        try:
            resident, proportional = _memory(process.pid)
            found.append((resident, proportional, process.num_fds(), process.num_threads()))
        except (psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):
            # It ended in between: that its place is taken by another is counted by its id.
            continue
    if not found:
        return None
    residents, proportionals, files, threads = zip(*found, strict=True)
    return Sample(
        seconds=now,
        processes=len(found),
        megabytes=fmean(residents) / 1e6,
        total_pss_megabytes=sum(proportionals) / 1e6,
        files=fmean(files),
        threads=fmean(threads),
    )


def _memory(pid: int) -> tuple[int, int]:
    """Resident and proportional bytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {
        name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)
    }
    return sizes["Rss"] * 1024, sizes["Pss"] * 1024


def by_minute(points: Points) -> Points:
    """(Minute, the median of its values)."""
    minutes: dict[int, list[float]] = {}
    for seconds, value in points:
        minutes.setdefault(int(seconds // 60), []).append(value)
    return [(minute, median(values)) for minute, values in sorted(minutes.items())]
