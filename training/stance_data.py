"""Rows of the stance data sets, mixed, varied and laid out into length-bucketed batches."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workers.models.stance_inputs import StanceEncoder, StanceQuestion

LABELS = ("favor", "against", "neutral")
NEUTRAL = LABELS.index("neutral")
NLI_LABELS = {"entailment": 0, "contradiction": 1, "neutral": 2}
# Ways to report speech, in pieces.
SAYING = (
    ("", "{speaker}", " said : \u201c", "{text}", "\u201d"),
    ("\u201c", "{text}", "\u201d ", "{speaker}", " said ."),
    ("", "{speaker}", " said that ", "{text}", ""),
    ("According to ", "{speaker}", " , ", "{text}", ""),
)


@dataclass(frozen=True)
class Example:
    """One labelled question; `source` is the data set it came from."""

    question: StanceQuestion
    label: int
    source: str


@dataclass(frozen=True)
class Encoded:
    """One row as the network reads it; `question` is what a teacher is asked, if one is."""

    input_ids: list[int]
    token_type_ids: list[int]
    label: int
    question: StanceQuestion | None = None


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON Lines file."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def example_of(row: dict[str, Any], source: str) -> Example:
    """One row of the evaluation interface as an example.

    Without a holder and without a target span the target is a topic, not somebody named.
    """
    spans = row.get("spans") or {}
    question = StanceQuestion(
        text=row["text"],
        target=row["target"],
        holder=row["holder"],
        holder_spans=[tuple(spans["holder"])] if "holder" in spans else None,
        target_spans=[tuple(spans["target"])] if "target" in spans else None,
        topic=row["holder"] is None and "target" not in spans,
    )
    return Example(question, LABELS.index(row["label"]), source)


def read_stance(path: Path, source: str) -> list[Example]:
    """The examples of one data set."""
    return [example_of(row, source) for row in read_rows(path)]


def read_nli(path: Path) -> list[Example]:
    """NLI pairs as questions to the author: entailed claims are favoured, contradicted ones not."""
    return [
        Example(
            StanceQuestion(text=row["premise"], target=row["hypothesis"]),
            NLI_LABELS[row["label"]],
            "nli",
        )
        for row in read_rows(path)
        if row["label"] in NLI_LABELS and row["hypothesis"].strip()
    ]


def repeated(rows: Sequence[Example], times: float, rng: random.Random) -> Iterator[Example]:
    """`times` passes over the rows; a fraction becomes a random sample without replacement."""
    whole = int(times)
    for _ in range(whole):
        yield from rows
    yield from rng.sample(list(rows), round((times - whole) * len(rows)))


def dse_groups(rows: Sequence[Example]) -> dict[str, list[Example]]:
    """DSE rows come as p→q, q→p; split by what the pair of labels says."""
    groups: dict[str, list[Example]] = {"forward": [], "backward": [], "none": []}
    for first, second in zip(rows[::2], rows[1::2], strict=True):
        if first.label == NEUTRAL and second.label == NEUTRAL:
            groups["none"] += [first, second]
        elif first.label == NEUTRAL:
            groups["backward"] += [first, second]
        else:
            groups["forward"] += [first, second]
    return groups


def told_by(example: Example, name: str, rng: random.Random) -> Example:
    """The same text as reported speech of `name`, who becomes the holder."""
    question = example.question
    text, shift, holder = "", 0, (0, 0)
    for piece in rng.choice(SAYING):
        if piece == "{text}":
            shift = len(text)
            text += question.text
        elif piece == "{speaker}":
            holder = (len(text), len(text) + len(name))
            text += name
        else:
            text += piece
    moved = question.target_spans and [(a + shift, b + shift) for a, b in question.target_spans]
    return replace(example, question=StanceQuestion(text, question.target, name, [holder], moved))


def varied(
    examples: Iterable[Example],
    names: Sequence[str],
    topics: Sequence[str],
    mix: Mapping[str, float],
    rng: random.Random,
) -> Iterator[Example]:
    """Rewrites shares of the rows: reported speech, wrong speaker, wrong topic, no markers.

    VAST has wrong topics of its own; it gets more of them where `mix` sets `wrong_topic_vast`.
    """
    told = mix["told"]
    wrong_speaker = told + mix["wrong_speaker"]
    wrong_topic = wrong_speaker + mix["wrong_topic"]
    for example in examples:
        row = example
        draw = rng.random()
        if row.question.holder is None and row.source != "nli":
            if draw < told:
                row = told_by(row, rng.choice(names), rng)
            elif draw < wrong_speaker:
                row = _asked_of_another(told_by(row, rng.choice(names), rng), row, names, rng)
            elif draw < wrong_topic and (row.source != "vast" or mix["wrong_topic_vast"]):
                row = _about_another(row, names if row.source == "newsmtsc" else topics, rng)
        elif row.source == "dse" and draw < mix["wrong_topic"] / 2:
            row = _about_another(row, names, rng)
        if rng.random() < mix["no_marks"]:
            unmarked = replace(row.question, holder_spans=(), target_spans=())
            row = replace(row, question=unmarked)
        yield row


def _asked_of_another(
    spoken: Example, plain: Example, names: Sequence[str], rng: random.Random
) -> Example:
    """What one person says, asked of another: neutral; `plain` where the names share words."""
    other = replace(spoken.question, holder=rng.choice(names), holder_spans=None)
    if _share_words(other.holder or "", other.text):
        return plain
    return Example(other, NEUTRAL, plain.source)


def _about_another(row: Example, targets: Sequence[str], rng: random.Random) -> Example:
    """The same text about a target that it does not touch: neutral."""
    target = rng.choice(targets)
    if _share_words(target, row.question.text):
        return row
    return Example(replace(row.question, target=target, target_spans=None), NEUTRAL, row.source)


def _share_words(one: str, other: str) -> bool:
    return bool(set(one.lower().split()) & set(other.lower().split()))


def encode_all(examples: Iterable[Example], encoder: StanceEncoder) -> list[Encoded]:
    """The examples as token ids. A teacher is not asked about invented sentences: their gold
    labels are certain."""
    rows = []
    for example in examples:
        encoded = encoder.encode(example.question)
        asked = None if example.source == "synthetic" else example.question
        rows.append(Encoded(encoded.input_ids, encoded.token_type_ids, example.label, asked))
    return rows


def batches(
    rows: Sequence[Encoded], tokens: int, rng: random.Random, chunk: int = 3000
) -> list[list[Encoded]]:
    """Shuffles, then sorts by length inside chunks, so that padding stays near nothing."""
    order = list(rows)
    rng.shuffle(order)
    planned: list[list[Encoded]] = []
    for start in range(0, len(order), chunk):
        part = sorted(order[start : start + chunk], key=lambda row: len(row.input_ids))
        made: list[list[Encoded]] = []
        batch: list[Encoded] = []
        for row in part:
            if batch and len(row.input_ids) * (len(batch) + 1) > tokens:
                made.append(batch)
                batch = []
            batch.append(row)
        if batch:
            made.append(batch)
        rng.shuffle(made)
        planned += made
    return planned
