"""Train the entity tagger: MiniLM with case shapes, windows over whole documents.

python -m training.ner --data DIR --out DIR [--config FILE]
"""

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import BertModel

from training.common import (
    load_encoder,
    minilm_folder,
    mixed_precision,
    padded,
    read_config,
    seed_everything,
)
from training.conll import Document, Sentence, conlleval, read_conll
from training.loop import Loop
from training.mpnet import TypedMpnet
from training.ner_teacher import pseudo_labelled, read_texts
from workers.models.bio import bio_labels, viterbi
from workers.models.case_shapes import SHAPE_COUNT, CaseShape
from workers.models.sessions import token_id
from workers.models.token_tagger import TokenTagger as ShippedTagger
from workers.models.words import (
    EncodedWords,
    Window,
    Word,
    encode_words,
    make_windows,
    plain_punctuation,
    split_words,
)

LABELS = bio_labels(("PER", "ORG", "LOC", "MISC"))
IGNORED = -100
# Settings that a configuration may leave out.
OPTIONAL = frozenset(
    {"case_shapes", "label_smoothing", "layer_decay", "mpnet_layers", "pseudo_labelled", "r_drop"}
)


class TokenTagger(nn.Module):
    """Encoder and one linear layer: (batch, length) → logits (batch, length, labels).

    Without `case_shapes` every word looks alike to it but for its lower-cased pieces. The encoder
    is MiniLM, or the lowest `layers` of MPNet where its folder is given.
    """

    def __init__(
        self,
        dropout: float = 0.1,
        *,
        case_shapes: bool = True,
        mpnet: Path | None = None,
        layers: int | None = None,
    ) -> None:
        super().__init__()
        self.case_shapes = case_shapes
        self.encoder: TypedMpnet | BertModel = (
            TypedMpnet(mpnet, dropout, SHAPE_COUNT, layers)
            if mpnet is not None
            else load_encoder(dropout=dropout)
        )
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(self.encoder.config.hidden_size, len(LABELS))

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> torch.Tensor:
        if not self.case_shapes:
            token_type_ids = torch.zeros_like(token_type_ids)
        hidden = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state
        logits: torch.Tensor = self.classifier(self.dropout(hidden))
        return logits


@dataclass(frozen=True, slots=True)
class LabelledDocument:
    """Words of one document, their labels, and the first word of each sentence."""

    encoded: EncodedWords
    labels: tuple[int, ...]
    sentence_starts: tuple[int, ...]
    token_words: tuple[int, ...]  # first word of each CoNLL token


def label_document(tokenizer: Tokenizer, document: Document) -> LabelledDocument:
    """CoNLL tokens cut into words as running text would be; a token's tag spreads over them."""
    words: list[Word] = []
    labels: list[int] = []
    starts: list[int] = []
    token_words: list[int] = []
    offset = 0
    for sentence in document:
        starts.append(len(words))
        for token, tag in zip(sentence.tokens, sentence.tags, strict=True):
            token_words.append(len(words))
            inside = tag if tag == "O" else "I-" + tag[2:]
            for number, word in enumerate(split_words(plain_punctuation(token))):
                words.append(Word(word.text, offset + word.start, offset + word.end))
                labels.append(LABELS.index(tag if number == 0 else inside))
            offset += len(token) + 1
    return LabelledDocument(
        encode_words(tokenizer, words), tuple(labels), tuple(starts), tuple(token_words)
    )


def reshaped(
    document: LabelledDocument, rng: random.Random, config: dict[str, Any], mask_id: int
) -> EncodedWords:
    """A variation of the document: some sentences in another case, some words hidden.

    The wordpieces are lower-cased anyway, so changing the shapes is all it takes.
    """
    shapes = list(document.encoded.shapes)
    pieces = list(document.encoded.pieces)
    words = document.encoded.words
    ends = [*document.sentence_starts[1:], len(words)]
    for start, end in zip(document.sentence_starts, ends, strict=True):
        draw = rng.random()
        for index in range(start, end):
            if shapes[index] in (CaseShape.DIGIT, CaseShape.OTHER):
                continue
            single = len(words[index].text) == 1
            if draw < config["upper_sentences"]:
                shapes[index] = CaseShape.SINGLE_CAPITAL if single else CaseShape.UPPER
            elif draw < config["upper_sentences"] + config["title_sentences"]:
                if shapes[index] == CaseShape.LOWER:
                    shapes[index] = CaseShape.SINGLE_CAPITAL if single else CaseShape.TITLE
            elif draw > 1 - config["lower_sentences"]:
                shapes[index] = CaseShape.LOWER
    for index in range(len(words)):
        if rng.random() < config["word_mask"] and shapes[index] != CaseShape.OTHER:
            pieces[index] = (mask_id,)
    return EncodedWords(words, tuple(pieces), tuple(shapes))


