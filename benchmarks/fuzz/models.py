"""The bundled models' tokenisers with numbers drawn at random instead of networks.

Random numbers take every path through decoding, joining and merging that a network may or may not
take, at a hundredth of the time. The same words get the same numbers in every run.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from service.domain.analysis import Probabilities
from workers.models.attribution import LINK_LABELS, TAG_LABELS, TaggedWindow
from workers.models.manifest import Manifest, OneModel, load_manifest
from workers.models.profiles import ATTRIBUTION, NER, STANCE, model_folder
from workers.models.sessions import open_tokenizer, token_id
from workers.models.stance import Answer
from workers.models.stance_inputs import QUESTION_KINDS, StanceEncoder, StanceQuestion
from workers.models.token_tagger import word_rows
from workers.models.words import Window, Word, encode_words, make_windows
from workers.pipeline import Pipeline

# Short windows: even a short text has borders between them.
_WINDOW, _STRIDE = 48, 32
_FEATURES = 8


def random_pipeline(weights: Path, salt: int = 0) -> Pipeline:
    """The worker's pipeline over random numbers; `salt` chooses which."""

    def manifest(task: str) -> Manifest:
        return load_manifest(model_folder(weights, "fast", task), task)

    stand_ins: list[Any] = [
        _RandomTagger(manifest(NER), salt),
        _RandomReader(manifest(ATTRIBUTION), salt),
        _RandomScorer(manifest(STANCE), salt),
    ]
    return Pipeline(*stand_ins)


def _numbers(salt: int, key: bytes, *shape: int) -> NDArray[np.float32]:
    """Normal numbers that depend on the arguments only."""
    generator = np.random.default_rng((salt, crc32(key)))
    return generator.standard_normal(shape, dtype=np.float32)


def _key(window: Window) -> bytes:
    return np.asarray(window.input_ids, dtype=np.int64).tobytes()


class _Windows:
    def __init__(self, manifest: Manifest, salt: int) -> None:
        self.manifest = manifest
        self.salt = salt
        self._tokenizer = open_tokenizer(manifest.path("tokenizer.json"))
        self._ends = [token_id(self._tokenizer, name) for name in ("[CLS]", "[SEP]")]

    def windows(self, words: Sequence[Word], breaks: Collection[int]) -> list[Window]:
        """Short ones."""
        return make_windows(
            encode_words(self._tokenizer, words),
            breaks=breaks,
            cls_id=self._ends[0],
            sep_id=self._ends[1],
            max_length=_WINDOW,
            stride=_STRIDE,
        )


class _RandomTagger(_Windows, OneModel):
    """A `TokenTagger`: about every fifth word names something."""

    whole_paragraphs = False

    @property
    def labels(self) -> tuple[str, ...]:
        return self.manifest.labels

    def tag(self, windows: Sequence[Window]) -> list[NDArray[np.float32]]:
        rows = []
        for window in windows:
            pieces = 3 * _numbers(
                self.salt, _key(window), len(window.input_ids), len(self.manifest.labels)
            )
            pieces[:, 0] += 4
            rows.append(word_rows(window, pieces))
        return rows


class _RandomReader(_Windows):
    """An `AttributionReader`: many cues, and sources and contents in long runs."""

    @property
    def thresholds(self) -> dict[str, float]:
        # The real ones would throw away nearly everything that is drawn at random.
        return {**self.manifest.thresholds, "minimum_score": 0.0, "switch_penalty": 1.0}

    def tag(self, windows: Sequence[Window]) -> list[TaggedWindow]:
        tagged = []
        for window in windows:
            numbers = _numbers(
                self.salt, _key(window), len(window.input_ids), len(TAG_LABELS) + _FEATURES
            )
            numbers[:, 0] += 1
            logits = word_rows(window, 3 * numbers[:, : len(TAG_LABELS)])
            features = numbers[np.maximum(np.array(window.positions), 0), len(TAG_LABELS) :]
            tagged.append(TaggedWindow(logits, features))
        return tagged

    def link(self, features: NDArray[np.float32], distances: Sequence[int]) -> NDArray[np.float32]:
        rows: NDArray[np.float32] = 2 * features[:, : len(LINK_LABELS)]
        # Near the cue everything is likelier, as in articles.
        rows[:, 1:] += 1.0 - np.minimum(np.array(distances), 12)[:, None] / 8
        return rows


@dataclass(slots=True)
class _RandomScorer(OneModel):
    """A `StanceModel` that reads its questions and then answers anything."""

    manifest: Manifest
    salt: int
    encoder: StanceEncoder

    def __init__(self, manifest: Manifest, salt: int) -> None:
        self.manifest = manifest
        self.salt = salt
        tokenizer = open_tokenizer(manifest.path("tokenizer.json"))
        self.encoder = StanceEncoder(tokenizer, manifest.max_length)

    @property
    def thresholds(self) -> dict[Any, float]:
        return {kind: self.manifest.thresholds[kind] for kind in QUESTION_KINDS}

    def score(self, questions: Sequence[StanceQuestion]) -> list[Answer]:
        answers = []
        for question in questions:
            encoded = self.encoder.encode(question)
            raised = np.exp(2 * _numbers(self.salt, repr(encoded).encode(), 3).astype(np.float64))
            favor, against, neutral = (float(value) for value in raised / raised.sum())
            answers.append(Answer(Probabilities(favor, against, neutral), encoded.truncated))
        return answers
