"""Stance models by name: stance labels and NLI labels, with the question put into words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from tests.torch.tiny_models import NLI, Saved
from workers.models.manifest import ModelUnsuitableError
from workers.models.named import CLASSIFIER, find_model
from workers.models.stance_inputs import StanceQuestion
from workers.models.torch_stance import TorchStance

TEMPLATE = "{holder} supports {target}."
TEXT = "Ann Miller sharply attacked Bob Stone as a liar."
QUESTIONS = [
    StanceQuestion(TEXT, target="Bob Stone", holder="Ann Miller"),
    StanceQuestion(TEXT, target="Ann Miller", holder="Bob Stone"),
    StanceQuestion(TEXT, target="peace talks", topic=True),
]


def scorer_of(folder: Path, template: str = TEMPLATE) -> TorchStance:
    return TorchStance(find_model(str(folder), CLASSIFIER), template)


@pytest.mark.parametrize("family", ["bert", "roberta"])
@pytest.mark.parametrize(
    ("labels", "order"),
    [
        (NLI, (2, 0, 1)),
        (("favor", "against", "neutral"), (0, 1, 2)),
        (("None", "PRO", "con"), (1, 2, 0)),
        (("negative", "neutral", "positive"), (2, 0, 1)),
    ],
)
def test_probabilities_are_the_models_own_under_our_names(
    saved: Saved, family: str, labels: tuple[str, ...], order: tuple[int, ...]
) -> None:
    folder = saved(family, "classifier", labels)
    answers = scorer_of(folder).score(QUESTIONS)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    hypotheses = (
        "Ann Miller supports Bob Stone.",
        "Bob Stone supports Ann Miller.",
        "The author supports peace talks.",
    )
    for answer, hypothesis in zip(answers, hypotheses, strict=True):
        inputs = tokenizer(TEXT, hypothesis, return_tensors="pt", return_token_type_ids=True)
        if family == "roberta":
            del inputs["token_type_ids"]
        with torch.inference_mode():
            direct = model(**inputs).logits[0].softmax(0).numpy()
        given = answer.probabilities
        found = np.array([given.favor, given.against, given.neutral])
        np.testing.assert_allclose(found, direct[list(order)], atol=1e-6)
        assert found.sum() == pytest.approx(1.0)
        assert not answer.truncated
    assert answers[0] != answers[1]


def test_labels_of_one_meaning_add_up(saved: Saved) -> None:
    labels = ("support", "against", "none", "unrelated")
    answer = scorer_of(saved("bert", "classifier", labels)).score(QUESTIONS[:1])[0]
    given = answer.probabilities
    assert given.favor + given.against + given.neutral == pytest.approx(1.0)


def test_neighbours_change_nothing(saved: Saved) -> None:
    scorer = scorer_of(saved("roberta", "classifier", NLI))
    longer = StanceQuestion("rain " * 10, target="rain", topic=True)
    alone = [scorer.score([question])[0] for question in QUESTIONS]
    assert scorer.score([longer, *QUESTIONS, longer])[1:-1] == alone
    assert scorer.score([]) == []


@pytest.mark.parametrize("family", ["bert", "roberta"])
@pytest.mark.parametrize(
    "text",
    ["", "\u200f\u202e", "日本語", "e\u0301\u0301", "👩\u200d👧", "a\x00b\x07", "{holder} {0}"],
)
def test_odd_texts_and_names_are_answered(saved: Saved, family: str, text: str) -> None:
    scorer = scorer_of(saved(family, "classifier", NLI))
    for question in (
        StanceQuestion(text, target="trade", topic=True),
        StanceQuestion("Trade grew.", target=text or "x", holder=text),
    ):
        [answer] = scorer.score([question])
        assert np.isfinite(answer.probabilities.neutral)
        assert not answer.truncated


@pytest.mark.parametrize("family", ["bert", "roberta"])
@pytest.mark.parametrize(
    "question",
    [
        StanceQuestion("word " * 400, target="trade", topic=True),
        StanceQuestion("Trade grew.", target="trade " * 400, topic=True),
        StanceQuestion("word " * 400, target="trade " * 400, topic=True),
    ],
)
def test_what_does_not_fit_is_told(saved: Saved, family: str, question: StanceQuestion) -> None:
    [answer] = scorer_of(saved(family, "classifier", NLI)).score([question])
    assert answer.truncated


@pytest.mark.parametrize("target", ["", " \n", "\u00a0"])
def test_a_blank_target_is_refused(saved: Saved, target: str) -> None:
    scorer = scorer_of(saved("bert", "classifier", NLI))
    with pytest.raises(ValueError, match="blank"):
        scorer.score([StanceQuestion(TEXT, target=target, topic=True)])


def test_the_template_puts_the_question_into_words(saved: Saved) -> None:
    scorer = scorer_of(saved("bert", "classifier", NLI), "In this text {holder} backs {target}")
    author, named = StanceQuestion(TEXT, "peace {x}"), StanceQuestion(TEXT, "Oslo’s", " Bo Park's")
    assert scorer.hypothesis(author) == "In this text the author backs peace {x}"
    assert scorer.hypothesis(named) == "In this text Bo Park backs Oslo"
    plain = scorer_of(saved("bert", "classifier", NLI))
    assert plain.manifest.digest != scorer.manifest.digest
    assert scorer.manifest.document["reads"] == "nli"
    assert scorer.manifest.document["calibrated"] is False


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (("entailment", "not_entailment", "neutral"), "'not_entailment' among .* is neither"),
        (("positive", "neutral", "pro"), "means against"),
        (("favor", "against"), "means neutral"),
    ],
)
def test_labels_that_are_no_stances_are_refused(
    saved: Saved, labels: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(ModelUnsuitableError, match=reason):
        scorer_of(saved("bert", "classifier", labels))
