"""Train, stop, go on, export and run the stance network with a tiny encoder."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from benchmarks.behaviour.cases import read_capabilities
from training import common, stance
from training.common import load_checkpoint, minilm_folder, read_config
from training.export import write_manifest
from training.shipped_weights import load_shipped
from training.stance_data import read_stance
from training.stance_export import EMBEDDINGS, FILES, dev_logits, export_graphs, manifest_fields
from training.stance_model import StanceNetwork
from training.stance_synthetic import synthetic
from workers.models.sessions import open_tokenizer
from workers.models.stance_inputs import QUESTION_KINDS, find_mentions

WEIGHTS = Path(__file__).parents[2] / "workers" / "weights"
TEXT = "Anna Berg praised Bo Park in Oslo."


def rows(source: str) -> list[dict[str, Any]]:
    if source == "dse":
        spans = {"holder": [0, 9], "target": [18, 25]}
        turned = {"holder": spans["target"], "target": spans["holder"]}
        forth = {"text": TEXT, "holder": "Anna Berg", "target": "Bo Park", "label": "favor"}
        back = {"text": TEXT, "holder": "Bo Park", "target": "Anna Berg", "label": "neutral"}
        return [{**forth, "spans": spans}, {**back, "spans": turned}]
    row: dict[str, Any] = {"text": TEXT, "holder": None, "target": "Bo Park"}
    if source == "newsmtsc":
        row["spans"] = {"target": [18, 25]}
    if source == "vast":
        row["synthetic_neutral"] = False
    return [{**row, "label": label} for label in ("favor", "against")]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    for source in ("dse", "newsmtsc", "vast", "gwsd", "perspectrum"):
        (folder / "stance" / source).mkdir(parents=True)
        for part in ("train", "dev"):
            (folder / "stance" / source / f"{part}.jsonl").write_text(
                "".join(json.dumps(row) + "\n" for row in rows(source) * 6)
            )
    (folder / "nli").mkdir()
    pair = {"premise": "Ann left.", "hypothesis": "Ann went.", "label": "entailment"}
    for name in ("sick", "mnli_dev_matched", "snli_dev", "snli_test"):
        (folder / "nli" / f"{name}.jsonl").write_text((json.dumps(pair) + "\n") * 6)
    return folder


def small_config() -> dict[str, Any]:
    config = read_config(stance.CONFIG)
    later = {**config["later"], "step": 3}
    passes = dict.fromkeys(config["passes"], 1.0)
    return {**config, "batch_tokens": 256, "passes": passes, "later": later}


def run(data: Path, out: Path, config: dict[str, Any], encoder: Path) -> None:
    stance.train(data, out, config, encoder=encoder, minutes=5, threads=1)


def test_the_stance_network_trains_resumes_and_exports_what_torch_computes(
    tiny_encoder: Path, data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(data, out, small_config(), minilm_folder())
    last = load_checkpoint(out / "last.pt")
    assert last is not None
    run(data, out, small_config(), minilm_folder())
    resumed = load_checkpoint(out / "last.pt")
    assert resumed is not None
    assert resumed["step"] == last["step"] > 0

    graph = tmp_path / "float.onnx"
    export_graphs(out / "last.pt", small_config(), minilm_folder(), tmp_path / "model", graph)
    examples = read_stance(data / "stance/dse/dev.jsonl", "dse")[:2]
    tokenizer = open_tokenizer(tmp_path / "model" / "tokenizer.json")
    exported = dev_logits(graph, tokenizer, examples)

    network = StanceNetwork.from_encoder(minilm_folder(), 0.0)
    network.load_state_dict(last["model"])
    network.eval()
    encoder = stance.StanceEncoder(
        Tokenizer.from_file(str(minilm_folder() / "tokenizer.json")), 256
    )
    for example, logits in zip(examples, exported, strict=True):
        encoded = encoder.encode(example.question)
        ids = torch.tensor([encoded.input_ids])
        with torch.no_grad():
            wanted = network(ids, torch.ones_like(ids), torch.tensor([encoded.token_type_ids]))[0]
        assert np.abs(logits - wanted.numpy()).max() < 1e-4


def test_the_order_of_holder_and_target_reaches_the_network(tiny_encoder: Path, data: Path) -> None:
    forth, back = read_stance(data / "stance/dse/dev.jsonl", "dse")[:2]
    encoder = stance.StanceEncoder(
        Tokenizer.from_file(str(minilm_folder() / "tokenizer.json")), 256
    )
    one, other = encoder.encode(forth.question), encoder.encode(back.question)
    assert one.token_type_ids != other.token_type_ids


def mpnet_config() -> dict[str, Any]:
    config = read_config(stance.CONFIG.with_name("stance-mpnet.toml"))
    passes = dict.fromkeys(config["passes"], 1.0)
    return {**config, "batch_tokens": 256, "passes": passes, "synthetic": 20}


def test_mpnet_trains_and_its_int8_graph_answers_nearly_as_torch_does(
    tiny_mpnet: Path, data: Path, tmp_path: Path
) -> None:
    out, model = tmp_path / "out", tmp_path / "model"
    run(data, out, mpnet_config(), tiny_mpnet)
    graph = tmp_path / "float.onnx"
    export_graphs(out / "last.pt", mpnet_config(), tiny_mpnet, model, graph)
    examples = read_stance(data / "stance/dse/dev.jsonl", "dse")[:2]
    tokenizer = open_tokenizer(model / "tokenizer.json")
    exact, small = (dev_logits(path, tokenizer, examples) for path in (graph, model / "model.onnx"))
    assert np.abs(exact - small).max() < 0.05
    assert np.abs(exact[0] - exact[1]).max() > 1e-4  # the swapped question reads differently
    assert (model / "embeddings.bin").stat().st_size == 30_527 * 64


@pytest.mark.parametrize("kind", ["bert", "mpnet"])
def test_a_shipped_graph_gives_its_weights_back(
    kind: str, tiny_encoder: Path, tiny_mpnet: Path, data: Path, tmp_path: Path
) -> None:
    config = mpnet_config() if kind == "mpnet" else small_config()
    encoder = tiny_mpnet if kind == "mpnet" else minilm_folder()
    out, model = tmp_path / "out", tmp_path / "model"
    run(data, out, config, encoder)
    export_graphs(out / "last.pt", config, encoder, model, tmp_path / "float.onnx")
    trained = load_checkpoint(out / "last.pt")
    assert trained is not None
    network = stance.network(encoder, config)
    load_shipped(network, model / "model.onnx")
    for name, parameter in network.named_parameters():
        exact = trained["model"][name]
        # Seven bits: half a step of one in sixty-three of the largest weight.
        assert (parameter - exact).abs().max() <= exact.abs().max() / 100, name


def test_what_ships_lies_between_start_and_end(
    tiny_encoder: Path, data: Path, tmp_path: Path
) -> None:
    config, encoder = small_config(), minilm_folder()
    run(data, tmp_path / "first", config, encoder)
    start = tmp_path / "start"
    export_graphs(tmp_path / "first/last.pt", config, encoder, start, tmp_path / "float.onnx")
    stance.train(data, tmp_path / "out", config, encoder=encoder, minutes=5, threads=1, start=start)
    last = load_checkpoint(tmp_path / "out/last.pt")
    assert last is not None
    begun, shipped = (stance.network(encoder, config) for _ in range(2))
    load_shipped(begun, start / "model.onnx")
    mixed, kept = {**config, "trained_share": 0.25}, tmp_path / "kept.onnx"
    export_graphs(tmp_path / "out/last.pt", mixed, encoder, tmp_path / "model", kept, start)
    load_shipped(shipped, tmp_path / "model" / "model.onnx")
    first = dict(begun.named_parameters())
    for name, parameter in shipped.named_parameters():
        wanted = 0.75 * first[name] + 0.25 * last["model"][name]
        assert (parameter - wanted).abs().max() <= wanted.abs().max() / 100, name
    for wrong in (None, tmp_path / "model"):
        with pytest.raises(ValueError, match="not the folder"):
            export_graphs(tmp_path / "out/last.pt", mixed, encoder, tmp_path / "x", kept, wrong)


def test_a_graph_of_another_network_is_refused(tiny_encoder: Path, tiny_mpnet: Path) -> None:
    network = stance.network(tiny_mpnet, mpnet_config())
    with pytest.raises(ValueError, match=r"encoder\.mpnet"):
        load_shipped(network, WEIGHTS / "stance" / "model.onnx")


def test_frozen_layers_stay_and_the_others_learn(
    tiny_mpnet: Path, data: Path, tmp_path: Path
) -> None:
    config = {**mpnet_config(), "frozen_layers": 1}
    stance.seed_everything(config["seed"])
    before = stance.network(tiny_mpnet, config).state_dict()
    run(data, tmp_path / "out", config, tiny_mpnet)
    after = load_checkpoint(tmp_path / "out" / "last.pt")
    assert after is not None
    for name, value in before.items():
        same = torch.equal(value, after["model"][name])
        # What starts at random differs between the two networks anyway.
        if name.startswith("encoder.mpnet.") and ".layer.1." not in name:
            assert same, name
        elif "layer.1.attention.attn.v.weight" in name:
            assert not same, name


def test_a_shipped_model_teaches_a_smaller_one(
    tiny_encoder: Path,
    tiny_mpnet: Path,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weights = common.sha256_of(tiny_mpnet / "model.safetensors")
    monkeypatch.setattr(common, "MPNET_SHA256", weights)
    teacher, config = tmp_path / "teacher", mpnet_config()
    run(data, tmp_path / "first", config, tiny_mpnet)
    export_graphs(tmp_path / "first/last.pt", config, tiny_mpnet, teacher, tmp_path / "float.onnx")
    scaling = {"scale": 1.0, "entropy_power": 0.0, "bias": [0.0, 0.0, 0.0]}
    fields = manifest_fields(
        config,
        dict.fromkeys(QUESTION_KINDS, scaling),
        dict.fromkeys(QUESTION_KINDS, 0.5),
        file=stance.CONFIG.with_name("stance-mpnet.toml"),
        start=None,
    )
    write_manifest(teacher, (*FILES, EMBEDDINGS), fields)
    taught = {
        **small_config(),
        **read_config(stance.CONFIG.with_name("stance-distilled.toml")),
        "batch_tokens": 256,
        "synthetic": 20,
        "unlabelled": 20,
    }
    source = [TEXT.index("Anna"), len("Anna Berg")]
    told = {"text": TEXT, "attributions": [{"source": [source]}] * 9}
    (data / "attribution/polnear").mkdir(parents=True)
    (data / stance.UNLABELLED).write_text(json.dumps(told) + "\n")
    stance.train(
        data,
        tmp_path / "out",
        taught,
        encoder=minilm_folder(),
        minutes=5,
        threads=1,
        teacher=teacher,
        mpnet=tiny_mpnet,
    )
    last = load_checkpoint(tmp_path / "out" / "last.pt")
    assert last is not None
    assert last["step"] > 0
    assert last["teacher"] == stance.sha256_of(teacher / "model.onnx")
    assert all(value.isfinite().all() for value in last["model"].values())


def test_a_stopped_training_goes_on_as_if_it_had_not_been_stopped(
    tiny_mpnet: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(data, tmp_path / "whole", mpnet_config(), tiny_mpnet)
    monkeypatch.setattr(stance, "CHECKPOINT_STEPS", 4)
    saved = stance.save_checkpoint

    def stopping(path: Path, **parts: Any) -> None:
        saved(path, **parts)
        if parts["step"] == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(stance, "save_checkpoint", stopping)
        with pytest.raises(KeyboardInterrupt):
            run(data, tmp_path / "stopped", mpnet_config(), tiny_mpnet)
    run(data, tmp_path / "stopped", mpnet_config(), tiny_mpnet)
    whole, stopped = (load_checkpoint(tmp_path / name / "last.pt") for name in ("whole", "stopped"))
    assert whole is not None
    assert stopped is not None
    for name, value in whole["model"].items():
        # A processor's bfloat16 kernels need not repeat themselves to the last bit (4e-6 was seen);
        # without the stored random state the weights are 6e-5 apart.
        apart = float((stopped["model"][name] - value).abs().float().mean())
        assert apart < 2e-5, name


def test_invented_sentences_hold_the_names_they_ask_about() -> None:
    rows = list(synthetic(600, random.Random(1)))
    assert {row.label for row in rows} == {0, 1, 2}
    for row in rows:
        question = row.question
        assert question.target.strip()
        if question.holder is not None:
            assert find_mentions(question.text, question.holder), question
            assert question.holder != question.target
        if not question.topic:
            assert find_mentions(question.text, question.target), question


def test_the_behavioural_tests_use_other_words_than_the_training_sentences() -> None:
    lexicon, _ = read_capabilities()
    asked = {verb for form in ("praise", "attack") for verb in lexicon[form]}
    asked |= set(lexicon["topics"]) | {name for group in lexicon["names"] for name in group}
    asked = {word.lower() for word in asked}
    for question in (row.question for row in synthetic(12000, random.Random(2))):
        text = f"{question.text} {question.target}".lower()
        assert not [word for word in asked if find_mentions(text, word)], question
