"""BIO tags ↔ spans: constrained decoding and its inverse."""

import numpy as np
from numpy.typing import NDArray

OUTSIDE = "O"


def bio_labels(types: tuple[str, ...]) -> tuple[str, ...]:
    """O, then B- and I- of each type, in order."""
    return (OUTSIDE, *(f"{prefix}-{name}" for name in types for prefix in "BI"))


def allowed_transitions(labels: tuple[str, ...]) -> NDArray[np.bool_]:
    """`allowed[a, b]`: may b follow a? I-X follows B-X or I-X only. Shape (labels, labels)."""
    allowed = np.ones((len(labels), len(labels)), dtype=np.bool_)
    for column, following in enumerate(labels):
        if following.startswith("I-"):
            for row, previous in enumerate(labels):
                allowed[row, column] = previous[2:] == following[2:] and previous != OUTSIDE
    return allowed


def viterbi(scores: NDArray[np.float32], labels: tuple[str, ...]) -> list[int]:
    """Best path of label numbers that is valid BIO.

    `scores`: log probabilities, (words, labels). Empty input gives an empty path.
    """
    if not len(scores):
        return []
    barred = np.where(allowed_transitions(labels), 0.0, -np.inf)
    opening = np.array([-np.inf if name.startswith("I-") else 0.0 for name in labels])
    best = scores[0].astype(np.float64) + opening
    pointers = np.zeros(scores.shape, dtype=np.int64)
    for index in range(1, len(scores)):
        paths = best[:, None] + barred
        pointers[index] = paths.argmax(axis=0)
        best = paths.max(axis=0) + scores[index]
    path = [int(best.argmax())]
    for index in range(len(scores) - 1, 0, -1):
        path.append(int(pointers[index, path[-1]]))
    return path[::-1]


def spans_of(tags: list[str]) -> list[tuple[str, int, int]]:
    """Runs (type, first, end) of a tag sequence, read as conlleval does.

    An I- that continues nothing begins a span.
    """
    spans: list[tuple[str, int, int]] = []
    kind, first = "", 0
    for index, tag in enumerate([*tags, OUTSIDE]):
        prefix, _, name = tag.partition("-")
        if kind and (prefix != "I" or name != kind):
            spans.append((kind, first, index))
            kind = ""
        if not kind and prefix in ("B", "I"):
            kind, first = name, index
    return spans
