"""Train the taggers of the accurate profile: one MPNet for named entities and attribution.

python -m training.taggers --mpnet DIR --data DIR --out DIR [--config FILE]

Each batch has windows of both tasks; the encoder learns from the sum of their losses. In the last
epoch the feed-forward layers compute with the four-bit weights that will ship (`mpnet.py`).
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from torch import Tensor, nn

from training import attribution, ner
from training.attribution import losses_of
from training.attribution_data import Row, epoch_rows, read_articles
from training.attribution_model import CueReader
from training.common import checked_mpnet, mixed_precision, padded, read_config, seed_everything
from training.conll import read_conll
from training.loop import Loop
from training.mpnet import TypedMpnet, round_feed, with_byte_dropout, with_four_bit_feed
from training.ner import IGNORED, LABELS, label_document, load_documents, tensors
from workers.models.attribution import TAG_LABELS
from workers.models.case_shapes import SHAPE_COUNT
from workers.models.words import Window

CONFIG = Path(__file__).parent / "configs" / "taggers-mpnet.toml"
EntityRow = tuple[Window, list[int]]


class SharedEncoder(nn.Module):
    """(batch, length) ids → entity logits (…, 9), tag logits (…, 7), features (…, width)."""

    def __init__(self, encoder: TypedMpnet, width: int, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        hidden = encoder.config.hidden_size
        self.dropout = nn.Dropout(dropout)
        self.entities = nn.Linear(hidden, len(LABELS))
        self.tags = nn.Linear(hidden, len(TAG_LABELS))
        self.project = nn.Linear(hidden, width)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        hidden = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state
        hidden = self.dropout(hidden)
        return self.entities(hidden), self.tags(hidden), self.project(hidden)


class SharedTaggers(nn.Module):
    """The encoder and the cue reader: an entity tagger when called, and what `AttributionNetwork`
    is when asked for `tagged` and `reader`."""

    def __init__(self, mpnet: Path, config: dict[str, Any]) -> None:
        super().__init__()
        encoder = TypedMpnet(mpnet, config["dropout"], SHAPE_COUNT, config["layers"])
        with_four_bit_feed(encoder)
        width = config["reader_width"]
        self.shared = SharedEncoder(encoder, width, config["dropout"])
        self.reader = CueReader(width, config["reader_layers"], config["dropout"])
        with_byte_dropout(self)

    def forward(self, **inputs: Tensor) -> Tensor:
        """Entity logits."""
        entities: Tensor = self.shared(**inputs)[0]
        return entities

    def tagged(self, **inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Tag logits and features."""
        _, tags, features = self.shared(**inputs)
        return tags, features


def length(row: EntityRow | Row) -> int:
    """Wordpieces of a window of either task."""
    window = row.window if isinstance(row, Row) else row[0]
    return len(window.input_ids)


def train(data: Path, out: Path, config: dict[str, Any], mpnet: Path) -> None:
    """Train, or go on from `out/last.pt`; the average ends in `out/final.pt`."""
    seed_everything(config["seed"], config["threads"])
    tokenizer = Tokenizer.from_file(str(mpnet / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    files = config["data"]
    documents = load_documents(data, files["entities"], tokenizer)
    articles = read_articles(data / files["attributions"], tokenizer)
    entities_dev = [label_document(tokenizer, d) for d in read_conll(data / files["entities_dev"])]
    articles_dev = read_articles(data / files["attributions_dev"], tokenizer)
    epochs: list[list[EntityRow | Row]] = []
    for epoch in range(config["epochs"]):
        rows: list[EntityRow | Row] = []
        for number in range(config["entity_passes"]):
            seed = config["seed"] + epoch * config["entity_passes"] + number
            rows += ner.epoch_rows(documents, tokenizer, config, seed)
        rows += epoch_rows(articles, tokenizer, config, config["seed"] + epoch)
        epochs.append(rows)
    loop = Loop(epochs, length, config)
    print(
        f"{len(documents)} documents, {len(articles)} articles, {len(loop.plan)} steps", flush=True
    )
    model = SharedTaggers(mpnet, config)
    rng = random.Random(config["seed"])
    loss_of = nn.CrossEntropyLoss(ignore_index=IGNORED)

    def losses(rows: Sequence[EntityRow | Row]) -> dict[str, Tensor]:
        named = [row for row in rows if not isinstance(row, Row)]
        told = [row for row in rows if isinstance(row, Row)]
        parts: dict[str, Tensor] = {}
        if named:
            labels = padded([row for _, row in named], IGNORED)
            with mixed_precision():
                logits = model(**tensors([window for window, _ in named]))
            parts["entities"] = loss_of(logits.float().flatten(0, 1), labels.flatten())
        if told:
            parts["tags"], parts["links"] = losses_of(model, told, config, rng)
        return parts

    def begun(epoch: int) -> None:
        round_feed(model.shared.encoder, epoch + 1 == config["epochs"])

    def ended(epoch: int, averaged: dict[str, Tensor]) -> None:
        tested = SharedTaggers(mpnet, config)
        tested.load_state_dict(averaged)
        round_feed(tested.shared.encoder, rounded=True)
        found = ner.evaluate(tested, entities_dev, tokenizer)
        print(f"epoch {epoch} entities {found}", flush=True)
        told = attribution.evaluate(tested, articles_dev, tokenizer, config)
        print(f"epoch {epoch} attribution {told}", flush=True)

    loop.run(model, out, losses, ended, begun)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mpnet", type=Path, required=True, help="folder of all-mpnet-base-v2")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=CONFIG)
    arguments = parser.parse_args()
    config = read_config(arguments.config)
    train(arguments.data, arguments.out, config, checked_mpnet(arguments.mpnet))


if __name__ == "__main__":
    main()
