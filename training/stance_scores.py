"""Scores of stance predictions; numpy only, so that the shipped runtime can be measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.stance_data import NEUTRAL

Labels = NDArray[np.int64]

# A label is given from the confidence on at which, on dev, favor and against are right this
# often: more than any set reaches without abstention; half to four fifths of them remain.
WANTED_PRECISION = 0.8
# Thresholds that are tried: a little more than one in three labels, to nearly certain.
_LOWEST, _HIGHEST = 0.4, 0.96


def label_f1(gold: Labels, predicted: Labels, label: int) -> float:
    """F1 of one label; 0 where it is neither in the data nor predicted."""
    hits = int(((gold == label) & (predicted == label)).sum())
    named = int((gold == label).sum()) + int((predicted == label).sum())
    return 2 * hits / named if named else 0.0


def macro_f1(gold: Labels, predicted: Labels) -> float:
    """Mean F1 over the labels that occur in `gold`."""
    return float(np.mean([label_f1(gold, predicted, label) for label in np.unique(gold)]))


def expected_calibration_error(
    probabilities: NDArray[np.float64], gold: Labels, bins: int = 15
) -> float:
    """Mean gap between confidence and accuracy, over bins of equal width.

    `probabilities` has shape (rows, labels). Guo et al. 2017.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == gold
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gap = 0.0
    for index in np.unique(place):
        inside = place == index
        gap += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return float(gap)


def paired_scores(gold: Labels, predicted: Labels) -> dict[str, float]:
    """Micro and macro F1 over the five relations of DSE.

    Rows alternate p→q, q→p. Relations: none, p→q favor or against, q→p favor or against. A
    predicted pair with a stance in both directions is no relation of the five and counts as
    wrong for the micro score; for the macro score it is a class of its own, without an F1.

    Raises:
        ValueError: the number of rows is odd.
    """
    if len(gold) % 2:
        raise ValueError("paired rows must come in twos")
    relations = gold[::2] * 3 + gold[1::2]
    found = predicted[::2] * 3 + predicted[1::2]
    return {
        "paired_micro_f1": float((relations == found).mean()),
        "paired_macro_f1": macro_f1(relations, found),
    }


def risk_coverage(
    confidence: NDArray[np.float64], right: NDArray[np.bool_]
) -> list[tuple[float, float, float]]:
    """(threshold, share of rows at or above it, share of those that are wrong), descending."""
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    errors = np.cumsum(~right[order])
    # Rows of equal confidence are kept or dropped together.
    ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    return [
        (float(ranked[end]), (end + 1) / len(ranked), float(errors[end] / (end + 1)))
        for end in ends
    ]


def label_scores(gold: Labels, predicted: Labels, labels: Sequence[str]) -> dict[str, float]:
    """Label → F1."""
    return {name: label_f1(gold, predicted, index) for index, name in enumerate(labels)}


def confidence_threshold(
    sets: Mapping[str, tuple[NDArray[np.float64], Labels]], precision: float
) -> tuple[float, dict[str, Any]]:
    """The lowest confidence from which on favor and against are right in `precision` of the cases.

    Neutral answers do not count: where they are common they are easily right. The precision is
    the mean over the sets, so that none counts more for being large. Returns the threshold and,
    per set, precision there and coverage (of all answers that take a side).
    """
    curves = {}
    for name, (probabilities, gold) in sets.items():
        labels = probabilities.argmax(axis=1)
        sided = labels != NEUTRAL
        confidence = probabilities.max(axis=1)[sided]
        curves[name] = risk_coverage(confidence, (labels == gold)[sided])
    chosen = _LOWEST
    for threshold in np.arange(_LOWEST, _HIGHEST, 0.01):
        chosen = round(float(threshold), 2)
        at = [_point(curve, chosen)["precision"] for curve in curves.values()]
        if np.mean(at) >= precision:
            break
    return chosen, {name: _point(curve, chosen) for name, curve in curves.items()}


def _point(curve: Sequence[tuple[float, float, float]], threshold: float) -> dict[str, float]:
    kept = [point for point in curve if point[0] >= threshold]
    if not kept:
        return {"coverage": 0.0, "precision": 1.0}
    _, coverage, risk = kept[-1]
    return {"coverage": round(coverage, 4), "precision": round(1.0 - risk, 4)}
