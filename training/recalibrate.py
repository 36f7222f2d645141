"""Calibrate and measure a shipped stance model anew, on its int8 graph as it is.

python -m training.recalibrate --data DIR --weights DIR

Rewrites calibration, thresholds and metrics in the folder's manifest. Figures of the float graph,
which is not shipped, go: they were scaled by another calibration.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from training.stance_data import read_stance
from training.stance_export import SETS_OF_KIND, calibrate, dev_logits, measure
from workers.models.manifest import MANIFEST, load_manifest
from workers.models.profiles import STANCE
from workers.models.sessions import open_tokenizer


def recalibrate(data: Path, weights: Path) -> None:
    """Raises ModelError if the folder is not whole or holds no stance model."""
    manifest = load_manifest(weights, STANCE)
    tokenizer = open_tokenizer(manifest.path("tokenizer.json"))
    dev, logits = {}, {}
    for name in (name for names in SETS_OF_KIND.values() for name in names):
        dev[name] = read_stance(data / "stance" / name / "dev.jsonl", name)
        logits[name] = dev_logits(manifest.path("model.onnx"), tokenizer, dev[name])
        print(f"{name}: {len(dev[name])} rows", flush=True)
    settings, thresholds, notes = calibrate(dev, logits)
    document = {
        **manifest.document,
        "calibration": settings,
        "thresholds": thresholds,
        "metrics": {"dev": measure(dev, logits, settings), **notes},
    }
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    (weights / MANIFEST).write_text(text, "utf-8")
    print(json.dumps(document["metrics"], indent=2))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m training.recalibrate", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="for the dev sets")
    parser.add_argument("--weights", type=Path, required=True)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    recalibrate(chosen.data, chosen.weights)


if __name__ == "__main__":
    main()
