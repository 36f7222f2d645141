"""Train the attribution tagger and cue reader on PolNeAR.

python -m training.attribution --data DIR --out DIR [--config FILE] [--teacher DIR] [--start DIR]

With a teacher, the folder of another attribution model, its answers are learned beside the gold
labels, and those about texts that nobody annotated alone (`attribution_teacher.py`). With a start,
the folder of a shipped attribution model, its weights are trained further.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from training.attribution_data import (
    Article,
    Row,
    article_windows,
    epoch_rows,
    read_articles,
    reader_batch,
)
from training.attribution_model import AttributionNetwork
from training.attribution_teacher import read_unlabelled, taught_articles
from training.common import minilm_folder, mixed_precision, padded, read_config, seed_everything
from training.distillation import distillation_loss
from training.loop import Loop
from training.mpnet import with_byte_dropout
from training.ner import IGNORED, tensors, window_labels
from training.shipped_weights import load_shipped_attribution
from workers.models.attribution import TAG_LABELS


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
    tag_loss = words_loss(tag_logits, tags, taught_tags(rows, tags.shape[1]), config)
    if cues is None or links is None:
        return tag_loss, torch.zeros(())
    return tag_loss, words_loss(links, cues["labels"], cues.get("taught"), config)


def taught_tags(rows: Sequence[Row], length: int) -> Tensor | None:
    """The teacher's tag logits on the first piece of each word (rows, length, 7), NaN elsewhere;
    None if no row has any."""
    if all(row.taught is None for row in rows):
        return None
    taught = torch.full((len(rows), length, len(TAG_LABELS)), torch.nan)
    for number, row in enumerate(rows):
        if row.taught is not None:
            positions = np.array(row.window.positions)
            taught[number, positions[positions >= 0]] = torch.from_numpy(row.taught[positions >= 0])
    return taught


def words_loss(
    logits: Tensor, labels: Tensor, taught: Tensor | None, config: dict[str, Any]
) -> Tensor:
    """Mean over the words that have a gold label or a teacher's answer."""
    logits, labels = logits.float().flatten(0, 1), labels.flatten()
    if taught is None:
        return nn.functional.cross_entropy(logits, labels, ignore_index=IGNORED)
    taught = taught.flatten(0, 1)
    known = (labels != IGNORED) | ~taught.isnan().any(-1)
    return distillation_loss(logits[known], labels[known], taught[known], config)


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


def train(
    data: Path,
    out: Path,
    config: dict[str, Any],
    teacher: Path | None = None,
    start: Path | None = None,
) -> None:
    """Train, or go on from `out/last.pt`; the average ends in `out/final.pt`."""
    seed_everything(config["seed"], config["threads"])
    tokenizer = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    articles = read_articles(data / config["data"]["train"], tokenizer)
    dev = read_articles(data / config["data"]["dev"], tokenizer)
    if teacher is not None:
        articles += read_unlabelled(data, config["data"]["unlabelled"], tokenizer, config["seed"])
        articles = taught_articles(articles, teacher, config, out / "taught.pt")
    epochs = [
        epoch_rows(articles, tokenizer, config, config["seed"] + epoch)
        for epoch in range(config["epochs"])
    ]
    loop = Loop(epochs, lambda row: len(row.window.input_ids), config)
    print(f"{len(articles)} articles, {len(loop.plan)} steps", flush=True)
    model = AttributionNetwork(
        config["reader_width"],
        config["reader_layers"],
        config["dropout"],
        config.get("attention_dropout"),
    )
    if start is not None:
        load_shipped_attribution(model, start)
    with_byte_dropout(model)
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
    parser.add_argument("--teacher", type=Path, help="folder of an attribution model to learn from")
    parser.add_argument("--start", type=Path, help="folder of one to train further")
    chosen = parser.parse_args()
    config = read_config(chosen.config)
    train(chosen.data, chosen.out, config, chosen.teacher, chosen.start)


if __name__ == "__main__":
    main()
