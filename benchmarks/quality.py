"""Every development figure beside its goal, by profile: `python -m benchmarks.quality --data DIR`.

Runs `training.evaluate` and the behavioural tests on the shipped models, prints one table and
writes `benchmarks/results/quality-PROFILE.json`. DIR is laid out as training/README.md says.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.behaviour.__main__ import WEIGHTS
from benchmarks.behaviour.__main__ import run as run_behaviour
from benchmarks.machine import ROOT, provenance
from training.evaluate import evaluator
from workers.models.profiles import STANCE, model_folder
from workers.models.stance import StanceModel

LEAST_PASS_RATE = 0.85
LARGEST_CALIBRATION_ERROR = 0.04


@dataclass(frozen=True)
class Goal:
    """One figure of one set; `path` leads to it in what `training.evaluate` gives."""

    task: str
    data: str
    path: tuple[str, ...]
    goal: float
    paired: bool = False
    at_most: bool = False


def _stance(name: str, *figures: tuple[str, float], paired: bool = False) -> list[Goal]:
    data = f"stance/{name}/dev.jsonl"
    goals = [Goal(STANCE, data, (figure,), goal, paired) for figure, goal in figures]
    error = ("expected_calibration_error",)
    return [*goals, Goal(STANCE, data, error, LARGEST_CALIBRATION_ERROR, paired, at_most=True)]


GOALS = [
    Goal("ner", "ner/conll2003/dev.conll", ("f1",), 0.95),
    Goal("ner", "ner/crossner_politics/dev.conll", ("f1",), 0.80),
    Goal("ner", "ner/conll2003/test_corrected.conll", ("f1",), 0.93),
    Goal("attribution", "attribution/polnear/dev.jsonl", ("attribution", "f1"), 0.78),
    Goal("attribution", "attribution/polnear/dev.jsonl", ("source", "f1"), 0.87),
    Goal("attribution", "attribution/polnear/dev.jsonl", ("cue", "f1"), 0.78),
    Goal("attribution", "attribution/polnear/dev.jsonl", ("content", "f1"), 0.92),
    *_stance("newsmtsc", ("macro_f1", 0.80)),
    *_stance("vast", ("macro_f1", 0.72)),
    *_stance("dse", ("paired_micro_f1", 0.80), ("paired_macro_f1", 0.62), paired=True),
    *_stance("perspectrum", ("accuracy", 0.78)),
]


def measure(data: Path, profile: str) -> list[dict[str, Any]]:
    """A row a goal, with what was measured. Every file is read once."""
    measured: dict[str, dict[str, Any]] = {}
    rows = []
    for goal in GOALS:
        if goal.data not in measured:
            options = {"paired": True} if goal.paired else {}
            folder = model_folder(WEIGHTS, profile, goal.task)
            print(f"{goal.task} {goal.data} …", file=sys.stderr, flush=True)
            measured[goal.data] = evaluator(goal.task)(data / goal.data, folder, **options)
        value: Any = measured[goal.data]
        for step in goal.path:
            value = value[step]
        met = value <= goal.goal if goal.at_most else value >= goal.goal
        rows.append(
            {
                "task": goal.task,
                "set": goal.data,
                "figure": " ".join(goal.path),
                "value": round(float(value), 4),
                "goal": ("≤ " if goal.at_most else "≥ ") + f"{goal.goal:.2f}",
                "met": bool(met),
            }
        )
    return rows


def behaviour_rows(profile: str) -> list[dict[str, Any]]:
    """A row a capability of the behavioural tests."""
    result = run_behaviour(StanceModel.load(model_folder(WEIGHTS, profile, STANCE)))
    return [
        {
            "task": STANCE,
            "set": f"behaviour/{name}",
            "figure": f"pass rate of {row['cases']}",
            "value": row["pass_rate"],
            "goal": f"≥ {LEAST_PASS_RATE:.2f}",
            "met": row["pass_rate"] >= LEAST_PASS_RATE,
        }
        for name, row in result["capabilities"].items()
    ]


def table(rows: list[dict[str, Any]]) -> str:
    """The rows for reading."""
    return "\n".join(
        f"{row['set']:38} {row['figure']:28} {row['value']:.3f}  {row['goal']:7}"
        f" {'met' if row['met'] else 'not met'}"
        for row in rows
    )


def main() -> int:
    """Exit code 1 when `--require` is given and a goal is not met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--profile", choices=["fast", "accurate"], action="append")
    parser.add_argument("--require", action="store_true", help="every goal")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results", help="folder")
    chosen = parser.parse_args()
    met = True
    for profile in chosen.profile or ["fast", "accurate"]:
        began_with = provenance()
        rows = measure(chosen.data, profile) + behaviour_rows(profile)
        result = {
            "benchmark": "quality",
            "command": f"python -m benchmarks.quality --data DIR --profile {profile}",
            "profile": profile,
            "rows": rows,
            **began_with,
        }
        text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
        (chosen.out / f"quality-{profile}.json").write_text(text, encoding="utf-8")
        print(f"\n{profile}\n{table(rows)}", flush=True)
        met = met and all(row["met"] for row in rows)
    return 1 if chosen.require and not met else 0


if __name__ == "__main__":
    sys.exit(main())
