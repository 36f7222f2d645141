"""One run: submit, disturb, let it settle, count."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.chaos.account import Account, account, open_jobs, signatures
from benchmarks.chaos.databases import database
from benchmarks.chaos.faults import Faults
from benchmarks.chaos.stack import Stack
from benchmarks.chaos.submitters import Request, Submitters, requests_of
from service.settings import load_settings
from service.store import migrate

# Faults end when this share of the jobs is left, so that a run ends.
LEFT = 0.02
# After the last fault: leases run out, brokers are found again, jobs are rung for and run.
SETTLE_SECONDS = 120.0
LIMIT_SECONDS = 3600.0
API_PROCESSES = 2
CALLERS = 4
PROBES_A_WORKER = 8
PROBE_SECONDS = 60.0
STOP_SECONDS = 40.0

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does."""

    jobs: int
    seed: int
    database: str
    workers: int
    rate: float
    gap: float
    # How often every kind of fault happens; `None`: as long as there are jobs.
    rounds: int | None = None


def run(plan: Plan, folder: Path, tell: Tell = lambda line: None) -> Account:
    """Run the plan with logs and database in `folder`; the account says how it ended."""
    with database(plan.database, folder) as opened:
        migrate(replace(load_settings(), database_url=opened.url))
        stack = Stack(folder, opened.url, workers=plan.workers, api_processes=API_PROCESSES)
        faults = Faults(stack, opened, seed=plan.seed, gap=plan.gap, rounds=plan.rounds)
        callers = Submitters(
            stack.port, requests_of(plan.jobs, random.Random(plan.seed)), plan.rate
        )
        try:
            stack.start()
            began = time.monotonic()
            callers.start(CALLERS)
            faults.start()
            _until_nearly_done(plan, opened.watch_url, callers, faults, began, tell)
            faults.stop()
            disturbed = time.monotonic() - began
            settled = _settle(opened.watch_url, callers, tell)
            result = account(opened.watch_url, callers.accepted)
            result.figures |= {
                "faults": dict(sorted(faults.done.items())),
                "mines_exploded": _explosions(folder),
                "starts": {part.name: part.starts for part in stack.workers},
                "disturbed_seconds": round(disturbed, 1),
                "settled_seconds": round(settled, 1),
                "jobs_a_second": round(plan.jobs / (disturbed + settled), 1),
                "refusals_to_callers": dict(callers.troubles),
                "slowest_request_seconds": round(callers.slowest, 2),
            }
            if missing := faults.kinds() - set(faults.done):
                result.figures["faults_not_reached"] = sorted(missing)
            result.faults += [
                f"{part.name} ended {part.gave_up} times by itself"
                for part in (stack.api, *stack.workers)
                if part is not None and part.gave_up
            ]
            result.faults += _stuck_workers(stack, opened.watch_url)
            faults.retire()
            result.faults += _unwilling_to_stop(stack)
        finally:
            faults.retire()
            stack.stop()
    return result


def _until_nearly_done(
    plan: Plan, url: str, callers: Submitters, faults: Faults, began: float, tell: Tell
) -> None:
    told = began
    while time.monotonic() - began < LIMIT_SECONDS:
        time.sleep(0.5)
        if faults.over():
            return
        left = open_jobs(url)
        if callers.done() and left <= plan.jobs * LEFT and not faults.kinds() - set(faults.done):
            return
        if time.monotonic() - told > 10:
            told = time.monotonic()
            tell(
                f"{told - began:5.0f} s: {len(callers.accepted)} accepted, {left} open, "
                f"{sum(faults.done.values())} faults"
            )


def _settle(url: str, callers: Submitters, tell: Tell) -> float:
    began = time.monotonic()
    while time.monotonic() - began < SETTLE_SECONDS:
        left = open_jobs(url)
        if not left and callers.done():
            break
        time.sleep(0.2)
    else:
        tell(f"{left} jobs are still open")
    return time.monotonic() - began


def _stuck_workers(stack: Stack, url: str) -> list[str]:
    """Give every worker something to do; name those that do nothing."""
    wanted = {f"chaos-{part.process.pid}": part.name for part in stack.workers}
    deadline = time.monotonic() + PROBE_SECONDS
    asked = 0
    # Jobs that take a moment, so that one worker cannot take all of them.
    while wanted and time.monotonic() < deadline:
        texts = ("sleep 0.3",) * PROBES_A_WORKER * len(stack.workers)
        probes = Submitters(stack.port, [Request(f"probe-{asked}", texts)], len(texts))
        asked += 1
        probes.start(1)
        while not probes.done() or open_jobs(url):
            if time.monotonic() > deadline:
                break
            time.sleep(0.2)
        for signature in signatures(url, list(probes.accepted)):
            wanted.pop(signature, None)
    return [f"{name} does nothing any more" for name in wanted.values()]


def _unwilling_to_stop(stack: Stack) -> list[str]:
    found = []
    for part in stack.workers:
        code = part.stop(STOP_SECONDS)
        if code != 0:
            found.append(f"{part.name}, asked to stop, ended with {code}")
    return found


def _explosions(folder: Path) -> dict[str, int]:
    points = [mark.name.removeprefix("died-").rpartition("-")[0] for mark in folder.glob("died-*")]
    return {point: points.count(point) for point in sorted(set(points))}
