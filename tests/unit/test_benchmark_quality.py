"""The quality and calibration benchmarks, whole, on a few rows of each set."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import calibration, quality
from benchmarks.calibration import bins, curve
from training.stance_scores import expected_calibration_error

SAID = "Anna Berg said that the harbour would open in May."


def stance_rows(name: str) -> list[dict[str, Any]]:
    text = "Anna Berg sharply attacked Bo Park in Oslo."
    row: dict[str, Any] = {"text": text, "holder": None, "target": "Bo Park", "label": "against"}
    if name == "dse":
        spans = {"holder": [0, 9], "target": [27, 34]}
        forth = {**row, "holder": "Anna Berg", "spans": spans}
        back = {**row, "holder": "Bo Park", "target": "Anna Berg", "label": "neutral"}
        return [forth, back] * 3
    if name == "newsmtsc":
        row["spans"] = {"target": [27, 34]}
    return [{**row, "label": label} for label in ("against", "favor", "neutral")] * 2


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    for name in ("conll2003/dev", "conll2003/test_corrected", "crossner_politics/dev"):
        path = folder / "ner" / f"{name}.conll"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("Anna\tB-PER\nBerg\tI-PER\nleft\tO\nOslo\tB-LOC\n.\tO\n")
    spans = {"source": [[0, 9]], "cue": [[10, 14]], "content": [[15, 49]]}
    (folder / "attribution/polnear").mkdir(parents=True)
    (folder / "attribution/polnear/dev.jsonl").write_text(
        json.dumps({"id": "1", "text": SAID, "attributions": [spans]}) + "\n"
    )
    for name in ("newsmtsc", "vast", "dse", "perspectrum"):
        (folder / "stance" / name).mkdir(parents=True)
        (folder / "stance" / name / "dev.jsonl").write_text(
            "".join(json.dumps(row) + "\n" for row in stance_rows(name))
        )
    return folder


def call(monkeypatch: pytest.MonkeyPatch, module: Any, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["benchmark", *map(str, arguments)])
    code: int = module.main()
    return code


def test_every_goal_gets_its_row(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    given = ("--data", data, "--profile", "fast", "--threads", 2, "--out", out)
    assert call(monkeypatch, quality, *given) == 0
    result = json.loads((out / "quality-fast.json").read_text())
    rows = {(row["set"], row["figure"]): row for row in result["rows"]}
    assert len(rows) == len(result["rows"]) == result["goals"] == len(quality.GOALS) + 18
    names = rows["ner/conll2003/dev.conll", "f1"]
    # `fast` may be two points below the goal of 0.95.
    assert (names["value"], names["goal"], names["met"]) == (1.0, "≥ 0.93", True)
    assert rows["attribution/polnear/dev.jsonl", "tokens source f1"]["value"] == 1.0
    # One file, two tasks.
    assert rows["stance/newsmtsc/dev.jsonl", "named_recall"]["value"] == 1.0
    assert 0 <= rows["stance/newsmtsc/dev.jsonl", "macro_f1"]["value"] < 1
    assert rows["stance/vast/dev.jsonl", "expected_calibration_error"]["goal"] == "≤ 0.04"
    lowest = result["lowest_capability"]
    assert lowest["pass_rate"] == min(
        row["value"] for row in result["rows"] if row["set"].startswith("behaviour/")
    )
    assert lowest["name"] in capsys.readouterr().out
    met = all(row["met"] for row in result["rows"])
    assert call(monkeypatch, quality, *given, "--require") == (0 if met else 1)


def test_a_missing_set_is_named_before_anything_runs(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "stance/vast/dev.jsonl").unlink()
    for module in (quality, calibration):
        with pytest.raises(SystemExit) as caught:
            call(monkeypatch, module, "--data", data, "--profile", "fast", "--out", tmp_path)
        assert caught.value.code == 2
        assert "vast" in capsys.readouterr().err


def test_the_calibration_pictures_show_what_the_figures_say(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = ("--out", tmp_path / "results", "--pictures", tmp_path / "pictures")
    assert call(monkeypatch, calibration, "--data", data, "--profile", "fast", *folders) == 0
    result = json.loads((tmp_path / "results/calibration-fast.json").read_text())
    assert result == json.loads(capsys.readouterr().out)
    kinds = {one["set"]: one["kind"] for one in result["sets"]}
    assert kinds == {
        "newsmtsc": "author", "vast": "topic", "dse": "relation", "perspectrum": "topic",
    }  # fmt: skip
    drawn = (tmp_path / "pictures/calibration-fast.svg").read_text()
    assert ElementTree.fromstring(drawn).tag.endswith("svg")
    for one in result["sets"]:
        assert sum(bin_["rows"] for bin_ in one["bins"]) == one["rows"] == 6
        assert (
            f"{one['set']} dev, 6 questions, ECE {one['expected_calibration_error']:.3f}" in drawn
        )


def test_bins_add_up_to_the_calibration_error() -> None:
    generator = np.random.default_rng(1)
    probabilities = generator.dirichlet((1.0, 2.0, 3.0), 400)
    gold = generator.integers(0, 3, 400)
    found = bins(probabilities.max(axis=1), probabilities.argmax(axis=1) == gold)
    gap = sum(b["rows"] / 400 * abs(b["accuracy"] - b["confidence"]) for b in found)
    assert gap == pytest.approx(expected_calibration_error(probabilities, gold), abs=1e-4)


def test_a_curve_knows_its_threshold_and_its_area() -> None:
    confidence = np.array([0.9, 0.8, 0.7, 0.6])
    right = np.array([True, True, False, True])
    found = curve(confidence, right, 0.7)
    assert found["at_threshold"] == {"coverage": 0.75, "risk": 0.3333}
    assert found["area"] == pytest.approx((0 + 0 + 1 / 3 + 1 / 4) / 4, abs=1e-4)
    assert found["points"][-1] == [1.0, 0.25]
    assert curve(confidence, right, 0.95)["at_threshold"] == {"coverage": 0.0, "risk": 0.0}
    assert curve(confidence[:0], right[:0], 0.5)["at_threshold"] is None


@pytest.mark.parametrize(
    ("limit", "text"), [(0.8, "0.80"), (0.95 - 0.02, "0.93"), (0.715, "0.715")]
)
def test_a_goal_is_shown_with_all_its_places(limit: float, text: str) -> None:
    assert quality.shown(limit) == text
