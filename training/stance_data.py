"""Rows of the stance data sets, mixed, varied and laid out into length-bucketed batches."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
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
    input_ids: list[int]
    token_type_ids: list[int]
    label: int


def read_rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def example_of(row: dict[str, Any], source: str) -> Example:
    """One row of the evaluation interface as an example."""
    spans = row.get("spans") or {}
    question = StanceQuestion(
        text=row["text"],
        target=row["target"],
        holder=row["holder"],
        holder_spans=[tuple(spans["holder"])] if "holder" in spans else None,
        target_spans=[tuple(spans["target"])] if "target" in spans else None,
    )
    return Example(question, LABELS.index(row["label"]), source)


def read_stance(path: Path, source: str) -> list[Example]:
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
    return replace(
        example, question=StanceQuestion(text, question.target, name, [holder], moved)
    )


def varied(
    examples: Iterable[Example], names: Sequence[str], topics: Sequence[str], mix: dict[str, float],
    rng: random.Random,
) -> Iterator[Example]:
    """Rewrites shares of the rows: reported speech, wrong speaker, wrong topic, no markers."""
    for example in examples:
        question = example.question
        draw = rng.random()
        if question.holder is None and example.source != "nli":
            if draw < mix["told"]:
                example = told_by(example, rng.choice(names), rng)
            elif draw < mix["told"] + mix["wrong_speaker"]:
                spoken = told_by(example, rng.choice(names), rng)
                other = replace(spoken.question, holder=rng.choice(names), holder_spans=None)
                if not (set(other.holder.lower().split()) & set(other.text.lower().split())):
                    example = Example(other, NEUTRAL, example.source)
            elif draw < mix["told"] + mix["wrong_speaker"] + mix["wrong_topic"] and example.source != "vast":
                pool = names if example.source == "newsmtsc" else topics
                target = rng.choice(pool)
                if not (set(target.lower().split()) & set(question.text.lower().split())):
                    example = Example(replace(question, target=target, target_spans=None), NEUTRAL, example.source)
        elif example.source == "dse" and draw < mix["wrong_topic"] / 2:
            target = rng.choice(names)
            if not (set(target.lower().split()) & set(question.text.lower().split())):
                example = Example(replace(question, target=target, target_spans=None), NEUTRAL, example.source)
        if rng.random() < mix["no_marks"]:
            example = replace(example, question=replace(example.question, holder_spans=(), target_spans=()))
        yield example


def encode_all(examples: Iterable[Example], encoder: StanceEncoder) -> list[Encoded]:
    rows = []
    for example in examples:
        encoded = encoder.encode(example.question)
        rows.append(Encoded(encoded.input_ids, encoded.token_type_ids, example.label))
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
