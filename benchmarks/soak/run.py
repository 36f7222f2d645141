"""One run: steady load for a while, then everything stops in good order."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from benchmarks.chaos.account import open_jobs
from benchmarks.chaos.databases import database
from benchmarks.soak.callers import Callers, Ledger
from benchmarks.soak.samples import Sampler
from benchmarks.soak.stack import Stack
from service.settings import load_settings
from service.store import migrate
from tests.receiver import Receiver

TELL_SECONDS = 60.0
# A delivery is rung for within one sweep (5 s) and tried again 5 and 30 seconds later.
WEBHOOK_SECONDS = 60.0
BROKER_DATA = "broker, its data"
DATABASE = "database"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does."""

    minutes: float
    rate: float
    database: str = "sqlite"
    warm_up: float = 10.0
    # Older articles are deleted: from here on the database keeps its size.
    keep_minutes: float = 10.0
    sample_seconds: float = 10.0
    seed: int = 0
    # A worker without models, for trying the command.
    fast: bool = False


@dataclass
class Course:
    """What happened."""

    ledger: Ledger
    sampler: Sampler
    # Article id → how many webhooks came.
    webhooks: Counter[str]
    # In the database at the end.
    open_jobs: int
    # A sentence for each thing that should not have happened.
    faults: list[str] = field(default_factory=list)


def run(plan: Plan, folder: Path, tell: Tell = lambda line: None) -> Course:
    """Run the plan with logs and database in `folder`."""
    with database(plan.database, folder) as opened, Receiver() as receiver:
        migrate(replace(load_settings(), database_url=opened.url))
        stack = Stack(folder, opened.url, fast=plan.fast)
        callers = Callers(
            f"http://127.0.0.1:{stack.port}",
            f"http://127.0.0.1:{stack.metrics_port}/metrics",
            receiver.url(),
            articles_a_minute=plan.rate,
            keep_seconds=60 * plan.keep_minutes,
            seed=plan.seed,
            told=lambda: _received(receiver),
        )
        try:
            stack.start()
            began = time.monotonic()
            also = {
                BROKER_DATA: stack.broker_megabytes,
                DATABASE: lambda: _megabytes(opened.watch_url),
            }
            sampler = Sampler(stack, plan.sample_seconds, began, also)
            sampler.start()
            callers.start()
            _watch(began + 60 * plan.minutes, stack, callers.ledger, sampler, tell)
            # While the load is still on: what follows it is another state.
            sampler.stop()
            callers.stop()
            _await_webhooks(callers.ledger, receiver)
            callers.check_all()
            course = Course(
                callers.ledger, sampler, _received(receiver), open_jobs(opened.watch_url)
            )
            course.faults = [*callers.ledger.faults, *stack.stop()]
        finally:
            stack.kill()
    return course


def _watch(end: float, stack: Stack, ledger: Ledger, sampler: Sampler, tell: Tell) -> None:
    told = sampler.began
    while (now := time.monotonic()) < end:
        if ended := stack.ended():
            raise RuntimeError(f"ended by itself: {', '.join(ended)}")
        if not sampler.is_alive():
            raise RuntimeError("the sampler has ended")
        if now - told >= TELL_SECONDS:
            told = now
            memory = ", ".join(
                f"{part} {samples[-1].megabytes:.1f}" for part, samples in sampler.parts.items()
            )
            tell(
                f"{(now - sampler.began) / 60:.1f} min: {len(ledger.job_of)} accepted, "
                f"{ledger.open()} open, {len(ledger.deleted)} deleted, "
                f"{len(ledger.faults)} faults; MB: {memory}"
            )
        time.sleep(min(0.5, end - now))


def _await_webhooks(ledger: Ledger, receiver: Receiver) -> None:
    deadline = time.monotonic() + WEBHOOK_SECONDS
    while ledger.wants_webhook - set(_received(receiver)) and time.monotonic() < deadline:
        time.sleep(0.5)


def _received(receiver: Receiver) -> Counter[str]:
    return Counter(json.loads(event.body)["data"]["article_id"] for event in receiver.received)


def _megabytes(database_url: str) -> float:
    """Of the file and its write-ahead log, or what the server says."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        file = Path(url.database or "")
        return sum(path.stat().st_size for path in file.parent.glob(f"{file.name}*")) / 1e6
    engine = create_engine(database_url)
    with engine.connect() as connection:
        size = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    engine.dispose()
    return float(size) / 1e6
