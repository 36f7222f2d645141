"""Train the attribution tagger and cue reader on PolNeAR.

python -m training.attribution --data DIR --out DIR [--config FILE]
"""

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn

from training.attribution_model import AttributionNetwork
from training.common import (
    minilm_folder,
    mixed_precision,
    padded,
    read_config,
    seed_everything,
)
from training.loop import Loop
from training.ner import IGNORED, tensors, window_labels
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


@dataclass(frozen=True, slots=True)
class Link:
    """One gold attribution in word numbers."""

    cue: tuple[int, int]
    source: frozenset[int]
    content: frozenset[int]


@dataclass(frozen=True, slots=True)
class Article:
    """Words, their flat tags, paragraph starts and attributions."""

    encoded: EncodedWords
    tags: tuple[int, ...]
    breaks: frozenset[int]
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One window: tag of every piece, and the links whose cue lies inside."""

    window: Window
    tags: list[int]
    links: tuple[Link, ...]


def read_articles(path: Path, tokenizer: Tokenizer) -> list[Article]:
    """Articles of a JSONL file in the layout of the evaluation interface."""
    return [
        _article(json.loads(line), tokenizer)
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


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
            rows.append(Row(window, window_labels(window, article.tags), links))
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
    word's feature lies; `labels` are IGNORED on padding.
    """
    places, positions, distances, labels = [], [], [], []
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
            labels.append(
                [
                    SOURCE if word in link.source else CONTENT if word in link.content else 0
                    for word in words
                ]
            )
    if not places:
        return None
    return {
        "rows": torch.tensor(places),
        "positions": padded(positions),
        "distances": padded(distances),
        "mask": padded([[1] * len(line) for line in positions]),
        "labels": padded(labels, IGNORED),
    }


def losses_of(
    model: AttributionNetwork, rows: Sequence[Row], config: dict[str, Any], rng: random.Random
) -> tuple[torch.Tensor, torch.Tensor]:
    """Tag loss and link loss of a batch."""
    cues = reader_batch(
        rows, config["radius"], config["rows_per_window"], config["shrunk_cues"], rng
    )
    tags = padded([row.tags for row in rows], IGNORED)
    with mixed_precision():
        tag_logits, features = model.tagged(**tensors([row.window for row in rows]))
        links = None
        if cues is not None:
            read = features[cues["rows"][:, None], cues["positions"]]
            links = model.reader(read, cues["distances"], cues["mask"])
    loss_of = nn.CrossEntropyLoss(ignore_index=IGNORED)
    tag_loss = loss_of(tag_logits.float().flatten(0, 1), tags.flatten())
    if cues is None or links is None:
        return tag_loss, torch.zeros(())
    return tag_loss, loss_of(links.float().flatten(0, 1), cues["labels"].flatten())


@torch.no_grad()
def evaluate(
    model: AttributionNetwork,
    articles: Sequence[Article],
    tokenizer: Tokenizer,
    config: dict[str, Any],
) -> dict[str, float]:
    """Word F1 of the flat tags, and of the links of gold cues (not the shipped figures)."""
    model.eval()
    kinds = [name[2:] for name in TAG_LABELS]
    counts = {name: [0, 0, 0] for name in ("SOURCE", "CUE", "CONTENT", "link_1", "link_2")}
    rng = random.Random(0)

    def count(name: str, gold: bool, found: bool) -> None:
        counts[name][0] += gold and found
        counts[name][1] += found
        counts[name][2] += gold

    for article in articles:
        length = config["max_length"]
        for window in article_windows(article.encoded, article.breaks, tokenizer, length, length):
            links = tuple(
                link
                for link in article.links
                if window.first_word <= link.cue[0] and link.cue[1] <= window.last_word
            )
            row = Row(window, window_labels(window, article.tags), links)
            with mixed_precision():
                tag_logits, features = model.tagged(**tensors([window]))
                cues = reader_batch([row], config["radius"], 99, 0.0, rng)
                if cues is not None:
                    read = features[cues["rows"][:, None], cues["positions"]]
                    scores = model.reader(read, cues["distances"], cues["mask"])
                    flat = zip(
                        cues["labels"].flatten().tolist(),
                        scores.argmax(-1).flatten().tolist(),
                        strict=True,
                    )
                    for gold, found in flat:
                        if gold != IGNORED:
                            count("link_1", gold == 1, found == 1)
                            count("link_2", gold == 2, found == 2)
            guesses = tag_logits[0].argmax(-1).tolist()
            for gold, found in zip(row.tags, guesses, strict=True):
                if gold != IGNORED:
                    for name in ("SOURCE", "CUE", "CONTENT"):
                        count(name, kinds[gold] == name, kinds[found] == name)
    return {
        name: round(2 * right / max(1, given + wanted), 4)
        for name, (right, given, wanted) in counts.items()
    }


def train(data: Path, out: Path, config: dict[str, Any]) -> None:
    """Train, or go on from `out/last.pt`; the average ends in `out/final.pt`."""
    seed_everything(config["seed"], config["threads"])
    tokenizer = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    articles = read_articles(data / config["data"]["train"], tokenizer)
    dev = read_articles(data / config["data"]["dev"], tokenizer)
    epochs = [
        epoch_rows(articles, tokenizer, config, config["seed"] + epoch)
        for epoch in range(config["epochs"])
    ]
    loop = Loop(epochs, lambda row: len(row.window.input_ids), config)
    print(f"{len(articles)} articles, {len(loop.plan)} steps", flush=True)
    model = AttributionNetwork(config["reader_width"], config["reader_layers"], config["dropout"])
    rng = random.Random(config["seed"])

    def losses(rows: Sequence[Row]) -> dict[str, torch.Tensor]:
        tags, links = losses_of(model, rows, config, rng)
        return {"tags": tags, "links": links}

    def ended(epoch: int, averaged: dict[str, torch.Tensor]) -> None:
        tested = AttributionNetwork(
            config["reader_width"], config["reader_layers"], config["dropout"]
        )
        tested.load_state_dict(averaged)
        print(f"epoch {epoch} dev {evaluate(tested, dev, tokenizer, config)}", flush=True)

    loop.run(model, out, losses, ended)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    default = Path(__file__).parent / "configs/attribution.toml"
    parser.add_argument("--config", type=Path, default=default)
    arguments = parser.parse_args()
    train(arguments.data, arguments.out, read_config(arguments.config))


if __name__ == "__main__":
    main()
