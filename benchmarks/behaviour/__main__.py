"""The stance model's pass rate for each capability: `python -m benchmarks.behaviour`.

Runs the shipped runtime on generated sentences (`capabilities.toml`), takes the likeliest label of
the calibrated answer and prints, a capability a line, how many cases pass, and examples that fail.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.behaviour.cases import Case, generate, read_capabilities
from benchmarks.machine import provenance
from service.domain.analysis import Probabilities
from service.settings import DEFAULT_PROFILE
from workers.models.chosen import Scorer, open_stance
from workers.models.profiles import PROFILES
from workers.models.stance import LABELS, StanceModel

WEIGHTS = Path(__file__).parents[2] / "workers" / "weights"


def label_of(given: Probabilities) -> str:
    """The likeliest label."""
    values = (given.favor, given.against, given.neutral)
    return LABELS[values.index(max(values))]


def failures(case: Case, model: Scorer) -> list[dict[str, Any]]:
    """The checks of a case that got another label than expected."""
    answers = model.score([check.question for check in case.checks])
    found = []
    for check, answer in zip(case.checks, answers, strict=True):
        label = label_of(answer.probabilities)
        if label not in check.expected:
            question = check.question
            found.append(
                {
                    "id": case.id,
                    "text": question.text,
                    "holder": question.holder or "author",
                    "target": question.target,
                    "expected": "|".join(check.expected),
                    "label": label,
                    "probability": round(getattr(answer.probabilities, label), 3),
                }
            )
    return found


def run(model: Scorer) -> dict[str, Any]:
    """Pass rates and every failing question, by capability."""
    passed: dict[str, int] = defaultdict(int)
    cases: dict[str, int] = defaultdict(int)
    failed: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for case in generate():
        wrong = failures(case, model)
        cases[case.capability] += 1
        passed[case.capability] += not wrong
        failed[case.capability] += wrong
    _, rules = read_capabilities()
    return {
        "benchmark": "behaviour",
        "model": " + ".join(found.name for found in model.manifests),
        "cases": sum(cases.values()),
        "pass_rate": round(sum(passed.values()) / sum(cases.values()), 4),
        "capabilities": {
            name: {
                "about": rules[name]["about"],
                "cases": cases[name],
                "passed": passed[name],
                "pass_rate": round(passed[name] / cases[name], 4),
            }
            for name in cases
        },
        "failures": dict(failed),
    }


def table(result: dict[str, Any], shown: int) -> str:
    """The result for reading, with up to `shown` failures a capability."""
    lines = [f"{result['model']}: {result['pass_rate']:.3f} of {result['cases']} cases"]
    for name, row in result["capabilities"].items():
        lines.append(f"{name:16} {row['passed']:3}/{row['cases']} {row['pass_rate']:.2f}")
        for one in result["failures"].get(name, [])[:shown]:
            asked = f"{one['holder']} > {one['target']}"
            given = f"{one['label']} ({one['probability']}), not {one['expected']}"
            lines.append(f"    {one['text']}  [{asked}] {given}")
    return "\n".join(lines)


def main() -> int:
    """Exit code 1 when a capability is below `--require`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.behaviour", description=__doc__)
    parser.add_argument("--profile", choices=PROFILES, default=DEFAULT_PROFILE)
    parser.add_argument("--weights", type=Path, help="a stance model's folder")
    parser.add_argument("--examples", type=int, default=2, help="failures shown a capability")
    parser.add_argument("--require", type=float, default=0.0, help="least pass rate, each")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there")
    chosen = parser.parse_args()
    if chosen.weights:
        model: Scorer = StanceModel.load(chosen.weights)
    else:
        model = open_stance(WEIGHTS, chosen.profile)
    result = {**run(model), **provenance()}
    if chosen.json:
        chosen.json.write_text(
            json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    print(table(result, chosen.examples))
    lowest = min(row["pass_rate"] for row in result["capabilities"].values())
    return 1 if lowest < chosen.require else 0


if __name__ == "__main__":
    sys.exit(main())
