"""Scores of the shipped stance models on a JSON Lines file of labelled questions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.stance_data import LABELS, Example, read_stance
from training.stance_scores import (
    Labels,
    expected_calibration_error,
    label_scores,
    macro_f1,
    paired_scores,
)
from workers.models.chosen import Scorer
from workers.models.stance import StanceModel


def evaluate(data: Path, weights: Path, *, paired: bool = False) -> dict[str, Any]:
    """The figures of one model, `answered_by`."""
    return answered_by(StanceModel.load(weights), data, paired=paired)


def answered_by(scorer: Scorer, data: Path, *, paired: bool = False) -> dict[str, Any]:
    """Accuracy, macro F1 over the labels in the file, F1 per label, calibration error.

    `paired` adds micro and macro F1 over the five relations of alternating p→q, q→p rows.
    """
    examples = read_stance(data, data.parent.name)
    answers = scorer.score([example.question for example in examples])
    probabilities = np.array(
        [(a.probabilities.favor, a.probabilities.against, a.probabilities.neutral) for a in answers]
    )
    return {
        **scores(examples, probabilities, paired=paired),
        "rows": len(examples),
        "truncated": sum(answer.truncated for answer in answers),
        "model": " + ".join(manifest.name for manifest in scorer.manifests),
    }


def scores(
    examples: list[Example], probabilities: NDArray[np.float64], *, paired: bool
) -> dict[str, Any]:
    """The metrics for calibrated probabilities of shape (rows, 3)."""
    gold: Labels = np.array([example.label for example in examples])
    predicted: Labels = probabilities.argmax(axis=1)
    measured: dict[str, float] = {
        "accuracy": float((gold == predicted).mean()),
        "macro_f1": macro_f1(gold, predicted),
        "expected_calibration_error": expected_calibration_error(probabilities, gold),
    }
    if paired:
        measured |= paired_scores(gold, predicted)
    per_label = label_scores(gold, predicted, LABELS)
    return {
        **{name: round(value, 4) for name, value in measured.items()},
        "f1": {name: round(value, 4) for name, value in per_label.items()},
    }