def window_labels(window: Window, labels: Sequence[int]) -> list[int]:
    """Label of every piece: the word's on its first piece, IGNORED elsewhere."""
    row = [IGNORED] * len(window.input_ids)
    for offset, position in enumerate(window.positions):
        if position >= 0:
            row[position] = labels[window.first_word + offset]
    return row


def epoch_rows(
    documents: Sequence[LabelledDocument], tokenizer: Tokenizer, config: dict[str, Any], seed: int
) -> list[tuple[Window, list[int]]]:
    """Windows of one epoch, cut at fresh places."""
    rng = random.Random(seed)
    length = config["max_length"]
    rows = []
    for document in documents:
        encoded = reshaped(document, rng, config, token_id(tokenizer, "[MASK]"))
        breaks = {
            start
            for start in document.sentence_starts
            if rng.random() >= config["dropped_separators"]
        }
        for window in make_windows(
            encoded,
            breaks=breaks,
            cls_id=token_id(tokenizer, "[CLS]"),
            sep_id=token_id(tokenizer, "[SEP]"),
            max_length=length,
            stride=length,
            first_length=rng.randint(length // 4, length),
        ):
            rows.append((window, window_labels(window, document.labels)))
    return rows


def tensors(windows: Sequence[Window]) -> dict[str, torch.Tensor]:
    """The three model inputs, padded."""
    return {
        "input_ids": padded([window.input_ids for window in windows]),
        "attention_mask": padded([[1] * len(window.input_ids) for window in windows]),
        "token_type_ids": padded([window.token_type_ids for window in windows]),
    }


@torch.no_grad()
def evaluate(
    model: TokenTagger, documents: Sequence[LabelledDocument], tokenizer: Tokenizer
) -> dict[str, Any]:
    """Entity scores on words (the shipped figure is measured by training.evaluate)."""
    model.eval()
    gold, found = [], []
    for document in documents:
        scores = np.zeros((len(document.labels), len(LABELS)), dtype=np.float32)
        margin = np.full(len(document.labels), -1)
        windows = make_windows(
            document.encoded,
            breaks=frozenset(document.sentence_starts),
            cls_id=token_id(tokenizer, "[CLS]"),
            sep_id=token_id(tokenizer, "[SEP]"),
            max_length=256,
            stride=160,
        )
        for window in windows:
            with mixed_precision():
                logits = model(**tensors([window]))[0]
            logs = logits.float().log_softmax(-1).numpy()
            for offset, position in enumerate(window.positions):
                word = window.first_word + offset
                near = min(offset, window.last_word - 1 - word)
                if position >= 0 and near > margin[word]:
                    margin[word] = near
                    scores[word] = logs[position]
        ends = [*document.sentence_starts[1:], len(document.labels)]
        for start, end in zip(document.sentence_starts, ends, strict=True):
            gold.append([LABELS[label] for label in document.labels[start:end]])
            found.append([LABELS[label] for label in viterbi(scores[start:end], LABELS)])
    return conlleval(gold, found)


def load_documents(
    data: Path, names: Sequence[str], tokenizer: Tokenizer
) -> list[LabelledDocument]:
    """Labelled documents; files without borders are cut into runs of three sentences."""
    documents: list[Document] = []
    for name in names:
        read = read_conll(data / name)
        if len(read) == 1:
            lines: tuple[Sentence, ...] = read[0]
            read = [lines[start : start + 3] for start in range(0, len(lines), 3)]
        documents.extend(read)
    return [label_document(tokenizer, document) for document in documents]


def network(config: dict[str, Any], mpnet: Path | None = None) -> TokenTagger:
    """The untrained tagger that the configuration describes; `mpnet` is the folder of MPNet.

    Raises ValueError if it wants layers of MPNet and no folder is given.
    """
    layers = config.get("mpnet_layers")
    if layers is not None and mpnet is None:
        raise ValueError("mpnet_layers needs the folder of all-mpnet-base-v2")
    return TokenTagger(
        config["dropout"],
        case_shapes=config.get("case_shapes", True),
        mpnet=mpnet if layers is not None else None,
        layers=layers,
    )


def open_tokenizer(config: dict[str, Any], mpnet: Path | None = None) -> Tokenizer:
    """The tokenizer of the configuration's encoder; nothing is padded or cut."""
    folder = mpnet if mpnet is not None and "mpnet_layers" in config else minilm_folder()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def tagging_loss(
    answers: Sequence[torch.Tensor], labels: torch.Tensor, *, smoothing: float, r_drop: float
) -> torch.Tensor:
    """Mean cross-entropy of the answers of one or two passes over a batch, logits (batch, length,
    labels), on labels (batch, length; IGNORED where there is none).

    Of two, that differ by their dropout alone, also `r_drop` times the mean divergence between
    them: Wu et al. 2021, "R-Drop: Regularized Dropout for Neural Networks".
    """
    asked = labels != IGNORED
    logits = [answer.float()[asked] for answer in answers]
    gold = labels[asked]
    errors = [nn.functional.cross_entropy(rows, gold, label_smoothing=smoothing) for rows in logits]
    loss = torch.stack(errors).mean()
    if len(logits) == 1:
        return loss
    one, other = (rows.log_softmax(-1) for rows in logits)
    apart = (one.exp() - other.exp()) * (one - other)
    return loss + r_drop * apart.sum(-1).mean() / 2


def train(data: Path, out: Path, config: dict[str, Any], mpnet: Path | None = None) -> None:
    """Train, or go on from `out/last.pt`; the average ends in `out/final.pt`."""
    seed_everything(config["seed"], config["threads"])
    tokenizer = open_tokenizer(config, mpnet)
    documents = load_documents(data, config["data"]["train"], tokenizer)
    if "pseudo_labelled" in config:
        wanted = config["pseudo_labelled"]
        texts = read_texts(data / wanted["file"], wanted["texts"], 1, config["seed"])
        read = pseudo_labelled(texts, ShippedTagger.load(Path(wanted["teacher"])))
        documents += [label_document(tokenizer, document) for document in read]
    dev = [label_document(tokenizer, d) for d in read_conll(data / config["data"]["dev"])]
    epochs = [
        epoch_rows(documents, tokenizer, config, config["seed"] + epoch)
        for epoch in range(config["epochs"])
    ]
    loop = Loop(epochs, lambda row: len(row[0].input_ids), config)
    print(f"{len(documents)} documents, {len(loop.plan)} steps", flush=True)
    model = network(config, mpnet)
    r_drop = config.get("r_drop", 0.0)

    def losses(rows: Sequence[tuple[Window, list[int]]]) -> dict[str, torch.Tensor]:
        labels = padded([row for _, row in rows], IGNORED)
        inputs = tensors([window for window, _ in rows])
        with mixed_precision():
            answers = [model(**inputs) for _ in range(2 if r_drop else 1)]
        smoothing = config.get("label_smoothing", 0.0)
        return {"loss": tagging_loss(answers, labels, smoothing=smoothing, r_drop=r_drop)}

    def ended(epoch: int, averaged: dict[str, torch.Tensor]) -> None:
        tested = network(config, mpnet)
        tested.load_state_dict(averaged)
        print(f"epoch {epoch} dev {evaluate(tested, dev, tokenizer)}", flush=True)

    loop.run(model, out, losses, ended)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=Path(__file__).parent / "configs/ner.toml")
    arguments = parser.parse_args()
    train(arguments.data, arguments.out, read_config(arguments.config))


if __name__ == "__main__":
    main()
