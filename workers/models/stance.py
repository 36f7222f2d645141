"""The stance model: questions in, calibrated probabilities out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.domain.analysis import Probabilities
from workers.models.manifest import ModelCorruptError, OneModel
from workers.models.pair_classifier import PairClassifier
from workers.models.stance_inputs import QUESTION_KINDS, StanceEncoder, StanceQuestion

LABELS = ("favor", "against", "neutral")
_TINY = 1e-12
_LOWEST_ENTROPY = 1e-6


@dataclass(frozen=True, slots=True)
class Calibration:
    """Vector scaling of one kind of question: softmax(logits * scale * entropy ** power + bias).

    `scale` is one over the temperature (Guo et al. 2017, "On Calibration of Modern Neural
    Networks"), which the normalised entropy of softmax(logits) raises or lowers (Balanya et al.
    2022, "Adaptive Temperature Scaling for Robust Calibration of Deep Neural Networks"): with a
    negative power, what the network is sure of becomes surer. The three biases correct for how
    often each label occurs in that kind.
    """

    scale: float
    bias: tuple[float, float, float]
    entropy_power: float = 0.0

    def apply(self, logits: NDArray[np.float32]) -> NDArray[np.float64]:
        """Logits (…, 3) to probabilities (…, 3) that sum to 1."""
        exact = logits.astype(np.float64)
        hot = np.exp(self.entropy_power * log_entropy(exact))
        return softmax(exact * self.scale * hot[..., None] + np.asarray(self.bias))


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logits (…, labels) to probabilities (…, labels) that sum to 1."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probabilities: NDArray[np.float64] = raised / raised.sum(axis=-1, keepdims=True)
    return probabilities


def log_entropy(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logits (…, labels) to the logarithm (…) of the entropy of their softmax, which is between 0
    and 1 where all labels are alike; not below the logarithm of a millionth."""
    likely = softmax(logits)
    entropy = -(likely * np.log(np.maximum(likely, _TINY))).sum(axis=-1) / np.log(logits.shape[-1])
    logarithm: NDArray[np.float64] = np.log(np.maximum(entropy, _LOWEST_ENTROPY))
    return logarithm


@dataclass(frozen=True, slots=True)
class Answer:
    """Probabilities for one question; `truncated` means that not all of its text was read."""

    probabilities: Probabilities
    truncated: bool


class StanceModel(OneModel):
    """Answers stance questions; the classifier runs each alone, so no neighbour changes one."""

    def __init__(self, classifier: PairClassifier) -> None:
        """Raises ModelCorruptError if the manifest lacks what a stance model needs."""
        manifest = classifier.manifest
        if manifest.labels != LABELS:
            raise ModelCorruptError(f"{manifest.folder}: labels {manifest.labels}, not {LABELS}")
        try:
            self._calibrations = _calibrations(manifest.document["calibration"])
            self.thresholds = {kind: manifest.thresholds[kind] for kind in QUESTION_KINDS}
        except (KeyError, ValueError, TypeError) as err:
            raise ModelCorruptError(f"{manifest.folder}: no full calibration: {err!r}") from err
        self.manifest = manifest
        self._classifier = classifier
        self._encoder = StanceEncoder(classifier.tokenizer, manifest.max_length)

    @classmethod
    def load(cls, folder: Path, threads: int = 1) -> StanceModel:
        """Checks and opens a model folder. Raises ModelError."""
        return cls(PairClassifier.load(folder, threads))

    @property
    def tokens_read(self) -> int:
        """Wordpieces read since it was opened."""
        return self._classifier.tokens_read

    def score(self, questions: Sequence[StanceQuestion]) -> list[Answer]:
        """One answer a question, in order. Raises ValueError where a target is blank."""
        answers = []
        for question in questions:
            encoded = self._encoder.encode(question)
            logits = self._classifier.logits([encoded])[0]
            scaled = self._calibrations[question.kind].apply(logits)
            favor, against, neutral = (float(value) for value in scaled)
            answers.append(Answer(Probabilities(favor, against, neutral), encoded.truncated))
        return answers

    def logits(self, questions: Sequence[StanceQuestion]) -> NDArray[np.float32]:
        """Uncalibrated logits (questions, 3) in the order of `LABELS`; calibration needs them."""
        return self._classifier.logits([self._encoder.encode(question) for question in questions])


def _calibrations(settings: Mapping[str, Any]) -> dict[str, Calibration]:
    read: dict[str, Calibration] = {}
    for kind in QUESTION_KINDS:
        favor, against, neutral = (float(value) for value in settings[kind]["bias"])
        read[kind] = Calibration(
            float(settings[kind]["scale"]),
            (favor, against, neutral),
            float(settings[kind]["entropy_power"]),
        )
    return read
