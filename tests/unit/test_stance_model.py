"""The stance model as shipped, and what its manifest must say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import workers
from workers.models.manifest import ModelCorruptError
from workers.models.pair_classifier import PairClassifier
from workers.models.stance import Calibration, StanceModel
from workers.models.stance_inputs import StanceQuestion

WEIGHTS = Path(workers.__file__).parent / "weights" / "stance"

TEXT = "Ann Miller sharply attacked Bob Stone as a liar, while Carl Young watched."
ATTACKER = StanceQuestion(TEXT, target="Bob Stone", holder="Ann Miller")
ATTACKED = StanceQuestion(TEXT, target="Ann Miller", holder="Bob Stone")


@pytest.fixture(scope="module")
def model() -> StanceModel:
    return StanceModel.load(WEIGHTS)


def test_probabilities_sum_to_one_for_every_kind(model: StanceModel) -> None:
    questions = [
        ATTACKER,
        StanceQuestion(TEXT, target="Bob Stone"),
        StanceQuestion(TEXT, target="attacks on liars", topic=True),
    ]
    assert [question.kind for question in questions] == ["relation", "author", "topic"]
    for answer in model.score(questions):
        given = answer.probabilities
        assert given.favor + given.against + given.neutral == pytest.approx(1.0)
        assert min(given.favor, given.against, given.neutral) > 0.0
        assert not answer.truncated


def test_direction_matters(model: StanceModel) -> None:
    attacker, attacked = model.score([ATTACKER, ATTACKED])
    assert attacker.probabilities.against > 0.5
    assert attacked.probabilities.against < attacker.probabilities.against - 0.2


def test_neighbours_change_nothing(model: StanceModel) -> None:
    alone = model.score([ATTACKER])[0]
    longer = StanceQuestion("rain " * 150, target="rain", topic=True)
    assert model.score([longer, ATTACKED, ATTACKER, longer])[2] == alone
    assert model.score([]) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\u200f\u202e",
        "日本語のテキスト",
        "e\u0301\u0301\u0301",
        "\U0001f600" * 30,
        "a" * 3000,
    ],
)
def test_odd_texts_are_answered(model: StanceModel, text: str) -> None:
    answer = model.score([StanceQuestion(text, target="trade", topic=True)])[0]
    assert np.isfinite(answer.probabilities.neutral)


def test_a_text_beyond_the_limit_is_told(model: StanceModel) -> None:
    answer = model.score([StanceQuestion("word " * 400, target="trade", topic=True)])[0]
    assert answer.truncated


def test_calibration_keeps_order_without_bias() -> None:
    logits = np.array([2.0, 0.5, -1.0], dtype=np.float32)
    cooled = Calibration(0.5, (0.0, 0.0, 0.0)).apply(logits)
    plain = Calibration(1.0, (0.0, 0.0, 0.0)).apply(logits)
    assert list(np.argsort(cooled)) == list(np.argsort(plain))
    assert cooled.max() < plain.max()
    assert Calibration(1.0, (0.0, 5.0, 0.0)).apply(logits).argmax() == 1


def test_a_negative_power_makes_the_sure_surer_and_the_unsure_no_surer() -> None:
    sure = np.array([4.0, -1.0, -1.0], dtype=np.float32)
    unsure = np.array([0.1, 0.0, 0.0], dtype=np.float32)
    plain, bent = Calibration(1.0, (0.0, 0.0, 0.0)), Calibration(1.0, (0.0, 0.0, 0.0), -0.3)
    together = bent.apply(np.stack([sure, unsure]))
    assert together[0].max() > plain.apply(sure).max() + 0.005
    assert together[1].max() == pytest.approx(plain.apply(unsure).max(), abs=1e-3)
    assert np.allclose(together[0], bent.apply(sure))
    assert np.allclose(together.sum(axis=-1), 1.0)


def test_no_logits_are_too_certain_to_calibrate() -> None:
    given = Calibration(1.0, (0.0, 0.0, 0.0), -0.5).apply(
        np.array([[300.0, -300.0, 0.0], [0.0, 0.0, 0.0]], dtype=np.float32)
    )
    assert np.isfinite(given).all()
    assert given[0].argmax() == 0
    assert np.allclose(given[1], 1 / 3)


def test_a_manifest_without_calibration_is_refused() -> None:
    classifier = PairClassifier.load(WEIGHTS)
    whole = classifier.manifest
    for lacking in ("relation", "author", "topic"):
        calibration = {k: v for k, v in whole.document["calibration"].items() if k != lacking}
        document = {**whole.document, "calibration": calibration}
        classifier.manifest = replace(whole, document=document)
        with pytest.raises(ModelCorruptError, match=lacking):
            StanceModel(classifier)
    classifier.manifest = replace(whole, thresholds={})
    with pytest.raises(ModelCorruptError, match="relation"):
        StanceModel(classifier)
    classifier.manifest = replace(whole, labels=("neutral", "favor", "against"))
    with pytest.raises(ModelCorruptError, match="labels"):
        StanceModel(classifier)
