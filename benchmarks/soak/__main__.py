"""Steady load for an hour, and what grows meanwhile: `python -m benchmarks.soak`.

Starts a broker, an API of two processes and one worker with the `fast` models; callers submit
articles at a steady rate, poll, read, list and delete. Memory, open files and threads of every
process are looked at every ten seconds. Writes the result to `benchmarks/results/soak.json`
(`soak-postgresql.json`) and draws the memory in `docs/pictures/soak.svg`.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, provenance
from benchmarks.soak.picture import draw
from benchmarks.soak.result import Result, result_of
from benchmarks.soak.run import Plan, run
from benchmarks.soak.trend import COUNT_AN_HOUR, MEGABYTES_AN_HOUR, SHARE_AN_HOUR


def main() -> int:
    """Exit code 1 when something is not flat, lost or otherwise not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="default 60")
    parser.add_argument("--rate", type=float, default=20.0, help="articles a minute (default 20)")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--warm-up", type=float, default=10.0, help="minutes that do not count")
    parser.add_argument(
        "--keep", type=float, default=10.0, help="minutes until an article is deleted"
    )
    parser.add_argument("--every", type=float, default=10.0, help="seconds between samples")
    parser.add_argument("--seed", type=int, help="default: another one each time")
    parser.add_argument("--fast", action="store_true", help="a worker without models")
    parser.add_argument("--folder", type=Path, help="keep logs and database here")
    parser.add_argument("--out", type=Path, help="default: benchmarks/results/soak….json")
    parser.add_argument("--picture", type=Path, help="default: docs/pictures/soak….svg")
    chosen = parser.parse_args()
    if chosen.warm_up >= chosen.minutes:
        parser.error("the warm-up must be shorter than the run")
    plan = Plan(
        minutes=chosen.minutes,
        rate=chosen.rate,
        database=chosen.database,
        warm_up=chosen.warm_up,
        keep_minutes=chosen.keep,
        sample_seconds=chosen.every,
        seed=random.SystemRandom().randrange(2**32) if chosen.seed is None else chosen.seed,
        fast=chosen.fast,
    )
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    name = "soak" if plan.database == "sqlite" else f"soak-{plan.database}"
    # So that whoever ends a run ends its processes, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    began_with = provenance()
    print(f"seed {plan.seed}, logs in {folder}", file=sys.stderr, flush=True)
    course = run(plan, folder, tell=lambda line: print(line, file=sys.stderr, flush=True))
    result = result_of(plan, course)
    text = json.dumps(_document(plan, result, began_with), indent=2)
    _write(chosen.out or ROOT / f"benchmarks/results/{name}.json", text + "\n")
    title = (
        f"Memory over {plan.minutes:g} minutes at {plan.rate:g} articles a minute "
        f"({plan.database}, commit {str(began_with['commit'])[:10]})"
    )
    drawn = draw(title, result.lines, warm_up=plan.warm_up)
    _write(chosen.picture or ROOT / f"docs/pictures/{name}.svg", drawn)
    print(text)
    return 1 if result.faults or result.not_flat else 0


def _document(plan: Plan, result: Result, began_with: dict[str, Any]) -> dict[str, Any]:
    return {
        "benchmark": "soak",
        "command": f"python -m benchmarks.soak --minutes {plan.minutes:g} --rate {plan.rate:g}"
        f" --database {plan.database} --warm-up {plan.warm_up:g} --keep {plan.keep_minutes:g}"
        f" --every {plan.sample_seconds:g} --seed {plan.seed}" + (" --fast" if plan.fast else ""),
        "minutes": plan.minutes,
        "articles_a_minute": plan.rate,
        "database": plan.database,
        "flat": not result.not_flat,
        "flat_means": f"after {plan.warm_up:g} minutes the Theil-Sen slope of each part's resident "
        f"memory is below {SHARE_AN_HOUR:.0%} or {MEGABYTES_AN_HOUR:g} MB an hour, whichever is "
        f"more, and that of its open files and of its threads below {COUNT_AN_HOUR:g} an hour",
        "not_flat": result.not_flat,
        "faults": result.faults,
        **result.figures,
        **began_with,
    }


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
