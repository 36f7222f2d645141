"""Attribution scores of the shipped model on articles in JSONL."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from service.domain.analysis import Block
from training.conll import f1_scores
from workers.models.attribution import AttributionModel, AttributionReader
from workers.models.words import split_words
from workers.stages.attribute.stage import attribute
from workers.stages.segment.stage import segment
from workers.stages.types import CleanText

ROLES = ("source", "cue", "content")
# A prediction counts when its source overlaps and its content reaches this share.
MATCH = 0.5


@dataclass(frozen=True, slots=True)
class Words:
    """One attribution as sets of word numbers."""

    source: frozenset[int]
    cue: frozenset[int]
    content: frozenset[int]


def evaluate(data: Path, weights: Path) -> dict[str, Any]:
    """Word F1 of each role (union over the article's attributions) and attribution F1."""
    model = AttributionModel.load(weights)
    records = [json.loads(line) for line in data.read_text(encoding="utf-8").splitlines()]
    return {**scores(records, model), "model": model.manifest.name}


def scores(records: Sequence[dict[str, Any]], model: AttributionReader) -> dict[str, Any]:
    """Figures over records in the layout of the evaluation interface."""
    counts = {role: [0, 0, 0] for role in ROLES}
    matches = [0, 0, 0]
    windows = 0
    for record in records:
        gold = gold_words(record)
        found, used = found_words(record["text"], model)
        windows += used
        for role in ROLES:
            wanted = frozenset().union(*(getattr(item, role) for item in gold))
            given = frozenset().union(*(getattr(item, role) for item in found))
            _add(counts[role], len(wanted & given), len(given), len(wanted))
        _add(matches, count_matches(gold, found), len(found), len(gold))
    return {
        "tokens": {role: f1_scores(*counts[role]) for role in ROLES},
        "attribution": f1_scores(*matches),
        "rows": len(records),
        "attributions": matches[2],
        "windows": windows,
    }


def _add(sums: list[int], *values: int) -> None:
    for number, value in enumerate(values):
        sums[number] += value


def _places(text: str) -> list[int]:
    """Word number of every character, -1 between words."""
    at = [-1] * len(text)
    for number, word in enumerate(split_words(text)):
        at[word.start : word.end] = [number] * (word.end - word.start)
    return at


def gold_words(record: dict[str, Any]) -> list[Words]:
    """Annotated attributions."""
    at = _places(record["text"])
    return [
        Words(
            *(
                frozenset(n for start, end in item[role] for n in at[start:end] if n >= 0)
                for role in ROLES
            )
        )
        for item in record["attributions"]
    ]


def found_words(text: str, model: AttributionReader) -> tuple[list[Words], int]:
    """Attributions by the attribute stage over the whole text, and the windows read.

    PolNeAR annotates a quotation that runs on as one content in pieces, so a carried
    attribution counts as more content of the one that it continues.
    """
    block = Block(0, len(text), "body", analysed=True)
    attributed = attribute(text, segment(CleanText(text, (block,))), model)
    at = _places(text)
    found: dict[int, Words] = {}
    for number, item in enumerate(attributed.attributions):
        words = Words(
            *(
                frozenset(n for span in spans for n in at[span.start : span.end] if n >= 0)
                for spans in (item.source, item.cue, item.content)
            )
        )
        if item.carried_from is None:
            found[number] = words
        else:
            origin = found[item.carried_from]
            found[item.carried_from] = replace(origin, content=origin.content | words.content)
    return list(found.values()), attributed.windows


def count_matches(gold: Sequence[Words], found: Sequence[Words]) -> int:
    """Pairs, one to one, whose sources overlap (or are both absent) and contents agree."""
    pairs = []
    for row, wanted in enumerate(gold):
        for column, given in enumerate(found):
            either = len(wanted.content | given.content)
            share = len(wanted.content & given.content) / either if either else 0.0
            sources = wanted.source & given.source or wanted.source == given.source
            if sources and share >= MATCH:
                pairs.append((-share, row, column))
    rows: set[int] = set()
    columns: set[int] = set()
    for _, row, column in sorted(pairs):
        if row not in rows and column not in columns:
            rows.add(row)
            columns.add(column)
    return len(rows)
