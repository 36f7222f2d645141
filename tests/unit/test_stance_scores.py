"""Scores of stance predictions, on numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from training.stance_scores import (
    expected_calibration_error,
    label_f1,
    macro_f1,
    paired_scores,
    risk_coverage,
)

FAVOR, AGAINST, NEUTRAL = 0, 1, 2


def test_macro_f1_is_over_the_labels_of_the_data() -> None:
    gold = np.array([FAVOR, FAVOR, AGAINST, AGAINST])
    predicted = np.array([FAVOR, AGAINST, AGAINST, NEUTRAL])
    assert label_f1(gold, predicted, FAVOR) == pytest.approx(2 / 3)
    assert label_f1(gold, predicted, AGAINST) == pytest.approx(1 / 2)
    assert macro_f1(gold, predicted) == pytest.approx(7 / 12)


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    sure = np.array([[0.8, 0.1, 0.1]] * 10)
    gold = np.array([FAVOR] * 6 + [NEUTRAL] * 4)
    assert expected_calibration_error(sure, gold) == pytest.approx(0.2)
    assert expected_calibration_error(sure, np.array([FAVOR] * 8 + [NEUTRAL] * 2)) == pytest.approx(
        0
    )


def test_paired_rows_make_five_relations() -> None:
    gold = np.array([AGAINST, NEUTRAL, NEUTRAL, FAVOR, NEUTRAL, NEUTRAL])
    both_ways = np.array([AGAINST, AGAINST, NEUTRAL, FAVOR, NEUTRAL, NEUTRAL])
    assert paired_scores(gold, gold) == {"paired_micro_f1": 1.0, "paired_macro_f1": 1.0}
    assert paired_scores(gold, both_ways) == {
        "paired_micro_f1": pytest.approx(2 / 3),
        "paired_macro_f1": pytest.approx(2 / 3),
    }
    with pytest.raises(ValueError, match="twos"):
        paired_scores(gold[:3], gold[:3])


def test_risk_coverage_keeps_ties_together() -> None:
    confidence = np.array([0.9, 0.5, 0.9, 0.7])
    right = np.array([True, False, False, True])
    assert risk_coverage(confidence, right) == [
        (0.9, 0.5, 0.5),
        (0.7, 0.75, pytest.approx(1 / 3)),
        (0.5, 1.0, 0.5),
    ]
