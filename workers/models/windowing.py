"""Answers of overlapping windows, put together word by word."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workers.models.words import Window


def log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log probabilities over the last axis, computed in double precision."""
    values = logits.astype(np.float64)
    values -= values.max(axis=-1, keepdims=True)
    values -= np.log(np.exp(values).sum(axis=-1, keepdims=True))
    return values.astype(np.float32)


def central_windows(windows: Sequence[Window], count: int) -> NDArray[np.int64]:
    """For each of `count` words the window in which it is furthest from a border.

    The first such window wins; the text's own ends are no border. Every word must
    lie in some window.
    """
    best = np.full(count, -1, dtype=np.int64)
    distance = np.full(count, -1, dtype=np.int64)
    for number, window in enumerate(windows):
        words = np.arange(window.first_word, window.last_word)
        left = words - window.first_word if window.first_word else np.full(len(words), count)
        right = (
            window.last_word - 1 - words if window.last_word < count else np.full(len(words), count)
        )
        near = np.minimum(left, right)
        better = near > distance[words]
        best[words[better]] = number
        distance[words[better]] = near[better]
    return best


def merge_windows(
    windows: Sequence[Window], rows: Sequence[NDArray[np.float32]], count: int
) -> NDArray[np.float32]:
    """Each word's row from its most central window: (count, columns).

    `rows[k]` has one line for each word of `windows[k]`.
    """
    chosen = central_windows(windows, count)
    merged = np.zeros((count, rows[0].shape[1] if rows else 0), dtype=np.float32)
    for number, (window, row) in enumerate(zip(windows, rows, strict=True)):
        words = np.arange(window.first_word, window.last_word)
        mine = chosen[words] == number
        merged[words[mine]] = row[mine]
    return merged
