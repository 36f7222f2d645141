"""Two stance models at once, a small one and a large one: their answers pooled, or in a cascade.

What the pair needs was chosen on development data by `training.pair` and stands in the large
model's manifest as `pair`: the small one's `share` of a pooled answer, the `thresholds` of the
pair, and, by kind of question, from which probability of neutral on the small one is `certain`
that nobody takes a side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from service.domain.analysis import Probabilities
from workers.models.manifest import Manifest, ModelCorruptError
from workers.models.stance import Answer, StanceModel
from workers.models.stance_inputs import QUESTION_KINDS, QuestionKind, StanceQuestion

PAIR = "pair"


class StancePair:
    """Answers with both models, or with the small one alone where it is certain of neutral.

    The latter is a cascade of rejections (Viola and Jones 2001, "Rapid object detection using a
    boosted cascade of simple features"): most questions have no stance, and end at the small
    model's cost; no side is taken unless both were asked. Each question goes its way alone, so no
    neighbour changes an answer.
    """

    def __init__(self, small: StanceModel, large: StanceModel, *, cascade: bool) -> None:
        """Raises ModelCorruptError if the large one's manifest lacks what the pair needs."""
        try:
            said = large.manifest.document[PAIR]
            self.share = float(said["share"])
            self.thresholds: Mapping[QuestionKind, float] = {
                kind: float(said["thresholds"][kind]) for kind in QUESTION_KINDS
            }
            self.certain: Mapping[QuestionKind, float] = {
                kind: float(said["certain"][kind]) for kind in QUESTION_KINDS
            }
        except (KeyError, TypeError, ValueError) as err:
            raise ModelCorruptError(
                f"{large.manifest.folder}: not all of what a pair needs: {err!r}"
            ) from err
        self.cascade = cascade
        self._small, self._large = small, large

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """Of both, the small one's in front."""
        return (*self._small.manifests, *self._large.manifests)

    @property
    def digest(self) -> str:
        """Of all that its answers depend on: both models, and how they are asked."""
        way = "cascade" if self.cascade else "pooled"
        return " ".join((way, *(found.digest for found in self.manifests)))

    @property
    def tokens_read(self) -> int:
        """Wordpieces read by both since they were opened."""
        return self._small.tokens_read + self._large.tokens_read

    def score(self, questions: Sequence[StanceQuestion]) -> list[Answer]:
        """One answer a question, in order. Raises ValueError where a target is blank."""
        answers = self._small.score(questions)
        asked = [
            place
            for place, (question, answer) in enumerate(zip(questions, answers, strict=True))
            if not self.cascade or answer.probabilities.neutral < self.certain[question.kind]
        ]
        large = self._large.score([questions[place] for place in asked])
        for place, answer in zip(asked, large, strict=True):
            answers[place] = self._joined(answers[place], answer)
        return answers

    def _joined(self, small: Answer, large: Answer) -> Answer:
        rows = [
            np.array((one.favor, one.against, one.neutral))
            for one in (small.probabilities, large.probabilities)
        ]
        favor, against, neutral = (float(value) for value in pooled(rows[0], rows[1], self.share))
        return Answer(Probabilities(favor, against, neutral), small.truncated or large.truncated)


def pooled(
    small: NDArray[np.float64], large: NDArray[np.float64], share: float
) -> NDArray[np.float64]:
    """The logarithmic pool of two models' probabilities (…, labels), which sums to 1.

    Genest and Zidek 1986, "Combining probability distributions": the weighted geometric mean.
    """
    smallest = np.finfo(np.float64).tiny
    joint = np.maximum(small, smallest) ** share * np.maximum(large, smallest) ** (1 - share)
    probabilities: NDArray[np.float64] = joint / joint.sum(axis=-1, keepdims=True)
    return probabilities
