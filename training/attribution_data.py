"""Articles with attributions, as words, and the windows and batches that are trained on."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn

from training.common import padded
from training.ner import IGNORED, window_labels
from workers.models.attribution import LINK_LABELS, TAG_LABELS, distance_bucket
from workers.models.sessions import token_id
from workers.models.words import (
    EncodedWords,
    Window,
    encode_words,
    make_windows,
    paragraph_breaks,
    split_words,
)

SOURCE, CONTENT = LINK_LABELS.index("source"), LINK_LABELS.index("content")
_SILENT_LINK = [float("nan")] * len(LINK_LABELS)


@dataclass(frozen=True, slots=True)
class Link:
    """One attribution in word numbers; nobody labelled it if it is not `gold`.

    `taught` is the teacher's logits (words, 3) from word `taught_from` on.
    """

    cue: tuple[int, int]
    source: frozenset[int] = frozenset()
    content: frozenset[int] = frozenset()
    gold: bool = True
    taught_from: int = 0
    taught: NDArray[np.float32] | None = None

    def label(self, word: int) -> int:
        """Label of a word for this cue."""
        if not self.gold:
            return IGNORED
        return SOURCE if word in self.source else CONTENT if word in self.content else 0

    def told(self, word: int) -> list[float]:
        """The teacher's logits of a word, NaN where it was not asked."""
        place = word - self.taught_from
        if self.taught is None or not 0 <= place < len(self.taught):
            return _SILENT_LINK
        return [float(value) for value in self.taught[place]]


@dataclass(frozen=True, slots=True)
class Article:
    """Words, their flat tags, paragraph starts and attributions; `taught` (words, 7) is the
    teacher's logits of the tags."""

    encoded: EncodedWords
    tags: tuple[int, ...]
    breaks: frozenset[int]
    links: tuple[Link, ...]
    taught: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One window: tag of every piece, the links whose cue lies inside, and the teacher's logits of
    the window's words."""

    window: Window
    tags: list[int]
    links: tuple[Link, ...]
    taught: NDArray[np.float32] | None = None


def read_articles(path: Path, tokenizer: Tokenizer) -> list[Article]:
    """Articles of a JSONL file in the layout of the evaluation interface."""
    return [
        _article(json.loads(line), tokenizer)
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def unlabelled_article(text: str, tokenizer: Tokenizer) -> Article:
    """An article that nobody annotated."""
    words = split_words(text)
    tags = (IGNORED,) * len(words)
    return Article(encode_words(tokenizer, words), tags, paragraph_breaks(text, words), ())


def _article(record: dict[str, Any], tokenizer: Tokenizer) -> Article:
    words = split_words(record["text"])
    at = [-1] * (len(record["text"]) + 1)
    for number, word in enumerate(words):
        at[word.start : word.end] = [number] * (word.end - word.start)
    tags = [0] * len(words)
    links = []
    for attribution in record["attributions"]:
        found: dict[str, list[int]] = {}
        for role in ("source", "content", "cue"):
            inside: list[int] = []
            for start, end in attribution[role]:
                span = sorted({number for number in at[start:end] if number >= 0})
                for place, number in enumerate(span):
                    prefix = "B" if place == 0 else "I"
                    tags[number] = TAG_LABELS.index(f"{prefix}-{role.upper()}")
                inside.extend(span)
            found[role] = inside
        if cue := found["cue"]:
            links.append(
                Link((cue[0], cue[-1] + 1), frozenset(found["source"]), frozenset(found["content"]))
            )
    return Article(
        encode_words(tokenizer, words),
        tuple(tags),
        paragraph_breaks(record["text"], words),
        tuple(links),
    )


def epoch_rows(
    articles: Sequence[Article], tokenizer: Tokenizer, config: dict[str, Any], seed: int
) -> list[Row]:
    """Windows of one epoch, cut at fresh places, some words hidden."""
    rng = random.Random(seed)
    length, mask_id = config["max_length"], token_id(tokenizer, "[MASK]")
    rows = []
    for article in articles:
        encoded = EncodedWords(
            article.encoded.words,
            tuple(
                (mask_id,) if rng.random() < config["word_mask"] else pieces
                for pieces in article.encoded.pieces
            ),
            article.encoded.shapes,
        )
        kept = {start for start in article.breaks if rng.random() >= config["dropped_separators"]}
        first_length = rng.randint(length // 4, length)
        for window in article_windows(encoded, kept, tokenizer, length, length, first_length):
            links = tuple(
                link
                for link in article.links
                if window.first_word <= link.cue[0] and link.cue[1] <= window.last_word
            )
            taught = article.taught
            if taught is not None:
                taught = taught[window.first_word : window.last_word]
            rows.append(Row(window, window_labels(window, article.tags), links, taught))
    return rows


def article_windows(
    encoded: EncodedWords,
    breaks: set[int] | frozenset[int],
    tokenizer: Tokenizer,
    length: int,
    stride: int,
    first_length: int | None = None,
) -> list[Window]:
    """Windows of an article with [SEP] at its paragraphs."""
    return make_windows(
        encoded,
        breaks=breaks,
        cls_id=token_id(tokenizer, "[CLS]"),
        sep_id=token_id(tokenizer, "[SEP]"),
        max_length=length,
        stride=stride,
        first_length=first_length,
    )


def reader_batch(
    rows: Sequence[Row], radius: int, limit: int, shrink: float, rng: random.Random
) -> dict[str, torch.Tensor] | None:
    """Inputs and labels of the cue reader, one line a cue; None if there is no cue.

    `rows` and `positions` (lines, words) say where in the encoder's output each
    word's feature lies; `labels` are IGNORED on padding and where nobody labelled, `taught`
    (lines, words, 3), there if any line has a teacher's answer, is NaN where none is.
    """
    places, positions, distances, labels, taught = [], [], [], [], []
    for number, row in enumerate(rows):
        window = row.window
        chosen = row.links if len(row.links) <= limit else rng.sample(row.links, limit)
        for link in chosen:
            first, last = link.cue
            if rng.random() < shrink and last - first > 1:
                if rng.random() < 0.5:
                    first = rng.randrange(first, last)
                else:
                    last = rng.randrange(first + 1, last + 1)
            words = [
                word
                for word in range(
                    max(window.first_word, first - radius), min(window.last_word, last + radius)
                )
                if window.positions[word - window.first_word] >= 0
            ]
            places.append(number)
            positions.append([window.positions[word - window.first_word] for word in words])
            distances.append([distance_bucket(word, first, last) for word in words])
            labels.append([link.label(word) for word in words])
            taught.append(torch.tensor([link.told(word) for word in words]))
    if not places:
        return None
    answers: dict[str, Tensor] = {}
    if any(row.taught is not None for row in rows):
        answers["taught"] = nn.utils.rnn.pad_sequence(
            taught, batch_first=True, padding_value=float("nan")
        )
    return {
        **answers,
        "rows": torch.tensor(places),
        "positions": padded(positions),
        "distances": padded(distances),
        "mask": padded([[1] * len(line) for line in positions]),
        "labels": padded(labels, IGNORED),
    }
