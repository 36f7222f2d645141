"""The whole pipeline, chosen by settings, with a tagger and a stance model by name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from service.domain.article import AnalysisOptions, Article
from service.settings import load_settings
from tests.torch.tiny_models import BIO, NLI, Saved
from workers.errors import WorkerStartError
from workers.pipeline import Pipeline

ROOT = Path(__file__).parents[2]
TEXT = (
    "Finance Minister Peter Okoro told reporters in Lagos that Anna Lindqvist was right. "
    "“We support the peace talks,” he said. Anna Lindqvist attacked the U.S. on Monday."
)


def choose(monkeypatch: pytest.MonkeyPatch, **settings: object) -> None:
    monkeypatch.setenv("STANCEWIRE_BACKEND", "torch")
    for name, value in settings.items():
        monkeypatch.setenv(f"STANCEWIRE_{name.upper()}", str(value))


def test_an_article_is_analysed_by_models_by_name(
    saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    tagger = saved("roberta", "tagger", BIO, name="tiny-tagger")
    choose(monkeypatch, ner_model=tagger, stance_model=saved("bert", "classifier", NLI))
    settings = load_settings()
    Pipeline.check(settings)
    made = Pipeline.load(settings)
    article = Article(id="a", text=TEXT, created_at=datetime(2026, 1, 1, tzinfo=UTC))
    found = made.run(article, AnalysisOptions(("the peace talks",)), lambda stage: None)
    for mention in found.mentions:
        assert TEXT[mention.start : mention.end] == mention.text
    assert found.mentions
    assert found.attributions
    assert [s for s in found.stances if s.target.name == "the peace talks"]
    assert made.run(article, AnalysisOptions(("the peace talks",)), lambda stage: None) == found

    shown = {model["task"]: model for model in made.models}
    assert shown["ner"]["name"] == "tiny-tagger"
    assert {task: model["calibrated"] for task, model in shown.items()} == {
        "ner": False, "attribution": False, "stance": False,
    }  # fmt: skip
    assert all(len(model["sha256"]) == 64 for model in shown.values())
    monkeypatch.setenv("STANCEWIRE_STANCE_HYPOTHESIS", "{holder} is for {target}.")
    assert Pipeline.load(load_settings()).version != made.version


def test_one_model_by_name_leaves_the_others_bundled(
    saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(monkeypatch, stance_model=saved("bert", "classifier", NLI, name="tiny-nli"))
    made = Pipeline.load(load_settings())
    assert [model["name"] for model in made.models] == [
        "stancewire-ner-mpnet", "stancewire-attribution-mpnet", "tiny-nli",
    ]  # fmt: skip


def test_a_model_of_the_hub_is_taken_from_the_cache_alone(
    saved: Saved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = saved("bert", "classifier", NLI)
    commit = "0123456789abcdef0123456789abcdef01234567"
    cache = tmp_path / "hub" / "models--owner--tiny"
    (cache / "refs").mkdir(parents=True)
    (cache / "refs" / "main").write_text(commit)
    (cache / "snapshots").mkdir()
    folder.rename(cache / "snapshots" / commit)
    # The library reads its settings once, so each name is tried in a process of its own.
    code = (
        "import sys; from service.settings import load_settings;"
        "from workers.pipeline import Pipeline; Pipeline.check(load_settings());"
        "print(len(sys.argv) > 1 and Pipeline.load(load_settings()).models[2]['name'])"
    )
    environment = {
        **os.environ,
        "HF_HUB_CACHE": str(tmp_path / "hub"),
        "STANCEWIRE_BACKEND": "torch",
    }
    environment.pop("HF_HUB_OFFLINE", None)

    def run(name: str, *load: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code, *load],
            cwd=ROOT,
            env={**environment, "STANCEWIRE_STANCE_MODEL": name},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    loaded = run(f"owner/tiny@{commit}", "load")
    assert loaded.returncode == 0, loaded.stderr
    assert f"owner/tiny@{commit}" in loaded.stdout
    assert run("owner/tiny").returncode == 0
    refused = run("owner/other")
    assert refused.returncode == 1
    assert "hf download owner/other" in refused.stderr


@pytest.mark.parametrize("start", [Pipeline.check, Pipeline.load])
def test_a_worker_says_why_it_cannot_use_a_model(
    saved: Saved, monkeypatch: pytest.MonkeyPatch, start: object
) -> None:
    assert callable(start)
    choose(monkeypatch, ner_model="/nowhere/at all")
    with pytest.raises(WorkerStartError, match="no folder /nowhere/at all"):
        start(load_settings())
    choose(monkeypatch, ner_model=saved("bert", "classifier", NLI))
    with pytest.raises(WorkerStartError, match="not a model …ForTokenClassification"):
        start(load_settings())
    choose(monkeypatch, ner_model=saved("bert", "tagger", ("O", "B-DATE", "I-DATE")))
    with pytest.raises(WorkerStartError, match="no label of a known type"):
        start(load_settings())


def test_code_that_a_model_brings_is_not_run(
    saved: Saved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "ran"
    folder = saved("bert", "classifier", NLI)
    choose(monkeypatch, stance_model=folder)
    (folder / "theirs.py").write_text(f"open({str(mark)!r}, 'w').close()\n")
    config = json.loads((folder / "config.json").read_text())
    own = {"AutoConfig": "theirs.C", "AutoModelForSequenceClassification": "theirs.M"}
    (folder / "config.json").write_text(json.dumps({**config, "auto_map": own}))
    assert Pipeline.load(load_settings()).models[2]["name"] == "model"
    (folder / "config.json").write_text(
        json.dumps({**config, "auto_map": own, "model_type": "theirs"})
    )
    with pytest.raises(WorkerStartError, match="cannot be opened"):
        Pipeline.load(load_settings())
    assert not mark.exists()
    (folder / "config.json").write_text(json.dumps(config))

    class Payload:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {mark}",)

    weights = folder / "model.safetensors"
    state = {**load_file(weights), "payload": Payload()}
    weights.unlink()
    torch.save(state, folder / "pytorch_model.bin")
    with pytest.raises(WorkerStartError, match="cannot be opened"):
        Pipeline.load(load_settings())
    assert not mark.exists()
