"""BIO decoding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.models.bio import allowed_transitions, bio_labels, spans_of, viterbi

LABELS = bio_labels(("PER", "LOC"))


def test_labels_and_transitions() -> None:
    assert LABELS == ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
    allowed = allowed_transitions(LABELS)
    inside = LABELS.index("I-PER")
    assert [LABELS[row] for row in np.flatnonzero(allowed[:, inside])] == ["B-PER", "I-PER"]


def test_viterbi_prefers_a_valid_path_over_the_best_single_labels() -> None:
    # Word by word: O, then I-LOC. Valid and best: B-LOC I-LOC.
    scores = np.log(
        np.array([[0.5, 0.05, 0.0001, 0.44, 0.01], [0.05, 0.01, 0.01, 0.03, 0.9]], dtype=np.float32)
    )
    assert [LABELS[number] for number in viterbi(scores, LABELS)] == ["B-LOC", "I-LOC"]


@given(
    st.lists(st.lists(st.floats(-30, 0, width=32), min_size=5, max_size=5), min_size=0, max_size=12)
)
def test_viterbi_is_always_valid(rows: list[list[float]]) -> None:
    scores = np.array(rows, dtype=np.float32).reshape(-1, 5)
    tags = [LABELS[number] for number in viterbi(scores, LABELS)]
    assert len(tags) == len(rows)
    for previous, tag in zip(["O", *tags], tags, strict=False):
        if tag.startswith("I-"):
            assert previous != "O"
            assert previous[2:] == tag[2:]


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        (["O"], []),
        (["B-PER", "I-PER", "O", "B-PER"], [("PER", 0, 2), ("PER", 3, 4)]),
        (["B-PER", "B-PER"], [("PER", 0, 1), ("PER", 1, 2)]),
        (["B-PER", "I-LOC"], [("PER", 0, 1), ("LOC", 1, 2)]),
        (["O", "I-LOC", "I-LOC"], [("LOC", 1, 3)]),
    ],
)
def test_spans(tags: list[str], spans: list[tuple[str, int, int]]) -> None:
    assert spans_of(tags) == spans
