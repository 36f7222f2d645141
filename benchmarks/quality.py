"""Every development figure beside its goal, by profile: `python -m benchmarks.quality --data DIR`.

Runs the shipped models with the shipped runtime on the development sets and on the behavioural
tests, prints one table a profile and writes `benchmarks/results/quality-PROFILE.json`. DIR is laid
out as training/README.md says. `--threads` reads that many sets at once; figures stay the same.

The goals are those of `accurate`; `fast` may be two points below and `cascade` half a point, but no
worse calibrated.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.behaviour.__main__ import WEIGHTS
from benchmarks.behaviour.__main__ import run as run_behaviour
from benchmarks.machine import ROOT, provenance
from benchmarks.stance_sets import PAIRED, STANCE_SETS, answered
from training.evaluate import evaluate_profile
from workers.models.chosen import open_stance
from workers.models.profiles import ATTRIBUTION, NER, PROFILES, STANCE

LEAST_PASS_RATE = 0.85
LARGEST_CALIBRATION_ERROR = 0.04
ALLOWANCE = {"fast": 0.02, "accurate": 0.0, "cascade": 0.005}

# Stance sets that mark who is named.
NAMED_SETS = ("newsmtsc", PAIRED)

_CONLL = "ner/conll2003/dev.conll"
_CONLL_TEST = "ner/conll2003/test_corrected.conll"
_CROSSNER = "ner/crossner_politics/dev.conll"
_POLNEAR = "attribution/polnear/dev.jsonl"


@dataclass(frozen=True)
class Goal:
    """One figure of one set; `path` leads to it in what `training.evaluate` gives."""

    task: str
    data: str
    path: tuple[str, ...]
    goal: float
    at_most: bool = False


def _stance(name: str, *figures: tuple[str, float]) -> list[Goal]:
    data = stance_file(name)
    error = ("expected_calibration_error",)
    return [
        *(Goal(STANCE, data, (figure,), goal) for figure, goal in figures),
        Goal(STANCE, data, error, LARGEST_CALIBRATION_ERROR, at_most=True),
    ]


def stance_file(name: str) -> str:
    """Where a stance set lies below the data folder."""
    return f"stance/{name}/dev.jsonl"


GOALS = (
    Goal(NER, _CONLL, ("f1",), 0.95),
    Goal(NER, _CROSSNER, ("f1",), 0.80),
    Goal(NER, _CONLL_TEST, ("f1",), 0.93),
    # Names in other kinds of text than what the tagger was shown with labels.
    *(Goal(NER, stance_file(name), ("named_recall",), 0.94) for name in NAMED_SETS),
    Goal(ATTRIBUTION, _POLNEAR, ("attribution", "f1"), 0.78),
    Goal(ATTRIBUTION, _POLNEAR, ("tokens", "source", "f1"), 0.87),
    Goal(ATTRIBUTION, _POLNEAR, ("tokens", "cue", "f1"), 0.78),
    Goal(ATTRIBUTION, _POLNEAR, ("tokens", "content", "f1"), 0.92),
    *_stance("newsmtsc", ("macro_f1", 0.80)),
    *_stance("vast", ("macro_f1", 0.72)),
    *_stance(PAIRED, ("paired_micro_f1", 0.80), ("paired_macro_f1", 0.62)),
    *_stance("perspectrum", ("accuracy", 0.78)),
)


def missing(data: Path) -> list[str]:
    """Files of the goals that are not below `data`."""
    return sorted({goal.data for goal in GOALS if not (data / goal.data).is_file()})


def measure(data: Path, profile: str, threads: int = 1) -> dict[str, dict[str, Any]]:
    """File → its figures, of every task that reads it."""
    tagged = list(dict.fromkeys((g.task, g.data) for g in GOALS if g.task != STANCE))

    def figures(entry: tuple[str, str]) -> dict[str, Any]:
        task, file = entry
        began = time.monotonic()
        found = evaluate_profile(task, data / file, profile)
        print(f"{file}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        return found

    with ThreadPoolExecutor(threads) as pool:
        found = pool.map(figures, tagged)
        measured = {file: row for (_, file), row in zip(tagged, found, strict=True)}
    for one in answered(open_stance(WEIGHTS, profile), data, threads, STANCE_SETS):
        measured.setdefault(stance_file(one.name), {}).update(one.figures())
    return measured


def shown(limit: float) -> str:
    """With as many places, two or three, as it has."""
    return f"{limit:.3f}".removesuffix("0")


def goal_rows(measured: dict[str, dict[str, Any]], profile: str) -> Iterator[dict[str, Any]]:
    """A row a goal."""
    for goal in GOALS:
        value: Any = measured[goal.data]
        for step in goal.path:
            value = value[step]
        limit = goal.goal if goal.at_most else goal.goal - ALLOWANCE[profile]
        yield {
            "task": goal.task,
            "set": goal.data,
            "figure": " ".join(goal.path),
            "value": round(float(value), 4),
            "goal": ("≤ " if goal.at_most else "≥ ") + shown(limit),
            "met": bool(value <= limit if goal.at_most else value >= limit),
        }


def behaviour_rows(result: dict[str, Any], profile: str) -> Iterator[dict[str, Any]]:
    """A row a capability of the behavioural tests."""
    limit = LEAST_PASS_RATE - ALLOWANCE[profile]
    for name, row in result["capabilities"].items():
        yield {
            "task": STANCE,
            "set": f"behaviour/{name}",
            "figure": f"pass rate of {row['cases']}",
            "value": row["pass_rate"],
            "goal": f"≥ {shown(limit)}",
            "met": row["pass_rate"] >= limit,
        }


def table(rows: list[dict[str, Any]]) -> str:
    """The rows for reading."""
    return "\n".join(
        f"{row['set']:38} {row['figure']:28} {row['value']:.3f}  {row['goal']:8}"
        f" {'met' if row['met'] else 'not met'}"
        for row in rows
    )


def run(data: Path, profile: str, threads: int) -> dict[str, Any]:
    """The whole result of one profile."""
    began_with = provenance()
    measured = measure(data, profile, threads)
    behaviour = run_behaviour(open_stance(WEIGHTS, profile))
    capabilities = list(behaviour_rows(behaviour, profile))
    lowest = min(capabilities, key=lambda row: row["value"])
    rows = [*goal_rows(measured, profile), *capabilities]
    return {
        "benchmark": "quality",
        "command": f"python -m benchmarks.quality --data DIR --profile {profile}",
        "profile": profile,
        "rows": rows,
        "lowest_capability": {"name": lowest["set"], "pass_rate": lowest["value"]},
        "goals_met": sum(row["met"] for row in rows),
        "goals": len(rows),
        **began_with,
    }


def main() -> int:
    """Exit code 1 when `--require` is given and a goal is not met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--profile", choices=PROFILES, action="append")
    parser.add_argument("--threads", type=int, default=1, help="sets, or questions, at once")
    parser.add_argument("--require", action="store_true", help="every goal")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results", help="folder")
    chosen = parser.parse_args()
    if lacking := missing(chosen.data):
        parser.error(f"not below {chosen.data}: {', '.join(lacking)}")
    chosen.out.mkdir(parents=True, exist_ok=True)
    met = True
    for profile in chosen.profile or PROFILES:
        result = run(chosen.data, profile, chosen.threads)
        text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
        (chosen.out / f"quality-{profile}.json").write_text(text, encoding="utf-8")
        print(f"\n{profile}\n{table(result['rows'])}", flush=True)
        lowest = result["lowest_capability"]
        print(
            f"{result['goals_met']} of {result['goals']} met; the lowest capability is"
            f" {lowest['name']} with {lowest['pass_rate']:.3f}",
            flush=True,
        )
        met = met and result["goals_met"] == result["goals"]
    return 1 if chosen.require and not met else 0


if __name__ == "__main__":
    sys.exit(main())
