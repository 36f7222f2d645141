"""Tiny random models and their tokenizers, saved the way that the Hub's are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from tokenizers.trainers import BpeTrainer, UnigramTrainer, WordPieceTrainer
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
)

CORPUS = [
    "Anna Lindqvist of the United Nations said on Monday that she would travel to Nairobi.",
    "Finance Minister Peter Okoro told reporters in Lagos, U.S. officials said.",
    "the author supports the peace talks. Ann Miller attacked Bob Stone as a liar.",
]
# Positions beyond what any test's window holds must fail loudly, so the tables are small.
POSITIONS = 66

# `saved("bert", "tagger", labels)` → its folder.
Saved = Callable[..., Path]

BIO = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC", "B-MISC", "I-MISC")
NLI = ("CONTRADICTION", "NEUTRAL", "ENTAILMENT")


# Trained once: two trainings may number the same pieces differently.
@cache
def wordpiece() -> PreTrainedTokenizerFast:
    """As BERT, cased."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(CORPUS, WordPieceTrainer(vocab_size=300, special_tokens=special))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )


@cache
def bytes_bpe() -> PreTrainedTokenizerFast:
    """As RoBERTa: pieces of bytes that begin with the blank before a word."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(
        CORPUS,
        BpeTrainer(
            vocab_size=500,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        ),
    )
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        unk_token="<unk>",
        cls_token="<s>",
        sep_token="</s>",
        bos_token="<s>",
        eos_token="</s>",
        mask_token="<mask>",
    )


@cache
def sentence_pieces() -> PreTrainedTokenizerFast:
    """As XLM-R: one piece may hold several of our words ("U.S.")."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Replace(Regex(" {2,}"), " ")
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    tokenizer.train_from_iterator(
        CORPUS * 20, UnigramTrainer(vocab_size=160, special_tokens=special, unk_token="<unk>")
    )
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        unk_token="<unk>",
        cls_token="<s>",
        sep_token="</s>",
        model_max_length=64,
    )


TOKENIZERS = {"wordpiece": wordpiece, "bytes": bytes_bpe, "pieces": sentence_pieces}
_SMALL: dict[str, Any] = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": POSITIONS,
}
_CLASSES = {
    ("bert", "tagger"): BertForTokenClassification,
    ("bert", "classifier"): BertForSequenceClassification,
    ("bert", "encoder"): BertModel,
    ("roberta", "tagger"): RobertaForTokenClassification,
    ("roberta", "classifier"): RobertaForSequenceClassification,
}


def write_model(
    folder: Path,
    family: str,
    head: str,
    labels: Sequence[str],
    tokenizer: str | None = None,
    seed: int = 0,
) -> None:
    """Save a random model of a family ("bert", "roberta") and a head ("tagger", "classifier")."""
    made = TOKENIZERS[tokenizer or ("wordpiece" if family == "bert" else "bytes")]()
    names = dict(enumerate(labels))
    config_class = BertConfig if family == "bert" else RobertaConfig
    ids = {} if family == "bert" else {"type_vocab_size": 1, "pad_token_id": 1}
    config = config_class(
        vocab_size=len(made),
        id2label=names,
        label2id={label: number for number, label in names.items()},
        **_SMALL,
        **ids,
    )
    torch.manual_seed(seed)
    model = _CLASSES[family, head](config)
    with torch.no_grad():
        for parameter in model.parameters():
            # Random weights of the usual size say the same of every word.
            parameter.mul_(8.0)
    model.save_pretrained(folder)
    made.save_pretrained(folder)
