"""Reading and scoring `token<TAB>tag` files with -DOCSTART- borders."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workers.models.bio import spans_of

BORDER = "-DOCSTART-"


@dataclass(frozen=True, slots=True)
class Sentence:
    """Tokens of one sentence and their IOB2 tags."""

    tokens: tuple[str, ...]
    tags: tuple[str, ...]


Document = tuple[Sentence, ...]


def read_conll(path: Path) -> list[Document]:
    """Documents of a file; without any border the whole file is one document."""
    documents: list[list[Sentence]] = [[]]
    rows: list[tuple[str, str]] = []

    def close() -> None:
        if rows:
            tokens, tags = zip(*rows, strict=True)
            documents[-1].append(Sentence(tokens, tags))
            rows.clear()

    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip():
            close()
            continue
        token, tag = line.split("\t")
        if token == BORDER:
            close()
            if documents[-1]:
                documents.append([])
            continue
        rows.append((token, tag))
    close()
    return [tuple(document) for document in documents if document]


def conlleval(gold: Sequence[Sequence[str]], found: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Entity precision, recall and F1 (exact type and border), micro and per type."""
    right: Counter[str] = Counter()
    wanted: Counter[str] = Counter()
    given: Counter[str] = Counter()
    for gold_tags, found_tags in zip(gold, found, strict=True):
        gold_spans, found_spans = set(spans_of([*gold_tags])), set(spans_of([*found_tags]))
        wanted.update(kind for kind, _, _ in gold_spans)
        given.update(kind for kind, _, _ in found_spans)
        right.update(kind for kind, _, _ in gold_spans & found_spans)
    return {
        **f1_scores(right.total(), given.total(), wanted.total()),
        "per_type": {
            kind: {**f1_scores(right[kind], given[kind], wanted[kind]), "support": wanted[kind]}
            for kind in sorted(set(wanted) | set(given))
        },
    }


def f1_scores(right: int, given: int, wanted: int) -> dict[str, float]:
    """Precision, recall and F1 of counts."""
    precision = right / given if given else 0.0
    recall = right / wanted if wanted else 0.0
    total = precision + recall
    return {
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(2 * precision * recall / total, 4) if total else 0.0,
    }
