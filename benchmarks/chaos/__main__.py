"""Kills everything while jobs run and counts what became of them: `python -m benchmarks.chaos`.

Prints the figures and the seed as JSON and writes them to `benchmarks/results/chaos-….json`. The
seed decides the articles and the order of the faults; when exactly each hits, the machine does.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.chaos.run import Plan, run
from benchmarks.machine import ROOT, provenance


def main() -> int:
    """Exit code 1 when a promise was not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000, help="articles (default 10,000)")
    parser.add_argument("--seed", type=int, help="default: another one each time")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--workers", type=int, default=3, help="default 3")
    parser.add_argument("--rate", type=float, default=200.0, help="articles a second submitted")
    parser.add_argument("--gap", type=float, default=2.0, help="longest seconds between faults")
    parser.add_argument("--rounds", type=int, help="of all faults (default: while jobs are open)")
    parser.add_argument("--folder", type=Path, help="keep logs and database here")
    parser.add_argument("--out", type=Path, help="default: benchmarks/results/chaos-DATABASE.json")
    chosen = parser.parse_args()
    seed = random.SystemRandom().randrange(2**32) if chosen.seed is None else chosen.seed
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    plan = Plan(
        jobs=chosen.jobs,
        seed=seed,
        database=chosen.database,
        workers=chosen.workers,
        rate=chosen.rate,
        gap=chosen.gap,
        rounds=chosen.rounds,
    )
    # So that whoever ends a run ends its processes, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    began_with = provenance()
    print(f"seed {seed}, logs in {folder}", file=sys.stderr)
    began = time.monotonic()
    result = run(plan, folder, tell=lambda line: print(line, file=sys.stderr, flush=True))
    figures: dict[str, Any] = {
        "benchmark": "chaos",
        "command": f"python -m benchmarks.chaos --jobs {plan.jobs} --seed {seed}"
        f" --database {plan.database} --workers {plan.workers} --rate {plan.rate:g}"
        f" --gap {plan.gap:g}" + ("" if plan.rounds is None else f" --rounds {plan.rounds}"),
        "seed": seed,
        "database": plan.database,
        "workers": plan.workers,
        "seconds": round(time.monotonic() - began, 1),
        **result.figures,
        "broken_promises": result.faults,
        **began_with,
    }
    text = json.dumps(figures, indent=2)
    out = chosen.out or ROOT / f"benchmarks/results/chaos-{plan.database}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text + "\n", encoding="utf-8")
    print(text)
    return 1 if result.faults else 0


if __name__ == "__main__":
    sys.exit(main())
