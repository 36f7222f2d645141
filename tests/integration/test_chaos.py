"""The chaos run in its short form: `python -m benchmarks.chaos` is the long one."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.chaos.run import Plan, run

JOBS = 150


def test_nothing_is_lost_whatever_dies(tmp_path: Path) -> None:
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"python -m benchmarks.chaos --jobs {JOBS} --seed {seed} --rounds 1")
    plan = Plan(jobs=JOBS, seed=seed, database="sqlite", workers=3, rate=8, gap=0.5, rounds=1)
    result = run(plan, tmp_path, tell=print)
    print(result.figures)
    assert result.faults == []
    assert result.figures["accounted_for"] == JOBS
    assert "faults_not_reached" not in result.figures
    assert sum(result.figures["mines_exploded"].values()) > 0
