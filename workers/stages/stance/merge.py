"""One stance per holder and target from the answers to all their questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from service.domain.analysis import (
    Abstention,
    Evidence,
    Holder,
    Probabilities,
    Stance,
    StanceLabel,
    Target,
)
from workers.models.stance_inputs import QuestionKind
from workers.stages.stance.pairs import Pair

_LABELS = (StanceLabel.FAVOR, StanceLabel.AGAINST, StanceLabel.NEUTRAL)
# Keeps articles in which nobody takes a side from dividing by nothing.
_LEAST_WEIGHT = 1e-3
_LEAST_PROBABILITY = 1e-6
# Probabilities are given to this many places: what lies beyond differs between processors.
_PLACES = 4


def merged(
    answered: Sequence[tuple[Pair, Probabilities]],
    text: str,
    thresholds: Mapping[QuestionKind, float],
) -> list[Stance]:
    """Stances in the order of their first evidence, without ids."""
    groups: dict[tuple[Holder, Target], list[tuple[Pair, Probabilities]]] = {}
    for pair, probabilities in answered:
        groups.setdefault((pair.holder, pair.target), []).append((pair, probabilities))
    return [
        _stance(holder, target, group, text, thresholds)
        for (holder, target), group in groups.items()
    ]


def combined(parts: Sequence[Probabilities]) -> Probabilities:
    """The evidence-weighted geometric mean of the parts' probabilities.

    A part weighs (1 - p(neutral))²: passages that take no side say little about the stance
    that others take, and must not outvote them; opposed passages cancel out.

    Raises:
        ValueError: there are no parts.
    """
    if not parts:
        raise ValueError("no probabilities to combine")
    each = np.asarray([(part.favor, part.against, part.neutral) for part in parts])
    weights = (1.0 - each[:, 2]) ** 2 + _LEAST_WEIGHT
    logs = np.log(np.maximum(each, _LEAST_PROBABILITY))
    mean = (weights[:, None] * logs).sum(axis=0) / weights.sum()
    raised = np.exp(mean - mean.max())
    favor, against, neutral = (float(value) for value in raised / raised.sum())
    return Probabilities(favor, against, neutral)


def likeliest(probabilities: Probabilities) -> tuple[StanceLabel, float]:
    """The label with the highest probability, and that probability."""
    values = (probabilities.favor, probabilities.against, probabilities.neutral)
    best = max(range(3), key=lambda index: values[index])
    return _LABELS[best], values[best]


def unanswered(holder: Holder, target: Target, reason: Abstention) -> Stance:
    """The answer for a target about which nothing was read."""
    return Stance("", holder, target, None, reason, None, ())


def rounded(probabilities: Probabilities) -> Probabilities:
    """To four places, still summing to 1."""
    favor, against = round(probabilities.favor, _PLACES), round(probabilities.against, _PLACES)
    return Probabilities(favor, against, round(max(0.0, 1.0 - favor - against), _PLACES))


def _stance(
    holder: Holder,
    target: Target,
    group: Sequence[tuple[Pair, Probabilities]],
    text: str,
    thresholds: Mapping[QuestionKind, float],
) -> Stance:
    whole = combined([probabilities for _, probabilities in group])
    label, confidence = likeliest(whole)
    # All questions about one holder and target are of one kind.
    sure = confidence >= thresholds[group[0][0].question.kind]
    return Stance(
        id="",
        holder=holder,
        target=target,
        label=label if sure else None,
        abstention=None if sure else Abstention.LOW_CONFIDENCE,
        probabilities=rounded(whole),
        evidence=tuple(_evidence(pair, part, text) for pair, part in group),
    )


def _evidence(pair: Pair, probabilities: Probabilities, text: str) -> Evidence:
    return Evidence(
        start=pair.start,
        end=pair.end,
        text=text[pair.start : pair.end],
        sentence_id=pair.sentence_id,
        attribution_id=pair.attribution_id,
        label=likeliest(probabilities)[0],
        probabilities=rounded(probabilities),
    )
