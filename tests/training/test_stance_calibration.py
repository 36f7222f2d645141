"""The fit finds the calibration that made the labels, and what it writes is what runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from training.recalibrate import recalibrate
from training.stance_calibration import fit
from training.stance_scores import expected_calibration_error
from workers.models.stance import Calibration, StanceModel
from workers.models.stance_inputs import StanceQuestion

WEIGHTS = Path(__file__).parents[2] / "workers" / "weights" / "stance"


def test_the_fit_finds_how_entropy_bends_the_temperature() -> None:
    rng = np.random.default_rng(4)
    logits = rng.normal(0.0, 2.0, (20_000, 3)).astype(np.float32)
    true = Calibration(0.7, (0.2, -0.1, -0.1), -0.3)
    draws = rng.random(len(logits))
    labels = (true.apply(logits).cumsum(axis=1) < draws[:, None]).sum(axis=1).clip(max=2)
    found = fit(logits, labels, np.ones(len(logits)))
    assert found.scale == pytest.approx(true.scale, abs=0.05)
    assert found.entropy_power == pytest.approx(true.entropy_power, abs=0.05)
    assert expected_calibration_error(found.apply(logits), labels) < 0.01
    plain = Calibration(found.scale, found.bias)
    assert expected_calibration_error(plain.apply(logits), labels) > 0.02


def test_a_shipped_model_is_calibrated_anew(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(WEIGHTS, folder)
    rows = [
        {"text": text, "holder": None, "target": "Bo Park", "label": label}
        for text, label in [
            ("Anna Berg praised Bo Park.", "favor"),
            ("Anna Berg attacked Bo Park as a liar.", "against"),
            ("Bo Park arrived in Oslo.", "neutral"),
            ("Bo Park failed miserably.", "against"),
        ]
    ]
    for name in ("dse", "newsmtsc", "vast", "perspectrum"):
        file = tmp_path / "stance" / name / "dev.jsonl"
        file.parent.mkdir(parents=True)
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    before = json.loads((WEIGHTS / "manifest.json").read_text())
    recalibrate(tmp_path, folder)
    after = json.loads((folder / "manifest.json").read_text())
    changed = {"calibration", "thresholds", "metrics"}
    assert {k: v for k, v in after.items() if k not in changed} == {
        k: v for k, v in before.items() if k not in changed
    }
    assert all(after[key] != before[key] for key in changed)
    question = StanceQuestion("Anna Berg praised Bo Park.", target="Bo Park")
    model = StanceModel.load(folder)
    [answer] = model.score([question])
    fitted = after["calibration"]["author"]
    scaled = Calibration(fitted["scale"], tuple(fitted["bias"]), fitted["entropy_power"])
    assert answer.probabilities.favor == pytest.approx(
        scaled.apply(model.logits([question])[0])[0], abs=1e-6
    )
