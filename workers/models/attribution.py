"""The attribution model: tags for every word, then for each cue its source and content."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from workers.models.bio import bio_labels
from workers.models.manifest import Manifest, load_manifest
from workers.models.sessions import Session, open_tokenizer, sequence_inputs
from workers.models.token_tagger import WindowMaker, word_rows
from workers.models.words import Window, Word

TAG_LABELS = bio_labels(("SOURCE", "CUE", "CONTENT"))
LINK_LABELS = ("none", "source", "content")

# Words further from the cue than these share a bucket; 0 is the cue itself,
# each border counts once before and once after it.
_BORDERS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
DISTANCE_BUCKETS = 1 + 2 * (len(_BORDERS) + 1)


def distance_bucket(word: int, first: int, last: int) -> int:
    """Bucket of a word's distance from the cue `first:last` (word numbers)."""
    if first <= word < last:
        return 0
    gap = first - word if word < first else word - last + 1
    step = sum(gap > border for border in _BORDERS)
    return 1 + step if word < first else 2 + len(_BORDERS) + step


@dataclass(frozen=True, slots=True)
class TaggedWindow:
    """Tag logits (words, 7) and features (words, width) of one window's words."""

    logits: NDArray[np.float32]
    features: NDArray[np.float32]


class AttributionReader(Protocol):
    """What the attribute stage needs; tests bring a small fake."""

    @property
    def thresholds(self) -> dict[str, float]:
        """`cue_bias`, `rescue_bias`, `switch_penalty`, `minimum_score`, `radius`."""
        ...

    def windows(self, words: Sequence[Word], breaks: Collection[int]) -> list[Window]:
        """Overlapping windows over the words; `breaks` are first words of paragraphs."""
        ...

    def tag(self, windows: Sequence[Window]) -> list[TaggedWindow]:
        """Tags and features of each window's words."""
        ...

    def link(self, features: NDArray[np.float32], distances: Sequence[int]) -> NDArray[np.float32]:
        """Logits (words, 3) over LINK_LABELS of the words around one cue."""
        ...


class AttributionModel:
    """Encoder (int8) and cue reader (float, small) in ONNX."""

    TASK = "attribution"

    def __init__(self, manifest: Manifest, threads: int = 1) -> None:
        self.manifest = manifest
        self._windows = WindowMaker(manifest, open_tokenizer(manifest.path("tokenizer.json")))
        self._encoder = Session(manifest.path("model.onnx"), threads)
        self._reader = Session(manifest.path("reader.onnx"), threads)

    @classmethod
    def load(cls, folder: Path, threads: int = 1) -> "AttributionModel":
        """Check and open a model folder. Raises ModelError."""
        return cls(load_manifest(folder, cls.TASK), threads)

    @property
    def thresholds(self) -> dict[str, float]:
        """`cue_bias`, `rescue_bias`, `switch_penalty`, `minimum_score`, `radius`."""
        return self.manifest.thresholds

    @property
    def tokens_read(self) -> int:
        """Wordpieces read since it was opened."""
        return self._encoder.tokens_read

    def windows(self, words: Sequence[Word], breaks: Collection[int]) -> list[Window]:
        """Overlapping windows over the words; `breaks` are first words of paragraphs."""
        return self._windows(words, breaks)

    def tag(self, windows: Sequence[Window]) -> list[TaggedWindow]:
        """Tags and features of each window's words."""
        tagged = []
        for window in windows:
            logits, features = self._encoder.run(
                sequence_inputs(window.input_ids, window.token_type_ids), self.manifest.outputs
            )
            positions = np.maximum(np.array(window.positions, dtype=np.int64), 0)
            tagged.append(TaggedWindow(word_rows(window, logits[0]), features[0][positions]))
        return tagged

    def link(self, features: NDArray[np.float32], distances: Sequence[int]) -> NDArray[np.float32]:
        """Logits (words, 3) over LINK_LABELS of the words around one cue."""
        numbers = np.array([distances], dtype=np.int64)
        [logits] = self._reader.run(
            {
                "features": features[None].astype(np.float32),
                "distances": numbers,
                "mask": np.ones_like(numbers),
            }
        )
        rows: NDArray[np.float32] = logits[0]
        return rows
