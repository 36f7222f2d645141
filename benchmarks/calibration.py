"""Does the stance model mean what it says? `python -m benchmarks.calibration --data DIR`.

Asks the shipped stance model every question of the development sets once. Prints, as JSON, what
the pictures show and writes it to `benchmarks/results/calibration-PROFILE.json`; the pictures go to
`docs/pictures/calibration-PROFILE.svg`: for each set a reliability diagram (Guo et al. 2017) and
risk-coverage curves (Geifman and El-Yaniv 2017), with the shipped threshold on them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.behaviour.__main__ import WEIGHTS
from benchmarks.calibration_picture import picture
from benchmarks.machine import ROOT, provenance
from benchmarks.stance_sets import AnsweredSet, answered
from training.stance_data import NEUTRAL
from training.stance_scores import expected_calibration_error, risk_coverage
from workers.models.chosen import open_stance
from workers.models.profiles import PROFILES
from workers.models.stance_inputs import QuestionKind

BINS = 15
# Places on the curves that the result keeps: two a percent of coverage are finer than the picture.
CURVE_POINTS = 200


def measure(one: AnsweredSet, thresholds: Mapping[QuestionKind, float]) -> dict[str, Any]:
    """Bins, curves and the point of the shipped threshold of one set."""
    gold = one.gold
    labels = one.probabilities.argmax(axis=1)
    confidence = one.probabilities.max(axis=1)
    right = labels == gold
    sided = labels != NEUTRAL
    threshold = thresholds[one.kind]
    return {
        "set": one.name,
        "rows": len(gold),
        "truncated": one.truncated,
        "kind": one.kind,
        "threshold": threshold,
        "expected_calibration_error": round(
            expected_calibration_error(one.probabilities, gold, BINS), 4
        ),
        "accuracy": round(float(right.mean()), 4),
        "mean_confidence": round(float(confidence.mean()), 4),
        "bins": bins(confidence, right),
        "risk_coverage": {
            "all answers": curve(confidence, right, threshold),
            "favor and against": curve(confidence[sided], right[sided], threshold),
        },
    }


def bins(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """The bins of the expected calibration error that hold rows."""
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return [
        {
            "from": round(int(index) / BINS, 4),
            "to": round((int(index) + 1) / BINS, 4),
            "rows": int((place == index).sum()),
            "confidence": round(float(confidence[place == index].mean()), 4),
            "accuracy": round(float(right[place == index].mean()), 4),
        }
        for index in np.unique(place)
    ]


def curve(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], threshold: float
) -> dict[str, Any]:
    """Risk by coverage, the area below it, and where the threshold stands. Empty without rows."""
    if not len(confidence):
        return {"rows": 0, "area": None, "at_threshold": None, "points": []}
    points = risk_coverage(confidence, right)
    coverage = np.array([point[1] for point in points])
    risk = np.array([point[2] for point in points])
    kept = [point for point in points if point[0] >= threshold]
    at = {"coverage": kept[-1][1], "risk": kept[-1][2]} if kept else {"coverage": 0.0, "risk": 0.0}
    grid = np.unique(np.searchsorted(coverage, np.linspace(0.0, 1.0, CURVE_POINTS)))
    shown = grid[grid < len(points)]
    return {
        "rows": len(confidence),
        # The mean risk over all rows as coverage grows, row by row.
        "area": round(float((risk * np.diff(coverage, prepend=0.0)).sum()), 4),
        "at_threshold": {name: round(float(value), 4) for name, value in at.items()},
        "points": [[round(float(coverage[k]), 4), round(float(risk[k]), 4)] for k in shown],
    }


def main() -> int:
    """Exit code 0, or 2 for wrong arguments."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--profile", choices=PROFILES, action="append")
    parser.add_argument("--threads", type=int, default=1, help="questions at once")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results", help="for JSON")
    parser.add_argument("--pictures", type=Path, default=ROOT / "docs/pictures", help="for SVG")
    chosen = parser.parse_args()
    for profile in chosen.profile or PROFILES:
        began_with = provenance()
        model = open_stance(WEIGHTS, profile)
        name = " + ".join(found.name for found in model.manifests)
        try:
            sets = [
                measure(one, model.thresholds)
                for one in answered(model, chosen.data, chosen.threads)
            ]
        except FileNotFoundError as err:
            parser.error(str(err))
        result = {
            "benchmark": "calibration",
            "command": f"python -m benchmarks.calibration --data DIR --profile {profile}",
            "profile": profile,
            "model": name,
            "sets": sets,
            **began_with,
        }
        for folder in (chosen.out, chosen.pictures):
            folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(result, ensure_ascii=False) + "\n"
        (chosen.out / f"calibration-{profile}.json").write_text(text, encoding="utf-8")
        drawn = picture(f"{name} on the development sets", sets)
        (chosen.pictures / f"calibration-{profile}.svg").write_text(drawn, encoding="utf-8")
        print(text, end="", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
