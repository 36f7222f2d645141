"""The shared tagger gets a new head for entities; whatever else it says stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from tests.training.conftest import ARTICLE, WEIGHTS
from training import entity_head, evaluate_ner, ner, taggers
from training.common import read_config
from training.export import export_ner
from training.ner_teacher import pseudo_labelled, read_texts
from training.taggers_export import export_taggers
from workers.models.attribution import AttributionModel
from workers.models.sessions import open_tokenizer
from workers.models.token_tagger import TokenTagger
from workers.models.words import split_words

CONFIGS = Path(ner.__file__).parent / "configs"
WORDS = split_words("Anna Berg flew to Oslo.")
CONFIG: dict[str, Any] = {
    **read_config(entity_head.CONFIG),
    "threads": 1,
    "layers": 2,
    "passes": 60,
    "lr": 5e-3,
    "batch_words": 16,
    "word_mask": 0.0,
    "labelled": ["few.conll"],
    "unlabelled": [{"file": "few.jsonl", "texts": 2, "together": 1}],
}


@pytest.fixture
def weights(tiny_encoder: Path, tiny_mpnet: Path, data: Path, tmp_path: Path) -> Path:
    """Both folders of the shared tagger and that of the small entity tagger."""
    names = {
        "entities": ["few.conll"],
        "entities_dev": "few.conll",
        "attributions": "few.jsonl",
        "attributions_dev": "few.jsonl",
    }
    small = {"epochs": 1, "max_length": 32, "tokens_per_batch": 64, "threads": 1}
    config = {
        **read_config(CONFIGS / "taggers-mpnet.toml"), **small, "data": names, "layers": 2
    }  # fmt: skip
    taggers.train(data, tmp_path / "shared", config, tiny_mpnet)
    folder = tmp_path / "weights"
    export_taggers(tmp_path / "shared" / "final.pt", folder, config, tiny_mpnet)
    alone = {**read_config(CONFIGS / "ner.toml"), **small}
    alone["data"] = {"train": ["few.conll"], "dev": "few.conll"}
    ner.train(data, tmp_path / "ner", alone)
    export_ner(tmp_path / "ner" / "final.pt", folder / "ner", keep_float=False)
    return folder


def attributions(weights: Path) -> list[np.ndarray[Any, Any]]:
    model = AttributionModel.load(weights / "attribution-accurate")
    [tagged] = model.tag(model.windows(split_words(ARTICLE), frozenset({0})))
    return [tagged.logits, tagged.features]


def test_the_new_head_learns_and_attributions_stay_to_the_bit(weights: Path, data: Path) -> None:
    before = attributions(weights)
    manifest = weights / "attribution-accurate" / "manifest.json"
    kept = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**kept, "metrics": {"dev": 0.5}}))
    for _ in range(2):  # a head that has been replaced can be replaced again
        entity_head.replace_head(data, weights, CONFIG)
    for one, other in zip(before, attributions(weights), strict=True):
        assert np.array_equal(one, other)
    assert json.loads(manifest.read_text())["metrics"] == {"dev": 0.5}
    tagger = TokenTagger.load(weights / "ner-accurate")
    assert tagger.manifest.document["metrics"] == {}
    assert "entity_head" in tagger.manifest.document["training"]["head"]["command"]
    [logits] = tagger.tag(tagger.windows(WORDS, frozenset({0})))
    found = [ner.LABELS[label] for label in logits.argmax(-1)]
    assert found == ["B-PER", "I-PER", "O", "O", "B-LOC", "O"]


def test_the_graph_answers_as_the_head_does(weights: Path) -> None:
    model = onnx.load(str(weights / "attribution-accurate" / "model.onnx"))
    torch.manual_seed(1)
    head = entity_head.EntityHead(2 * 64, 192, 0.1).eval()
    tokenizer = open_tokenizer(weights / "attribution-accurate" / "tokenizer.json")
    document = ner.LabelledDocument(
        ner.encode_words(tokenizer, WORDS), (0,) * len(WORDS), (0,), tuple(range(len(WORDS)))
    )
    quiet = {**CONFIG, "upper_sentences": 0, "title_sentences": 0, "lower_sentences": 0}
    states, labels = entity_head.States(model, 2, 1).of(document, tokenizer, quiet, seed=1)
    assert labels.tolist() == [0] * len(WORDS)
    with torch.no_grad():
        wanted = head(torch.from_numpy(states).float()).numpy()
    onnx.save(
        entity_head.with_head(model, head, 2), str(weights / "attribution-accurate/model.onnx")
    )
    entity_head.renew_manifests(weights, CONFIG)
    tagger = TokenTagger.load(weights / "ner-accurate")
    [found] = tagger.tag(tagger.windows(WORDS, frozenset({0})))
    assert np.abs(found - wanted).max() < 0.02 * np.abs(wanted).max()


def test_a_graph_with_fewer_layers_is_refused(weights: Path) -> None:
    model = onnx.load(str(weights / "attribution-accurate" / "model.onnx"))
    with pytest.raises(ValueError, match="2 layers, not 4"):
        entity_head.layer_ends(model.graph, 4)


def test_a_change_of_the_other_outputs_is_noticed(weights: Path) -> None:
    model = onnx.load(str(weights / "attribution-accurate" / "model.onnx"))
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    [bias] = [one for one in changed.graph.initializer if one.name == "tags.bias"]
    moved = onnx.numpy_helper.to_array(bias) + 1
    bias.CopyFrom(onnx.numpy_helper.from_array(moved, bias.name))
    with pytest.raises(ValueError, match="other outputs"):
        entity_head.check_rest(model, changed)


def test_texts_are_drawn_once_and_read_by_the_teacher(tmp_path: Path) -> None:
    file = tmp_path / "texts.jsonl"
    rows = [{"text": f"Number {number} met Anna Berg."} for number in (1, 2, 3, 4, 5, 5)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    texts = list(read_texts(file, count=9, together=2, seed=4))
    assert [text.count("\n") for text in texts] == [1, 1, 0]
    assert texts == list(read_texts(file, count=9, together=2, seed=4))
    lines = "\n".join(texts).split("\n")
    assert sorted(lines) == sorted({row["text"] for row in rows})
    assert [text.count("\n") for text in read_texts(file, count=2, together=2, seed=4)] == [1]
    [document, *_] = pseudo_labelled(texts, TokenTagger.load(WEIGHTS / "ner"))
    assert len(document) == 2
    for sentence in document:
        tags = dict(zip(sentence.tokens, sentence.tags, strict=True))
        assert (tags["Anna"], tags["Berg"], tags["met"]) == ("B-PER", "I-PER", "O")


def test_marked_names_are_found_or_missed(tmp_path: Path) -> None:
    text = "On Tuesday Ms. Angela Merkel told them that she would fly to Berlin."

    def row(**marked: str) -> str:
        places = {role: text.index(word) for role, word in marked.items()}
        spans = {role: [at, at + len(marked[role])] for role, at in places.items()}
        return json.dumps({"text": text, "spans": spans}) + "\n"

    file = tmp_path / "rows.jsonl"
    # Twice the same place is one name, and a pronoun is none; nobody names a day.
    file.write_text(
        row(holder="Ms. Angela Merkel", target="Berlin")
        + row(target="Ms. Angela Merkel")
        + row(holder="she", target="Tuesday")
        + json.dumps({"text": "None.", "spans": None})
    )
    figures = evaluate_ner.evaluate(file, WEIGHTS / "ner")
    assert (figures["named_recall"], figures["names"], figures["rows"]) == (0.6667, 3, 1)
    file.write_text(json.dumps({"text": "None.", "spans": None}))
    with pytest.raises(ValueError, match="marks no names"):
        evaluate_ner.evaluate(file, WEIGHTS / "ner")
