"""When is the fast stance model certain enough not to ask the accurate one? (No torch.)

python -m training.cascade --data DIR [--threads N] [--write]

Asks both shipped models every question of the development sets. For each kind of question the
answer is the lowest confidence from which on no figure of the two in a row is more than half a
point below the accurate model's own. Prints the curves and writes them to
`benchmarks/results/cascade.json`; `--write` puts the confidences into the fast model's manifest.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import ROOT, provenance
from benchmarks.stance_sets import PAIRED, AnsweredSet, answered
from training.evaluate_stance import scores
from workers.models.cascade import CERTAIN
from workers.models.chosen import open_stance
from workers.models.manifest import MANIFEST
from workers.models.profiles import STANCE, model_folder
from workers.models.stance_inputs import QUESTION_KINDS, QuestionKind

WEIGHTS = ROOT / "workers/weights"
RESULT = ROOT / "benchmarks/results/cascade.json"
FIRST, SECOND = "fast", "accurate"
# What may be lost of a figure.
ALLOWED = 0.005
FIGURES = {
    "newsmtsc": ("macro_f1",),
    "vast": ("macro_f1",),
    "dse": ("paired_micro_f1", "paired_macro_f1"),
    "perspectrum": ("accuracy",),
}
GRID = tuple(round(0.34 + 0.02 * step, 2) for step in range(34))


@dataclass(frozen=True)
class Pair:
    """What both models say to one set."""

    first: AnsweredSet
    second: AnsweredSet

    def asked(self, certain: float) -> NDArray[np.bool_]:
        """Which rows the second model is asked for, (rows)."""
        return self.first.probabilities.max(axis=1) < certain

    def figures(self, certain: float) -> dict[str, float]:
        """The set's figures of the two in a row."""
        mixed = np.where(
            self.asked(certain)[:, None], self.second.probabilities, self.first.probabilities
        )
        found = scores(self.first.examples, mixed, paired=self.first.name == PAIRED)
        return {name: found[name] for name in FIGURES[self.first.name]}


def curve(pair: Pair) -> list[dict[str, float]]:
    """A point a confidence: the share of questions that reach the second model, the figures."""
    return [
        {
            CERTAIN: certain,
            "asked": round(float(pair.asked(certain).mean()), 4),
            **{name: round(value, 4) for name, value in pair.figures(certain).items()},
        }
        for certain in GRID
    ]


def lowest(curves: Sequence[list[dict[str, float]]], least: float) -> float:
    """The lowest confidence, not below `least`, from which on no figure of any curve loses more
    than `ALLOWED` against the curve's end, where the second model answers nearly everything; 1.0
    if there is none."""
    chosen = 1.0
    for place in reversed(range(len(GRID))):
        for points in curves:
            names = points[-1].keys() - {CERTAIN, "asked"}
            if any(points[place][name] < points[-1][name] - ALLOWED for name in names):
                return chosen
        if GRID[place] < least:
            return chosen
        chosen = GRID[place]
    return chosen


def choose(
    pairs: Mapping[str, Pair], least: Mapping[QuestionKind, float]
) -> tuple[dict[str, float], dict[str, Any]]:
    """Confidence by kind of question, and each set's curve."""
    curves = {name: curve(pair) for name, pair in pairs.items()}
    certain = {
        kind: lowest(
            [curves[n] for n, pair in pairs.items() if pair.first.kind == kind], least[kind]
        )
        for kind in QUESTION_KINDS
    }
    return certain, curves


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m training.cascade", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1, help="questions at once")
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    models = {profile: open_stance(WEIGHTS, profile) for profile in (FIRST, SECOND)}
    told = {
        profile: {one.name: one for one in answered(model, chosen.data, chosen.threads)}
        for profile, model in models.items()
    }
    pairs = {name: Pair(told[FIRST][name], told[SECOND][name]) for name in FIGURES}
    least = {
        kind: max(model.thresholds[kind] for model in models.values()) for kind in QUESTION_KINDS
    }
    certain, curves = choose(pairs, least)
    result = {
        "benchmark": "cascade",
        "command": "python -m training.cascade --data DIR",
        "allowed": ALLOWED,
        CERTAIN: certain,
        "sets": {
            name: {
                "kind": pair.first.kind,
                "second_alone": pair.figures(2.0),
                "curve": curves[name],
            }
            for name, pair in pairs.items()
        },
        **provenance(),
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps({CERTAIN: certain, "at": result["at"]}, indent=1))
    if chosen.write:
        path = model_folder(WEIGHTS, FIRST, STANCE) / MANIFEST
        document = json.loads(path.read_text("utf-8"))
        document[CERTAIN] = certain
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")


def at(certain: Mapping[str, float], pairs: Mapping[str, Pair]) -> dict[str, Any]:
    """Each set at the chosen confidence: share asked, figures, and the second model's own."""
    return {
        name: {
            "asked": round(float(pair.asked(certain[pair.first.kind]).mean()), 4),
            "cascade": pair.figures(certain[pair.first.kind]),
            "second": pair.figures(2.0),
        }
        for name, pair in pairs.items()
    }


if __name__ == "__main__":
    main()
