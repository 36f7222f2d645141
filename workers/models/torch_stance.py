"""A stance model by name behind the interface of the bundled one: stance labels or NLI labels."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from service.domain.analysis import Probabilities
from workers.models.foreign_labels import kind_of_stance, stance_columns
from workers.models.manifest import OneModel
from workers.models.named import CLASSIFIER, NamedModel, identity
from workers.models.profiles import STANCE
from workers.models.stance import Answer
from workers.models.stance_inputs import (
    AUTHOR,
    QUESTION_KINDS,
    QuestionKind,
    StanceQuestion,
    surface,
)
from workers.models.torch_runtime import TorchModel, library_versions

log = logging.getLogger(__name__)

# Without calibration no curve says where to abstain: a label is given when it is likelier than the
# two others together.
_THRESHOLD = 0.5


class TorchStance(OneModel):
    """Any `AutoModelForSequenceClassification` whose labels say favor, against and neutral, or
    entailment, contradiction and neutral.

    It reads the passage as the premise and the question, put into words by the template, as the
    hypothesis. Probabilities are the model's own; they are not calibrated.
    """

    def __init__(self, model: NamedModel, template: str, threads: int = 1) -> None:
        """`template` names {holder} and {target}. Raises ModelError."""
        self._columns = stance_columns(model.labels)
        self._model = TorchModel(model, CLASSIFIER, threads)
        self._template = template
        self.thresholds: dict[QuestionKind, float] = dict.fromkeys(QUESTION_KINDS, _THRESHOLD)
        longest = self._model.longest
        self.manifest = identity(
            model,
            STANCE,
            {
                "max_length": longest,
                "window": longest,
                "stride": longest,
                "reads": kind_of_stance(model.labels),
                "hypothesis": template,
                "thresholds": dict.fromkeys(QUESTION_KINDS, _THRESHOLD),
                "libraries": library_versions(),
            },
        )
        log.warning("%s: its probabilities are not calibrated", model.name)

    @property
    def tokens_read(self) -> int:
        """Wordpieces that it has read since it was loaded."""
        return self._model.tokens_read

    def score(self, questions: Sequence[StanceQuestion]) -> list[Answer]:
        """One answer a question, in order. Raises ValueError where a target is blank."""
        return [self._answer(question) for question in questions]

    def hypothesis(self, question: StanceQuestion) -> str:
        """The question in words. Raises ValueError where the target is blank."""
        target = _name(question.target)
        if not target:
            raise ValueError("the target of a stance question is blank")
        holder = _name(question.holder) if question.holder is not None else ""
        if not holder:
            holder = AUTHOR.capitalize() if self._template.startswith("{holder}") else AUTHOR
        return self._template.format(holder=holder, target=target)

    def _answer(self, question: StanceQuestion) -> Answer:
        tokenizer, longest = self._model.tokenizer, self._model.longest
        pair = (question.text, self.hypothesis(question))
        read = tokenizer(*pair, return_token_type_ids=True, verbose=False)
        truncated = len(read["input_ids"]) > longest
        if truncated:
            read = tokenizer(
                *pair, return_token_type_ids=True, truncation="longest_first", max_length=longest
            )
        logits = self._model.run(read["input_ids"], read["token_type_ids"])
        logs = self._columns.gather(logits[None])[0]
        favor, against, neutral = (float(value) for value in np.exp(logs.astype(np.float64)))
        whole = favor + against + neutral
        given = Probabilities(favor / whole, against / whole, neutral / whole)
        return Answer(given, truncated)


def _name(name: str) -> str:
    return surface(name, (0, len(name))) or name.strip()
