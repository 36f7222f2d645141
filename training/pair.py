"""How the fast and the accurate stance model answer together. (No torch.)

python -m training.pair --data DIR [--threads N] [--write]

Asks both shipped models every question of the development sets. Chooses, in this order:

* the fast model's share of a pooled answer, one for all questions: among those that lose no figure
  of the accurate model alone by more than half a point, and keep every calibration error within its
  goal, the one that reaches most goals of `benchmarks.quality`, then the one with the highest mean
  figure;
* the pair's thresholds, from the curves of its answers;
* for the cascade, by kind of question, the lowest probability that the fast model gives neutral
  from which on no figure is more than half a point below the pair's.

Prints what was chosen and writes it with all that was tried to `benchmarks/results/pair.json`;
`--write` puts it into the accurate model's manifest.
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
from benchmarks.quality import GOALS, LARGEST_CALIBRATION_ERROR, stance_file
from benchmarks.stance_sets import PAIRED, AnsweredSet, answered
from training.evaluate import WEIGHTS
from training.evaluate_stance import scores
from training.stance_data import LABELS
from training.stance_scores import WANTED_PRECISION, confidence_threshold
from workers.models.manifest import MANIFEST
from workers.models.profiles import ACCURATE, FAST, STANCE, model_folder
from workers.models.stance import StanceModel
from workers.models.stance_inputs import QUESTION_KINDS, QuestionKind
from workers.models.stance_pair import PAIR, pooled

RESULT = ROOT / "benchmarks/results/pair.json"
# What may be lost of a figure.
ALLOWED = 0.005
ERROR = "expected_calibration_error"
FIGURES = {
    "newsmtsc": ("macro_f1",),
    "vast": ("macro_f1",),
    "dse": ("paired_micro_f1", "paired_macro_f1"),
    "perspectrum": ("accuracy",),
}
SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
_NEUTRAL = LABELS.index("neutral")
LIMITS = tuple(round(0.5 + 0.02 * step, 2) for step in range(26))
Probabilities = NDArray[np.float64]


@dataclass(frozen=True)
class Both:
    """What both models say to one set."""

    small: AnsweredSet
    large: AnsweredSet

    def together(self, share: float) -> Probabilities:
        """The pooled answers, (rows, 3)."""
        return pooled(self.small.probabilities, self.large.probabilities, share)

    def asked(self, certain: float) -> NDArray[np.bool_]:
        """For which rows the large model is asked in a cascade, (rows)."""
        return self.small.probabilities[:, _NEUTRAL] < certain

    def cascade(self, share: float, certain: float) -> Probabilities:
        """The cascade's answers, (rows, 3)."""
        asked = self.asked(certain)[:, None]
        return np.where(asked, self.together(share), self.small.probabilities)

    def figures(self, probabilities: Probabilities) -> dict[str, float]:
        """The set's figures for some answers, and their calibration error."""
        found = scores(self.small.examples, probabilities, paired=self.small.name == PAIRED)
        return {name: found[name] for name in (*FIGURES[self.small.name], ERROR)}


def losses(figures: Mapping[str, float], against: Mapping[str, float]) -> list[float]:
    """What each figure but the calibration error is below another's."""
    return [against[name] - value for name, value in figures.items() if name != ERROR]


def choose_share(tried: Mapping[float, Mapping[str, Mapping[str, float]]]) -> float:
    """Of shares with each set's figures; those of 0 are the large model's own."""
    alone, best = tried[0.0], (goals_met(tried[0.0]), 0.0, 0.0)
    for share, sets in tried.items():
        lost = [loss for name, figures in sets.items() for loss in losses(figures, alone[name])]
        errors = [figures[ERROR] for figures in sets.values()]
        if share and (max(lost) > ALLOWED or max(errors) > LARGEST_CALIBRATION_ERROR):
            continue
        # A set counts alike, however many figures it has.
        gain = -float(np.mean([np.mean(losses(sets[name], alone[name])) for name in sets]))
        best = max(best, (goals_met(sets), gain, share))
    return best[2]


