"""Stance stage: who stands where towards whom, over the whole article."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from service.domain.analysis import Abstention, Sentence, Stance, Target
from workers.models.stance import Answer
from workers.models.stance_inputs import QuestionKind, StanceQuestion
from workers.stages.stance.layout import Layout
from workers.stages.stance.merge import merged, unanswered
from workers.stages.stance.pairs import AUTHOR, Pair, choose, entity_pairs
from workers.stages.stance.topics import topic_pairs
from workers.stages.types import Canonical, Stances

# Questions about entities: in proportion to the article, so that a long one is covered to its
# end. A question costs about 50 wordpieces, 3 to 4 ms on one core; four keep one core well above
# 60 articles of 600 words a minute, together with the other stages.
QUESTIONS_PER_SENTENCE = 4.0
FEWEST_QUESTIONS = 24


class StanceScorer(Protocol):
    """Answers stance questions.

    `thresholds` is, for each kind of question, the confidence below which no label is given.
    """

    @property
    def thresholds(self) -> Mapping[QuestionKind, float]: ...

    def score(self, questions: Sequence[StanceQuestion]) -> list[Answer]: ...


def stance(
    text: str,
    sentences: Sequence[Sentence],
    canonical: Canonical,
    targets: Sequence[str],
    scorer: StanceScorer,
) -> Stances:
    """Stances of holders towards entities and towards the caller's `targets`.

    A target that nothing in the article bears on gets one abstention, `no_evidence`, with the
    author as its holder. A question that the model cannot read whole counts as skipped; a target
    of which that is true for every question gets one abstention, `not_read`.
    """
    layout = Layout(text, sentences, canonical)
    limit = max(FEWEST_QUESTIONS, round(QUESTIONS_PER_SENTENCE * len(layout.sentences)))
    asked, skipped = choose(entity_pairs(layout), limit)
    topics: dict[str, list[Pair]] = {}
    for topic in dict.fromkeys(targets):
        about, left = topic_pairs(layout, topic)
        asked += about
        skipped += left
        topics[topic] = about
    answers = scorer.score([pair.question for pair in asked])
    answered: list[tuple[Pair, Answer]] = list(zip(asked, answers, strict=True))
    read = [(pair, answer.probabilities) for pair, answer in answered if not answer.truncated]
    stances = merged(read, text, scorer.thresholds)
    told = {pair.target for pair, _ in read}
    for topic, about in topics.items():
        if not about:
            target = Target(kind="topic", name=topic)
            stances.append(unanswered(AUTHOR, target, Abstention.NO_EVIDENCE))
        elif about[0].target not in told:
            stances.append(unanswered(AUTHOR, about[0].target, Abstention.NOT_READ))
    return Stances(
        stances=_numbered(stances),
        pairs=len(read),
        pairs_skipped=skipped + len(answered) - len(read),
        windows=len(asked),
    )


def _numbered(stances: Sequence[Stance]) -> tuple[Stance, ...]:
    return tuple(replace(stance, id=f"st{place}") for place, stance in enumerate(stances, start=1))
