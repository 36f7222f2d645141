"""The larger stance model is asked where the small one is not certain, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from benchmarks.stance_sets import AnsweredSet
from service.domain.analysis import Probabilities
from service.settings import MODEL_PROFILES, load_settings
from training import cascade as cascade_training
from training.stance_data import Example
from workers.models.cascade import CERTAIN, StanceCascade, confidence
from workers.models.chosen import open_stance
from workers.models.manifest import ModelCorruptError, read_manifest
from workers.models.profiles import PROFILES, STANCE
from workers.models.stance import Answer, StanceModel
from workers.models.stance_inputs import QUESTION_KINDS, StanceQuestion
from workers.pipeline import Pipeline

WEIGHTS = Path(__file__).parents[2] / "workers" / "weights"
RELATION = StanceQuestion("Ann met Bob.", target="Bob", holder="Ann")
AUTHOR = StanceQuestion("Ann met Bob.", target="Bob")
TOPIC = StanceQuestion("Ann met Bob.", target="meetings", topic=True)


@dataclass
class Stub:
    """Answers every question with one probability of favor, and remembers what it was asked."""

    favor: float
    certain: dict[str, Any] | None = None
    asked: list[StanceQuestion] = field(default_factory=list)
    tokens_read: int = 0

    @property
    def manifest(self) -> Any:
        found = read_manifest(WEIGHTS / "stance")
        kept = {key: value for key, value in found.document.items() if key != CERTAIN}
        said = {} if self.certain is None else {CERTAIN: self.certain}
        return replace(found, document={**kept, **said})

    @property
    def manifests(self) -> Any:
        return (self.manifest,)

    @property
    def thresholds(self) -> dict[str, float]:
        return dict.fromkeys(QUESTION_KINDS, self.favor / 2)

    def score(self, questions: Sequence[StanceQuestion]) -> list[Answer]:
        self.asked += questions
        self.tokens_read += len(questions)
        rest = (1 - self.favor) / 2
        return [Answer(Probabilities(self.favor, rest, rest), False) for _ in questions]


def cascade(first: Stub, second: Stub) -> StanceCascade:
    return StanceCascade(cast(StanceModel, first), cast(StanceModel, second))


def test_only_doubtful_questions_reach_the_larger_model() -> None:
    first = Stub(0.8, {"relation": 0.7, "author": 0.8, "topic": 0.81})
    second = Stub(0.6)
    both = cascade(first, second)
    asked = [TOPIC, RELATION, AUTHOR, TOPIC, RELATION]
    answers = both.score(asked)
    assert [confidence(answer) for answer in answers] == [0.6, 0.8, 0.8, 0.6, 0.8]
    assert first.asked == asked
    assert second.asked == [TOPIC, TOPIC]
    assert both.asked_second == 2
    assert both.tokens_read == 7
    assert both.thresholds == second.thresholds
    assert both.score([]) == []


@pytest.mark.parametrize(
    "certain", [None, {"relation": 0.7}, {"relation": "?", "author": 1, "topic": 1}, 0.9]
)
def test_a_first_model_must_say_when_it_is_certain(certain: Any) -> None:
    with pytest.raises(ModelCorruptError, match="certain"):
        cascade(Stub(0.8, certain), Stub(0.6))


def test_the_settings_name_the_profiles_that_there_are() -> None:
    assert MODEL_PROFILES == PROFILES


def test_the_shipped_pair_is_certain_only_above_the_confidence_that_gives_a_label() -> None:
    certain = read_manifest(WEIGHTS / "stance").document[CERTAIN]
    for folder in ("stance", "stance-accurate"):
        thresholds = read_manifest(WEIGHTS / folder).thresholds
        assert all(certain[kind] >= thresholds[kind] for kind in QUESTION_KINDS)


def test_the_shipped_pair_answers_as_one_of_its_models() -> None:
    both = open_stance(WEIGHTS, "cascade")
    assert isinstance(both, StanceCascade)
    text = "Finance Minister Peter Okoro praised Anna Lindqvist, who met Bo Park in Lagos."
    asked = [
        StanceQuestion(text, target=target, holder=holder)
        for target, holder in [
            ("Anna Lindqvist", "Peter Okoro"),
            ("Bo Park", "Anna Lindqvist"),
            ("Lagos", None),
        ]
    ]
    small, large = (open_stance(WEIGHTS, profile).score(asked) for profile in ("fast", "accurate"))
    for question, answer, one, other in zip(asked, both.score(asked), small, large, strict=True):
        assert answer == (one if confidence(one) >= both.certain[question.kind] else other)


def test_a_pipeline_shows_both_stance_models(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = set()
    for profile in PROFILES:
        monkeypatch.setenv("STANCEWIRE_PROFILE", profile)
        Pipeline.check(load_settings())
        pipeline = Pipeline.load(load_settings())
        versions.add(pipeline.version)
    assert len(versions) == len(PROFILES)
    stances = [model["name"] for model in pipeline.models if model["task"] == STANCE]
    assert stances == ["stancewire-stance-minilm", "stancewire-stance-mpnet"]


def said(*answers: tuple[int, float]) -> AnsweredSet:
    """Answers (label, confidence) to questions that are favor and against in turns."""
    rows = []
    for label, sure in answers:
        row = np.full(3, (1 - sure) / 2)
        row[label] = sure
        rows.append(row)
    examples = [Example(AUTHOR, place % 2, "newsmtsc") for place in range(len(rows))]
    return AnsweredSet("newsmtsc", examples, np.array(rows), 0)


def test_the_curve_mixes_both_models_answers_by_the_first_ones_confidence() -> None:
    first = said((0, 0.9), (0, 0.7), (1, 0.5), (1, 0.8))
    pair = cascade_training.Pair(first, said((0, 0.6), (1, 0.6), (0, 0.6), (0, 0.6)))
    assert pair.asked(0.7).tolist() == [False, False, True, False]
    assert pair.asked(0.71).tolist() == [False, True, True, False]
    points = {point[CERTAIN]: point for point in cascade_training.curve(pair)}
    assert [points[at]["asked"] for at in (0.34, 0.6, 0.76, 0.86, 1.0)] == [0, 0.25, 0.5, 0.75, 1]
    # All right once the middle two are asked again; asking for the last one makes it wrong.
    assert points[0.76]["macro_f1"] == 1.0
    assert points[0.34]["macro_f1"] == 0.5
    assert points[0.86]["macro_f1"] == points[1.0]["macro_f1"] < 1.0


def test_certain_is_the_lowest_confidence_from_which_on_nothing_is_lost() -> None:
    def points(*falling: tuple[float, float]) -> list[dict[str, float]]:
        """1.0 everywhere but up to each confidence, where it is the given figure."""
        return [
            {
                CERTAIN: at,
                "asked": at,
                "f1": min([f1 for upto, f1 in falling if at <= upto] + [1.0]),
            }
            for at in cascade_training.GRID
        ]

    lowest = cascade_training.lowest
    assert lowest([points((0.6, 0.9))], 0.4) == 0.62
    assert lowest([points((0.6, 0.9)), points((0.8, 0.99))], 0.4) == 0.82
    assert lowest([points((0.6, 0.996))], 0.4) == 0.4
    assert lowest([points((0.6, 0.9))], 0.75) == 0.76
    assert lowest([points((0.98, 0.9))], 0.4) == 1.0
