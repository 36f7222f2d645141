"""Two stance models answer together; in a cascade the large one unless the small one is certain
that nobody takes a side."""

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
from training import pair as training
from training.stance_data import Example
from workers.models.chosen import open_stance
from workers.models.manifest import ModelCorruptError, read_manifest
from workers.models.profiles import ACCURATE, CASCADE, PROFILES, STANCE, stance_folders
from workers.models.stance import LABELS, Answer, StanceModel
from workers.models.stance_inputs import QUESTION_KINDS, StanceQuestion
from workers.models.stance_pair import PAIR, StancePair, pooled
from workers.pipeline import Pipeline

WEIGHTS = Path(__file__).parents[2] / "workers" / "weights"
RELATION = StanceQuestion("Ann met Bob.", target="Bob", holder="Ann")
AUTHOR = StanceQuestion("Ann met Bob.", target="Bob")
TOPIC = StanceQuestion("Ann met Bob.", target="meetings", topic=True)
CERTAIN = {"relation": 0.7, "author": 0.8, "topic": 0.81}
SAID: dict[str, Any] = {
    "share": 0.25,
    "thresholds": dict.fromkeys(QUESTION_KINDS, 0.5),
    "certain": CERTAIN,
}


@dataclass
class Stub:
    """Answers every question with one probability of a label, the others alike, and remembers what
    it was asked."""

    probability: float
    said: Any = None
    label: str = "favor"
    truncated: bool = False
    asked: list[StanceQuestion] = field(default_factory=list)
    tokens_read: int = 0

    @property
    def manifest(self) -> Any:
        found = read_manifest(WEIGHTS / "stance")
        said = {} if self.said is None else {PAIR: self.said}
        return replace(found, document={**found.document, **said})

    @property
    def manifests(self) -> Any:
        return (self.manifest,)

    def score(self, questions: Sequence[StanceQuestion]) -> list[Answer]:
        self.asked += questions
        self.tokens_read += len(questions)
        rest = (1 - self.probability) / 2
        probabilities = {**dict.fromkeys(LABELS, rest), self.label: self.probability}
        return [Answer(Probabilities(**probabilities), self.truncated) for _ in questions]


def pair(small: Stub, large: Stub, *, cascade: bool = False) -> StancePair:
    return StancePair(cast(StanceModel, small), cast(StanceModel, large), cascade=cascade)


def test_both_answer_and_their_answers_are_pooled() -> None:
    small, large = Stub(0.8), Stub(0.5, SAID, truncated=True)
    both = pair(small, large)
    [answer] = both.score([RELATION])
    # Weighted geometric means: 0.8^¼ 0.5^¾ and twice 0.1^¼ 0.25^¾, of their sum.
    assert answer.probabilities.favor == pytest.approx(0.585786, abs=1e-6)
    assert answer.probabilities.against == answer.probabilities.neutral
    assert answer.truncated
    assert (small.asked, large.asked) == ([RELATION], [RELATION])
    assert both.tokens_read == 2
    assert both.thresholds == SAID["thresholds"]
    assert both.score([]) == []


def test_in_a_cascade_a_sure_neutral_does_not_reach_the_large_model() -> None:
    small, large = Stub(0.8, label="neutral"), Stub(0.6, SAID, label="neutral")
    both = pair(small, large, cascade=True)
    asked = [TOPIC, RELATION, AUTHOR, TOPIC, RELATION]
    answers = [answer.probabilities.neutral for answer in both.score(asked)]
    [joint] = {value for value in answers if value != 0.8}
    assert 0.6 < joint < 0.8
    assert answers == [joint, 0.8, 0.8, joint, 0.8]
    assert small.asked == asked
    assert large.asked == [TOPIC, TOPIC]


def test_in_a_cascade_no_side_is_taken_unless_both_were_asked() -> None:
    small, large = Stub(0.99), Stub(0.6, SAID, label="against")
    both = pair(small, large, cascade=True)
    assert both.score([RELATION]) == pair(small, large).score([RELATION])
    assert large.asked == [RELATION] * 2


