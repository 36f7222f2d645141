"""Labels of other people's models as ours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from workers.models.bio import viterbi
from workers.models.foreign_labels import (
    ENTITY_LABELS,
    Columns,
    as_bio,
    entity_columns,
    kind_of_stance,
    stance_columns,
)
from workers.models.manifest import ModelUnsuitableError

SURE = 9.0


def sure_of(columns: Columns, labels: Sequence[str], tags: Sequence[str]) -> NDArray[np.float32]:
    logits = np.zeros((len(tags), len(labels)), dtype=np.float32)
    for row, tag in zip(logits, tags, strict=True):
        row[labels.index(tag)] = SURE
    return columns.gather(logits)


def decoded(labels: Sequence[str], tags: Sequence[str], shared: Sequence[bool] = ()) -> list[str]:
    columns = entity_columns(labels)
    rows = as_bio(sure_of(columns, labels, tags), shared or [False] * len(tags))
    return [columns.ours[number] for number in viterbi(rows, columns.ours)]


@pytest.mark.parametrize(
    ("tags", "meant"),
    [
        (["I-PER", "I-PER", "O"], ["B-PER", "I-PER", "O"]),
        (["I-PER", "B-PER", "I-PER"], ["B-PER", "B-PER", "I-PER"]),
        (["I-PER", "I-ORG", "O"], ["B-PER", "B-ORG", "O"]),
        (["B-PER", "I-PER", "I-ORG"], ["B-PER", "I-PER", "B-ORG"]),
    ],
)
def test_the_older_iob_becomes_bio(tags: list[str], meant: list[str]) -> None:
    assert decoded(("O", "B-PER", "I-PER", "B-ORG", "I-ORG"), tags) == meant


@pytest.mark.parametrize(
    ("labels", "tags", "meant"),
    [
        (("PER", "O", "LOC"), ["PER", "PER", "LOC"], ["B-PER", "I-PER", "B-LOC"]),
        (("O", "I-ORG"), ["I-ORG", "O", "I-ORG"], ["B-ORG", "O", "B-ORG"]),
        (
            ("O", "B-person", "I-person", "E-person", "S-person"),
            ["B-person", "I-person", "E-person", "S-person"],
            ["B-PER", "I-PER", "I-PER", "B-PER"],
        ),
        (
            ("O", "B-GPE", "L-GPE", "U-NORP", "U-DATE"),
            ["B-GPE", "L-GPE", "U-NORP", "U-DATE"],
            ["B-LOC", "I-LOC", "B-MISC", "O"],
        ),
        (("o", "B_LOCATION", "I_LOCATION"), ["B_LOCATION", "I_LOCATION"], ["B-LOC", "I-LOC"]),
    ],
)
def test_other_schemes_and_names_become_ours(
    labels: tuple[str, ...], tags: list[str], meant: list[str]
) -> None:
    assert decoded(labels, tags) == meant


def test_words_of_one_piece_are_one_name() -> None:
    labels = ("O", "B-LOC", "I-LOC")
    four = ["B-LOC"] * 4
    assert decoded(labels, four, [False, True, True, True]) == ["B-LOC", *["I-LOC"] * 3]
    assert decoded(labels, four) == four


def test_probabilities_of_one_meaning_add_up() -> None:
    columns = entity_columns(("O", "B-GPE", "B-LOC", "B-DATE"))
    [row] = np.exp(columns.gather(np.zeros((1, 4), dtype=np.float32)))
    assert row[ENTITY_LABELS.index("B-LOC")] == pytest.approx(0.5)
    assert row[ENTITY_LABELS.index("O")] == pytest.approx(0.5)
    assert row.sum() == pytest.approx(1.0)
    assert columns.left_out == ("B-DATE",)


def test_as_bio_keeps_what_a_word_is_and_its_probability() -> None:
    generator = np.random.default_rng(3)
    columns = entity_columns(ENTITY_LABELS)
    logits = generator.normal(scale=3.0, size=(200, len(ENTITY_LABELS))).astype(np.float32)
    before = columns.gather(logits)
    after = as_bio(before, [False] * len(before))
    np.testing.assert_allclose(np.exp(after).sum(axis=1), 1.0, atol=1e-5)
    for one, other in zip(before, after, strict=True):
        assert ENTITY_LABELS[one.argmax()][2:] == ENTITY_LABELS[other.argmax()][2:]


def test_stance_labels_and_nli_labels_are_told_apart() -> None:
    assert stance_columns(("CONTRADICTION", "NEUTRAL", "ENTAILMENT")).of == (1, 2, 0)
    assert stance_columns(("No Stance", "Pro", "Con")).of == (2, 0, 1)
    assert kind_of_stance(("Entailment", "neutral", "contradiction")) == "nli"
    assert kind_of_stance(("pro", "con", "none")) == "stance"


@pytest.mark.parametrize("labels", [("pro", "con"), ("LABEL_0", "LABEL_1", "LABEL_2"), ()])
def test_labels_that_say_too_little_are_refused(labels: tuple[str, ...]) -> None:
    with pytest.raises(ModelUnsuitableError):
        stance_columns(labels)