def goals_met(sets: Mapping[str, Mapping[str, float]]) -> int:
    """How many of the goals of `benchmarks.quality` the figures of the sets reach."""
    named = {stance_file(name): figures for name, figures in sets.items()}
    goals = [goal for goal in GOALS if goal.task == STANCE and not goal.at_most]
    return sum(named[goal.data][goal.path[-1]] >= goal.goal for goal in goals if goal.data in named)


def curve(both: Both, share: float) -> list[dict[str, float]]:
    """A point a limit: the share of questions that reach the large model, the figures."""
    return [
        {
            "certain": certain,
            "asked": round(float(both.asked(certain).mean()), 4),
            **both.figures(both.cascade(share, certain)),
        }
        for certain in LIMITS
    ]


def lowest(curves: Sequence[list[dict[str, float]]], least: float) -> float:
    """The lowest limit, not below `least`, from which on no figure of any curve loses more
    than `ALLOWED` against the curve's end, where both models answer nearly everything; 1.0 if
    there is none."""
    chosen = 1.0
    for place in reversed(range(len(LIMITS))):
        for points in curves:
            end = {name: points[-1][name] for name in points[-1].keys() - {"certain", "asked"}}
            here = {name: points[place][name] for name in end}
            if max(losses(here, end)) > ALLOWED:
                return chosen
        if LIMITS[place] < least:
            return chosen
        chosen = LIMITS[place]
    return chosen


def choose(sets: Mapping[str, Both], small: Mapping[QuestionKind, float]) -> dict[str, Any]:
    """Everything that was tried and chosen; `small` are the thresholds of the small model."""
    shares = {
        share: {name: both.figures(both.together(share)) for name, both in sets.items()}
        for share in SHARES
    }
    share = choose_share(shares)
    curves = {name: curve(both, share) for name, both in sets.items()}
    thresholds: dict[QuestionKind, float] = {}
    abstention: dict[str, Any] = {}
    certain: dict[QuestionKind, float] = {}
    for kind in QUESTION_KINDS:
        named = {name: both for name, both in sets.items() if both.small.kind == kind}
        answers = {name: (both.together(share), both.small.gold) for name, both in named.items()}
        thresholds[kind], points = confidence_threshold(answers, WANTED_PRECISION)
        abstention |= points
        # Whoever is certain says a label.
        least = max(small[kind], thresholds[kind])
        certain[kind] = lowest([curves[name] for name in named], least)
    at = {
        name: {
            "asked": round(float(both.asked(certain[both.small.kind]).mean()), 4),
            "cascade": both.figures(both.cascade(share, certain[both.small.kind])),
            "pooled": shares[share][name],
            "large_alone": shares[0.0][name],
            "small_alone": both.figures(both.small.probabilities),
        }
        for name, both in sets.items()
    }
    return {
        PAIR: {"share": share, "thresholds": thresholds, "certain": certain},
        "at": at,
        "abstention": abstention,
        "shares": {str(tried): figures for tried, figures in shares.items()},
        "curves": curves,
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m training.pair", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1, help="questions at once")
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    folders = {profile: model_folder(WEIGHTS, profile, STANCE) for profile in (FAST, ACCURATE)}
    models = {profile: StanceModel.load(folder) for profile, folder in folders.items()}
    told = {
        profile: {one.name: one for one in answered(model, chosen.data, chosen.threads)}
        for profile, model in models.items()
    }
    sets = {name: Both(told[FAST][name], told[ACCURATE][name]) for name in FIGURES}
    found = choose(sets, models[FAST].thresholds)
    result = {
        "benchmark": "pair",
        "command": "python -m training.pair --data DIR",
        "allowed": ALLOWED,
        **found,
        **provenance(),
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps({key: found[key] for key in (PAIR, "at")}, indent=1))
    if chosen.write:
        path = folders[ACCURATE] / MANIFEST
        document = json.loads(path.read_text("utf-8"))
        document[PAIR] = found[PAIR]
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