def test_a_pool_is_between_its_parts_and_never_undefined() -> None:
    sure, other = np.array([1.0, 0.0, 0.0]), np.array([0.2, 0.5, 0.3])
    assert pooled(sure, other, 0.0) == pytest.approx(other)
    assert pooled(sure, other, 1.0) == pytest.approx(sure)
    opposed = pooled(sure, sure[::-1], 0.5)
    assert opposed.sum() == pytest.approx(1)
    assert opposed[0] == opposed[2]
    rows = pooled(np.stack([sure, other]), np.stack([other, other]), 0.3)
    assert rows[0] == pytest.approx(pooled(sure, other, 0.3))
    assert rows[1] == pytest.approx(other)


@pytest.mark.parametrize(
    "said",
    [
        None,
        0.9,
        {**SAID, "share": "?"},
        {**SAID, "thresholds": {"relation": 0.7}},
        {"share": 0.2, "thresholds": SAID["thresholds"]},
    ],
)
def test_the_large_model_must_say_what_the_pair_needs(said: Any) -> None:
    with pytest.raises(ModelCorruptError, match="pair needs"):
        pair(Stub(0.8), Stub(0.6, said))


def test_the_settings_name_the_profiles_that_there_are() -> None:
    assert MODEL_PROFILES == PROFILES


def test_the_shipped_pair_is_certain_only_above_the_confidence_that_gives_a_label() -> None:
    small, large = (read_manifest(folder) for folder in stance_folders(WEIGHTS, CASCADE))
    said = large.document[PAIR]
    for thresholds in (small.thresholds, said["thresholds"]):
        assert all(said["certain"][kind] >= thresholds[kind] for kind in QUESTION_KINDS)


def test_the_shipped_pair_pools_what_its_models_say() -> None:
    text = "Finance Minister Peter Okoro praised Anna Lindqvist, who met Bo Park in Lagos."
    asked = [
        StanceQuestion(text, target=target, holder=holder)
        for target, holder in [
            ("Anna Lindqvist", "Peter Okoro"),
            ("Bo Park", "Anna Lindqvist"),
            ("Lagos", None),
        ]
    ]
    small, large = (
        StanceModel.load(folder).score(asked) for folder in stance_folders(WEIGHTS, ACCURATE)
    )
    both, cascade = (open_stance(WEIGHTS, profile) for profile in (ACCURATE, CASCADE))
    assert isinstance(both, StancePair)
    joint = both.score(asked)
    for one, other, answer in zip(small, large, joint, strict=True):
        rows = [
            np.array((said.favor, said.against, said.neutral))
            for said in (one.probabilities, other.probabilities)
        ]
        favor, against, neutral = pooled(rows[0], rows[1], both.share)
        assert answer == Answer(Probabilities(favor, against, neutral), one.truncated)
    assert cascade.score(asked) == [
        one if one.probabilities.neutral >= both.certain[question.kind] else answer
        for question, one, answer in zip(asked, small, joint, strict=True)
    ]


def test_a_pipeline_shows_both_stance_models(monkeypatch: pytest.MonkeyPatch) -> None:
    named = {}
    versions = set()
    for profile in PROFILES:
        monkeypatch.setenv("STANCEWIRE_PROFILE", profile)
        Pipeline.check(load_settings())
        pipeline = Pipeline.load(load_settings())
        versions.add(pipeline.version)
        named[profile] = [model["name"] for model in pipeline.models if model["task"] == STANCE]
    assert len(versions) == len(PROFILES)
    assert named["fast"] == ["stancewire-stance-minilm"]
    assert named[ACCURATE] == ["stancewire-stance-minilm", "stancewire-stance-mpnet"]
    assert named[CASCADE] == named[ACCURATE]


