"""Entity taggers by name, through the recognise stage."""

from __future__ import annotations

import logging
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer

from service.domain.analysis import EntityType, Sentence
from tests.torch.tiny_models import BIO, Saved
from workers.models.manifest import ModelCorruptError, ModelUnsuitableError
from workers.models.named import TAGGER, find_model
from workers.models.torch_tagger import TorchTagger
from workers.models.words import Word, split_words
from workers.stages.recognise.stage import recognise

IOB1 = ("I-LOC", "B-LOC", "I-ORG", "I-PER", "O", "I-MISC")
ONTONOTES = ("O", "B-PERSON", "I-PERSON", "B-GPE", "I-GPE", "B-DATE", "I-DATE", "B-WORK_OF_ART")
TEXT = (
    "Anna Lindqvist of the U.S. told us that Peter Okoro would go to Lagos.\n"
    "“Hello,” she said in Nairobi."
)
# From right to left, joined and combined characters, none of our letters, controls, a monster word.
ODD = [
    "",
    " \n\t ",
    "\u202eשלום עולם\u202c and مرحبا",
    "👩\u200d👩\u200d👧\u200d👦 👍🏽 🇺🇸",
    "a\u0000b \u0007\u200b\ufeff c\u00ad",
    "e\u0301\u0301\u0301\u0301 Zürich Zu\u0308rich",
    "日本語のテキスト です。",
    "x" * 5000,
    "— … — ’’’ ((()))",
    "\U0001f600" * 300,
]
FAMILIES = [("bert", "wordpiece"), ("roberta", "bytes"), ("bert", "pieces")]


def sentences_of(text: str) -> list[Sentence]:
    return [
        Sentence(f"s{number}", m.start(), m.end(), m.group(), 0)
        for number, m in enumerate(re.finditer(r".+", text))
    ]


def tagger_of(folder: Path) -> TorchTagger:
    return TorchTagger(find_model(str(folder), TAGGER))


@pytest.mark.parametrize(("family", "tokenizer"), FAMILIES)
@pytest.mark.parametrize("labels", [BIO, IOB1, ONTONOTES])
def test_mentions_have_exact_spans_and_our_types(
    saved: Saved, family: str, tokenizer: str, labels: tuple[str, ...]
) -> None:
    tagger = tagger_of(saved(family, "tagger", labels, tokenizer=tokenizer))
    sentences = sentences_of(TEXT)
    found = recognise(TEXT, sentences, tagger)
    assert found.windows == len(sentences) == 2
    assert found.mentions
    for mention in found.mentions:
        assert TEXT[mention.start : mention.end] == mention.text
        assert mention.type in EntityType
        assert 0.0 < mention.score <= 1.0


@pytest.mark.parametrize(("family", "tokenizer"), FAMILIES)
def test_the_model_reads_the_sentence_as_its_own_tokenizer_cuts_it(
    saved: Saved, family: str, tokenizer: str
) -> None:
    folder = saved(family, "tagger", BIO, tokenizer=tokenizer)
    tagger = tagger_of(folder)
    text = "Anna Lindqvist of the United Nations said so in Lagos, Nairobi."
    words = split_words(text)
    [window] = tagger.windows(words, {0})
    [rows] = tagger.tag([window])

    theirs = AutoTokenizer.from_pretrained(folder)
    encoded = theirs(text, return_tensors="pt", return_offsets_mapping=True)
    assert list(window.input_ids) == encoded["input_ids"][0].tolist()
    model = AutoModelForTokenClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        logits = model(encoded["input_ids"], encoded["attention_mask"]).logits[0]
    direct = torch.log_softmax(logits, dim=1).numpy()
    offsets = encoded["offset_mapping"][0].tolist()
    for word, row in zip(words, rows, strict=True):
        place = next(k for k, (start, end) in enumerate(offsets) if start <= word.start < end)
        theirs_best = BIO[int(direct[place].argmax())]
        ours_best = tagger.labels[int(row.argmax())]
        # A begin may have become an inside or the other way round; the type is the model's.
        assert ours_best[2:] == theirs_best[2:]


