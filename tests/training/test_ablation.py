"""Variants differ from the base in what they say, and their results become one table."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from training import ablation
from training.common import read_config

PLAN = read_config(ablation.CONFIG)
ROOT = Path(__file__).parents[2]
SENTENCE = "Anna\tB-PER\nleft\tO\nOslo\tB-LOC\n\n"


@pytest.mark.parametrize("variant", PLAN["variants"])
def test_a_variant_is_the_base_but_for_what_it_names(variant: str) -> None:
    base = {**read_config(ablation.CONFIG.with_name(PLAN["base"])), **PLAN["shared"]}
    changes: dict[str, Any] = dict(PLAN["variants"][variant])
    config = ablation.variant_config(PLAN, variant)
    train = changes.pop("train", base["data"]["train"])
    assert config["data"] == {**base["data"], "train": train}
    assert {**base, **changes, "data": config["data"]} == config


def test_a_misspelt_setting_is_refused() -> None:
    plan = {**PLAN, "variants": {"one": {"dropuot": 0.3}}}
    with pytest.raises(ValueError, match="dropuot"):
        ablation.variant_config(plan, "one")


def test_two_processes_share_the_work_and_the_last_one_writes_the_table(
    tiny_encoder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "few.conll").write_text("-DOCSTART-\tO\n\n" + SENTENCE * 4)
    plan: dict[str, Any] = {
        "base": "ner.toml",
        "shared": {"epochs": 1, "data": {"dev": "few.conll"}},
        "variants": {
            "whole": {"train": ["few.conll"]},
            "no shapes": {"train": ["few.conll"], "case_shapes": False},
        },
        "sets": {"few": {"file": "few.conll"}, "few in capitals": {"file": "few.conll"}},
    }
    plan["sets"]["few in capitals"]["upper_sentences"] = 1.0
    result, out = tmp_path / "result.json", tmp_path / "out"
    monkeypatch.setattr(
        ablation,
        "read_config",
        lambda path: dict(plan if path == ablation.CONFIG else read_config(path)),
    )
    monkeypatch.setattr(ablation, "RESULT", result)
    arguments = ["ablation", "--data", str(tmp_path), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", [*arguments, "--only", "no shapes"])
    ablation.main()
    assert not result.exists()
    kept = (out / "no-shapes" / "result.json").read_text()
    monkeypatch.setattr(sys, "argv", arguments)
    ablation.main()
    assert (out / "no-shapes" / "result.json").read_text() == kept
    variants = json.loads(result.read_text())["variants"]
    assert list(variants) == ["whole", "no shapes"]
    # Without shapes, capitals are nothing new.
    assert variants["no shapes"]["f1"]["few"] == variants["no shapes"]["f1"]["few in capitals"]
    assert ablation.table(variants) in capsys.readouterr().out


def test_the_table_in_the_documents_is_the_measured_one() -> None:
    results = json.loads(ablation.RESULT.read_text("utf-8"))["variants"]
    assert list(results) == list(PLAN["variants"])
    assert ablation.table(results) in (ROOT / "docs/models.md").read_text("utf-8")