def said(*answers: tuple[int, float]) -> AnsweredSet:
    """Answers (label, confidence) to questions that are favor and against in turns."""
    rows = []
    for label, sure in answers:
        row = np.full(3, (1 - sure) / 2)
        row[label] = sure
        rows.append(row)
    examples = [Example(AUTHOR, place % 2, "newsmtsc") for place in range(len(rows))]
    return AnsweredSet("newsmtsc", examples, np.array(rows), 0)


def test_the_curve_mixes_both_models_answers_by_how_neutral_the_small_one_is() -> None:
    small = said((2, 0.9), (2, 0.7), (1, 0.95), (2, 0.8))
    both = training.Both(small, said((0, 0.6), (1, 0.6), (0, 0.6), (0, 0.6)))
    assert both.asked(0.7).tolist() == [False, False, True, False]
    assert both.asked(0.71).tolist() == [False, True, True, False]
    points = {point["certain"]: point for point in training.curve(both, 0.0)}
    assert [points[at]["asked"] for at in (0.5, 0.72, 0.82, 0.92)] == [0.25, 0.5, 0.75, 1]
    # F1 of favor and of against: each is once found, in vain, and at last favor twice.
    found = [points[at]["macro_f1"] for at in (0.5, 0.72, 0.82, 0.92)]
    means = [(2 / 3 + 0) / 2, 2 / 3, (1 / 2 + 2 / 3) / 2, (4 / 5 + 2 / 3) / 2]
    assert found == pytest.approx(means, abs=1e-4)


def test_certain_is_the_lowest_limit_from_which_on_nothing_is_lost() -> None:
    def points(*falling: tuple[float, float]) -> list[dict[str, float]]:
        """1.0 everywhere but up to each confidence, where it is the given figure."""
        return [
            {
                "certain": at,
                "asked": at,
                "f1": min([f1 for upto, f1 in falling if at <= upto] + [1.0]),
            }
            for at in training.LIMITS
        ]

    lowest = training.lowest
    assert lowest([points((0.6, 0.9))], 0.4) == 0.62
    assert lowest([points((0.6, 0.9)), points((0.8, 0.99))], 0.4) == 0.82
    assert lowest([points((0.6, 0.996))], 0.6) == 0.6
    assert lowest([points((0.6, 0.996))], 0.4) == training.LIMITS[0]
    assert lowest([points((0.6, 0.9))], 0.75) == 0.76
    assert lowest([points((0.98, 0.9))], 0.4) == 1.0


def test_the_share_gains_most_and_costs_nothing_that_is_not_allowed() -> None:
    def figures(one: float, other: float, error: float = 0.02) -> dict[str, dict[str, float]]:
        return {
            "one": {"f1": one, training.ERROR: error},
            "other": {"micro": other, "macro": 0.5, training.ERROR: 0.01},
        }

    alone = figures(0.8, 0.7)
    choose = training.choose_share
    assert choose({0.0: alone, 0.1: figures(0.81, 0.71), 0.2: figures(0.82, 0.73)}) == 0.2
    # A figure falls too far, or the calibration does.
    assert choose({0.0: alone, 0.1: figures(0.81, 0.7), 0.2: figures(0.79, 0.8)}) == 0.1
    assert choose({0.0: alone, 0.1: figures(0.81, 0.7), 0.2: figures(0.9, 0.8, 0.05)}) == 0.1
    # Nothing is better than the large model alone.
    assert choose({0.0: alone, 0.1: figures(0.799, 0.699)}) == 0.0


def test_a_share_that_reaches_a_goal_comes_before_one_that_gains_more() -> None:
    def figures(vast: float, newsmtsc: float) -> dict[str, dict[str, float]]:
        return {
            "vast": {"macro_f1": vast, training.ERROR: 0.02},
            "newsmtsc": {"macro_f1": newsmtsc, training.ERROR: 0.02},
        }

    alone, gaining, reaching = figures(0.70, 0.82), figures(0.719, 0.85), figures(0.721, 0.82)
    tried = {0.0: alone, 0.1: gaining, 0.2: reaching}
    assert training.goals_met(gaining) == 1
    assert training.goals_met(reaching) == 2
    assert training.choose_share(tried) == 0.2