@pytest.mark.parametrize(("family", "tokenizer"), FAMILIES)
@pytest.mark.parametrize("text", ODD)
def test_odd_characters_are_read(saved: Saved, family: str, tokenizer: str, text: str) -> None:
    tagger = tagger_of(saved(family, "tagger", BIO, tokenizer=tokenizer))
    found = recognise(text, [Sentence("s1", 0, len(text), text, 0)], tagger)
    for mention in found.mentions:
        assert text[mention.start : mention.end] == mention.text


@pytest.mark.parametrize(("family", "tokenizer"), FAMILIES)
@pytest.mark.parametrize("text", ["Anna said no, ", "U.S.-", "👍 ", "a-b.c:", "\u0301x "])
def test_long_sentences_are_read_whole_in_windows_that_fit(
    saved: Saved, family: str, tokenizer: str, text: str
) -> None:
    folder = saved(family, "tagger", BIO, tokenizer=tokenizer)
    tagger = tagger_of(folder)
    words = split_words(text * 150)
    windows = tagger.windows(words, {0})
    assert len(windows) > 1
    assert windows[0].first_word == 0
    assert windows[-1].last_word == len(words)
    for one, following in pairwise(windows):
        assert one.first_word < following.first_word <= one.last_word < following.last_word
    # The model's own table of positions is the judge: beyond it torch raises IndexError.
    assert max(len(window.input_ids) for window in windows) <= 64
    for window, rows in zip(windows, tagger.tag(windows), strict=True):
        assert rows.shape == (window.last_word - window.first_word, len(BIO))
        assert np.isfinite(rows).all()


def test_a_sentence_gets_the_same_answer_alone_and_among_others(saved: Saved) -> None:
    tagger = tagger_of(saved("roberta", "tagger", BIO))
    words = split_words(TEXT)
    first_of_second = next(k for k, word in enumerate(words) if word.text == "“")
    together = tagger.tag(tagger.windows(words, {0, first_of_second}))
    alone = [
        tagger.tag(tagger.windows(part, {0}))[0]
        for part in (words[:first_of_second], words[first_of_second:])
    ]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_words_no_windows(saved: Saved) -> None:
    tagger = tagger_of(saved("bert", "tagger", BIO))
    nothing: list[Word] = []
    assert tagger.tag(tagger.windows(nothing, ())) == []


def test_what_is_left_out_is_said(saved: Saved, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        tagger = tagger_of(saved("bert", "tagger", ONTONOTES))
    assert "B-DATE, I-DATE" in caplog.text
    assert tagger.manifest.document["labels_left_out"] == ["B-DATE", "I-DATE"]


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (("LABEL_0", "LABEL_1"), "names no labels"),
        (("POS", "NEG"), "no label O among POS, NEG"),
        (("O", "B-DATE", "I-DATE"), "no label of a known type"),
    ],
)
def test_labels_that_say_nothing_are_refused(
    saved: Saved, labels: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(ModelUnsuitableError, match=reason):
        tagger_of(saved("bert", "tagger", labels))


def test_a_head_that_was_never_trained_is_refused(saved: Saved) -> None:
    folder = saved("bert", "encoder", BIO)
    with pytest.raises(ModelUnsuitableError, match="BertModel, not a model …ForTokenClass"):
        tagger_of(folder)
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"BertModel"', '"BertForTokenClassification"'))
    with pytest.raises(ModelUnsuitableError, match="would be random"):
        tagger_of(folder)


def test_broken_files_are_refused(saved: Saved) -> None:
    folder = saved("bert", "tagger", BIO)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelCorruptError, match="model cannot be opened: "):
        tagger_of(folder)


def test_the_identity_changes_with_every_file_that_decides(saved: Saved) -> None:
    first = tagger_of(saved("bert", "tagger", BIO, name="one")).manifest
    again = tagger_of(saved("bert", "tagger", BIO, name="one")).manifest
    assert first.digest == again.digest
    assert first.document["sha256"] == first.files["model.safetensors"]
    assert first.document["calibrated"] is False
    other = tagger_of(saved("bert", "tagger", BIO, name="one", seed=1)).manifest
    assert other.files["config.json"] == first.files["config.json"]
    assert other.digest != first.digest
    folder = saved("bert", "tagger", BIO, name="one")
    (folder / "config.json").write_text((folder / "config.json").read_text() + "\n")
    assert tagger_of(folder).manifest.digest != first.digest
