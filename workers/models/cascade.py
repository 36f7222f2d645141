"""Two stance models in a row: a small one answers where it is certain, a large one elsewhere.

After Viola and Jones 2001, "Rapid object detection using a boosted cascade of simple features".
What certain means was chosen on development data by `training.cascade`, for each kind of question,
and stands in the small model's manifest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workers.models.manifest import Manifest, ModelCorruptError
from workers.models.stance import Answer, StanceModel
from workers.models.stance_inputs import QUESTION_KINDS, QuestionKind, StanceQuestion

CERTAIN = "certain"


class StanceCascade:
    """Answers like the larger model, most of the time at the smaller one's cost.

    Each question goes its way alone, so no neighbour changes an answer.
    """

    def __init__(self, first: StanceModel, second: StanceModel) -> None:
        """Raises ModelCorruptError if the first one's manifest does not say when it is certain."""
        try:
            said = first.manifest.document[CERTAIN]
            self.certain: dict[QuestionKind, float] = {
                kind: float(said[kind]) for kind in QUESTION_KINDS
            }
        except (KeyError, TypeError, ValueError) as err:
            raise ModelCorruptError(
                f"{first.manifest.folder}: no confidence to be certain at: {err!r}"
            ) from err
        self._first, self._second = first, second
        self.asked_second = 0

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """Of both, the one that is asked first in front."""
        return (*self._first.manifests, *self._second.manifests)

    @property
    def thresholds(self) -> Mapping[QuestionKind, float]:
        """The larger model's; where the smaller one is certain it is above its own as well."""
        return self._second.thresholds

    @property
    def tokens_read(self) -> int:
        """Wordpieces read by both since they were opened."""
        return self._first.tokens_read + self._second.tokens_read

    def score(self, questions: Sequence[StanceQuestion]) -> list[Answer]:
        """One answer a question, in order. Raises ValueError where a target is blank."""
        answers = self._first.score(questions)
        doubtful = [
            place
            for place, (question, answer) in enumerate(zip(questions, answers, strict=True))
            if confidence(answer) < self.certain[question.kind]
        ]
        again = self._second.score([questions[place] for place in doubtful])
        for place, answer in zip(doubtful, again, strict=True):
            answers[place] = answer
        self.asked_second += len(doubtful)
        return answers


def confidence(answer: Answer) -> float:
    """The probability of the likeliest label."""
    given = answer.probabilities
    return max(given.favor, given.against, given.neutral)
