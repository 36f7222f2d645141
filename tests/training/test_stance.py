"""Train, stop, go on, export and run the stance network with a tiny encoder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from training import stance
from training.common import load_checkpoint, minilm_folder, read_config
from training.stance_data import read_stance
from training.stance_export import dev_logits, export_graphs
from training.stance_model import StanceNetwork
from workers.models.sessions import open_tokenizer

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


def test_the_stance_network_trains_resumes_and_exports_what_torch_computes(
    tiny_encoder: Path, data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    stance.train(data, out, small_config())
    last = load_checkpoint(out / "last.pt")
    assert last is not None
    stance.train(data, out, small_config())
    resumed = load_checkpoint(out / "last.pt")
    assert resumed is not None
    assert resumed["step"] == last["step"] > 0

    graph = tmp_path / "float.onnx"
    export_graphs(out / "last.pt", tmp_path / "model", graph)
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
