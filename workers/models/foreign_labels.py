"""What the labels of models that others trained mean here. Names are matched in any case.

Entities: labels in BIO, BIOES, BILOU or IO, or bare type names, become O, B- and I- of the four
types. Stance: the labels of a stance classifier or of an NLI model become favor, against, neutral.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from service.domain.analysis import EntityType
from workers.models.bio import OUTSIDE, bio_labels
from workers.models.manifest import ModelUnsuitableError
from workers.models.stance import LABELS as STANCE_LABELS

ENTITY_LABELS = bio_labels(tuple(kind.value for kind in EntityType))

_TYPES = {
    "PER": ("PER", "PERS", "PERSON"),
    "ORG": ("ORG", "ORGANISATION", "ORGANIZATION", "CORP", "CORPORATION"),
    "LOC": ("LOC", "LOCATION", "GPE", "FAC", "FACILITY"),
    "MISC": ("MISC", "MISCELLANEOUS", "NORP", "EVENT", "PRODUCT", "WORK_OF_ART", "LAW", "LANGUAGE"),
}
_TYPE_OF = {name: kind for kind, names in _TYPES.items() for name in names}
_PREFIXED = re.compile(r"([BIELSU])[-_](.+)")
# BIOES and BILOU name the last word and the only word of a name, too.
_BEGINS = {"B": True, "S": True, "U": True, "I": False, "E": False, "L": False}

_STANCES = {
    "favor": ("favor", "favour", "in favor", "pro", "for", "support", "supports", "supporting",
              "positive", "agree", "entailment"),
    "against": ("against", "con", "anti", "oppose", "opposes", "opposing", "negative", "disagree",
                "contradiction"),
    "neutral": ("neutral", "none", "neither", "no stance", "unrelated"),
}  # fmt: skip
_STANCE_OF = {name: stance for stance, names in _STANCES.items() for name in names}

# Log probability of a column that no label of the model stands for.
NEVER = -1e4


@dataclass(frozen=True, slots=True)
class Columns:
    """Which of our columns each of a model's columns counts for, and what was left out."""

    ours: tuple[str, ...]
    of: tuple[int, ...]
    left_out: tuple[str, ...] = ()

    def gather(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits (rows, theirs) → log probabilities (rows, ours); columns of one kind add up."""
        values = logits.astype(np.float64)
        values -= values.max(axis=1, keepdims=True)
        raised = np.exp(values)
        raised /= raised.sum(axis=1, keepdims=True)
        summed = np.zeros((len(values), len(self.ours)))
        for column, mine in enumerate(self.of):
            summed[:, mine] += raised[:, column]
        with np.errstate(divide="ignore"):
            logs: NDArray[np.float32] = np.maximum(np.log(summed), NEVER).astype(np.float32)
        return logs


def entity_columns(labels: Sequence[str]) -> Columns:
    """Columns of an entity tagger. Types that are none of ours count as O and are `left_out`.

    Raises ModelUnsuitableError if there is no O, or none of our types.
    """
    of: list[int] = []
    left_out: dict[str, None] = {}
    for label in labels:
        prefixed = _PREFIXED.fullmatch(label.upper())
        prefix, name = prefixed.groups() if prefixed else ("I", label.upper())
        kind = _TYPE_OF.get(name)
        if kind is None:
            if name != OUTSIDE:
                left_out[label] = None
            of.append(0)
        else:
            of.append(ENTITY_LABELS.index(f"{'B' if _BEGINS[prefix] else 'I'}-{kind}"))
    known = ", ".join(_TYPE_OF)
    if OUTSIDE not in {label.upper() for label in labels}:
        raise ModelUnsuitableError(f"no label {OUTSIDE} among {_listed(labels)}")
    if not any(of):
        raise ModelUnsuitableError(f"no label of a known type ({known}) among {_listed(labels)}")
    return Columns(ENTITY_LABELS, tuple(of), tuple(left_out))


def stance_columns(labels: Sequence[str]) -> Columns:
    """Columns of a stance classifier or NLI model. Several labels may mean the same.

    Raises ModelUnsuitableError if a label means none of the three, or one of the three is missing.
    """
    named = [_STANCE_OF.get(" ".join(re.split(r"[\s_-]+", label.casefold()))) for label in labels]
    for label, stance in zip(labels, named, strict=True):
        if stance is None:
            raise ModelUnsuitableError(
                f"the label {label!r} among {_listed(labels)} is neither a stance"
                " (favor, against, neutral) nor NLI (entailment, contradiction, neutral)"
            )
    for wanted in STANCE_LABELS:
        if wanted not in named:
            raise ModelUnsuitableError(f"no label among {_listed(labels)} means {wanted}")
    return Columns(STANCE_LABELS, tuple(STANCE_LABELS.index(name) for name in named if name))


def kind_of_stance(labels: Sequence[str]) -> Literal["nli", "stance"]:
    """What the labels say that the model was trained for."""
    return "nli" if "entailment" in {label.casefold() for label in labels} else "stance"


def as_bio(rows: NDArray[np.float32], shared: Sequence[bool]) -> NDArray[np.float32]:
    """Log probabilities of words (words, ENTITY_LABELS) by which a name always begins with B-.

    Where I-X leads although the word before is no X, it begins a name, as conlleval reads it: so
    IO and the older IOB1 become BIO. `shared[k]`: word k shares its piece with word k - 1 (both
    parts of "U.S."), so it goes on with what that one began.
    """
    fixed = rows.copy()
    before = OUTSIDE
    for row, joined in zip(fixed, shared, strict=True):
        leading = ENTITY_LABELS[int(row.argmax())]
        kind = leading[2:]
        if joined and kind and kind == before:
            _move(row, f"B-{kind}", f"I-{kind}")
        elif leading.startswith("I-") and kind != before:
            _move(row, leading, f"B-{kind}")
        before = kind
    return fixed


def _move(row: NDArray[np.float32], source: str, to: str) -> None:
    here, there = ENTITY_LABELS.index(source), ENTITY_LABELS.index(to)
    row[there] = np.logaddexp(row[there], row[here])
    row[here] = NEVER


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(labels[:20]) + (", …" if len(labels) > 20 else "")
