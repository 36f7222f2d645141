"""Stance checkpoint → model folder: int8 graph, calibration fitted on dev, measured metrics.

python -m training.stance_export --checkpoint FILE --data DIR --out DIR [--config FILE --mpnet DIR]
    [--start DIR]

Where the configuration has a `trained_share`, what ships lies that far on the straight way from the
weights that were trained further (`--start`) to the checkpoint: Wortsman et al. 2022, "Robust
fine-tuning of zero-shot models".
"""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from training.common import read_config, sha256_of
from training.evaluate_stance import scores
from training.export import (
    MINILM,
    MPNET,
    SEQUENCE_INPUTS,
    export_onnx,
    quantise,
    quantise_blocks,
    save_tokenizer,
    sequence_example,
    write_manifest,
)
from training.shipped_weights import load_shipped, move_between
from training.stance import CONFIG, encoder_folder, is_mpnet, network
from training.stance_calibration import cross_fitted, fit
from training.stance_data import LABELS, Example, read_stance
from training.stance_scores import (
    WANTED_PRECISION,
    confidence_threshold,
    expected_calibration_error,
)
from workers.models.sessions import Session, open_tokenizer, sequence_inputs
from workers.models.stance import Calibration
from workers.models.stance_inputs import StanceEncoder

MAX_LENGTH = 256
# The dev sets that each kind of question is calibrated on.
SETS_OF_KIND = {"relation": ("dse",), "author": ("newsmtsc",), "topic": ("vast", "perspectrum")}
FILES = ("model.onnx", "tokenizer.json")
EMBEDDINGS = "embeddings.bin"


def export_graphs(
    checkpoint: Path,
    config: dict[str, Any],
    encoder: Path,
    out: Path,
    kept_float: Path,
    start: Path | None = None,
) -> None:
    """Float graph to `kept_float`, int8 graph and tokenizer to `out`.

    Raises ValueError if the configuration wants the weights that were trained further and `start`
    is not their folder.
    """
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    model = network(encoder, {**config, "dropout": 0.0})
    model.load_state_dict(state["model"])
    if "trained_share" in config:
        if start is None or sha256_of(start / "model.onnx") != state["start"]:
            raise ValueError("--start is not the folder whose weights were trained further")
        begun = network(encoder, {**config, "dropout": 0.0})
        load_shipped(begun, start / "model.onnx")
        move_between(begun, model, config["trained_share"])
    model.eval()
    ids, mask, _ = sequence_example()
    roles = torch.tensor([[1, 1, 2, 3, 0, 0, 0], [1, 1, 0, 2, 3, 0, 0]])
    out.mkdir(parents=True, exist_ok=True)
    example = (ids, mask, roles)
    outputs = ("logits",)
    export_onnx(model, example, SEQUENCE_INPUTS, outputs, kept_float, fixed_outputs=outputs)
    onnx.checker.check_model(str(kept_float))
    if is_mpnet(config):
        quantise_blocks(kept_float, out / "model.onnx", EMBEDDINGS)
    else:
        quantise(kept_float, out / "model.onnx")
    save_tokenizer(encoder, out)


def manifest_fields(
    config: dict[str, Any],
    calibration: dict[str, Any],
    thresholds: dict[str, float],
    *,
    file: Path,
    start: str | None,
    teacher: str | None = None,
) -> dict[str, Any]:
    """What the manifest says besides files and metrics; `file` is the configuration's, `start` the
    SHA-256 of the graph whose weights were trained further, `teacher` that of the teacher's."""
    command = "python -m training.stance --data DIR --out DIR"
    if file.name != CONFIG.name:
        command += f" --config training/configs/{file.name}"
    if is_mpnet(config):
        command += " --mpnet DIR"
    training: dict[str, Any] = {"command": command, "config": config}
    if start is not None:
        training["command"] += " --start DIR"
        training["start_sha256"] = start
    if teacher is not None:
        training["command"] += " --teacher DIR --mpnet DIR"
        training["teacher_sha256"] = teacher
    return {
        "name": f"stancewire-stance-{'mpnet' if is_mpnet(config) else 'minilm'}",
        "encoder": MPNET if is_mpnet(config) else MINILM,
        "task": "stance",
        "version": "1",
        "labels": list(LABELS),
        "max_length": MAX_LENGTH,
        "window": MAX_LENGTH,
        "stride": MAX_LENGTH,
        "thresholds": thresholds,
        "calibration": calibration,
        "precision": "int8",
        "training": training,
    }


def dev_logits(graph: Path, tokenizer: Tokenizer, examples: list[Example]) -> NDArray[np.float32]:
    """Logits (rows, 3) by the shipped runtime."""
    session = Session(graph)
    encoder = StanceEncoder(tokenizer, MAX_LENGTH)
    rows = []
    for example in examples:
        encoded = encoder.encode(example.question)
        inputs = sequence_inputs(encoded.input_ids, encoded.token_type_ids)
        rows.append(session.run(inputs)[0][0])
    return np.stack(rows)


def calibrate(
    dev: dict[str, list[Example]], logits: dict[str, NDArray[np.float32]]
) -> tuple[dict[str, Any], dict[str, float], dict[str, Any]]:
    """Calibration and abstention threshold by kind of question, and what dev says of both."""
    gold = {name: np.array([row.label for row in rows]) for name, rows in dev.items()}
    settings: dict[str, Any] = {}
    held_out: dict[str, NDArray[np.float64]] = {}
    for kind, sets in SETS_OF_KIND.items():
        each = np.concatenate([logits[name] for name in sets])
        labels = np.concatenate([gold[name] for name in sets])
        # Sets of one kind count alike, whatever their size.
        weights = np.concatenate([np.full(len(gold[name]), 1 / len(gold[name])) for name in sets])
        texts = [row.question.text for name in sets for row in dev[name]]
        fitted = fit(each, labels, weights)
        settings[kind] = {
            "scale": fitted.scale,
            "entropy_power": fitted.entropy_power,
            "bias": list(fitted.bias),
        }
        scaled = cross_fitted(each, labels, weights, texts)
        start = 0
        for name in sets:
            held_out[name] = scaled[start : start + len(gold[name])]
            start += len(gold[name])
    thresholds: dict[str, float] = {}
    points: dict[str, Any] = {}
    for kind, sets in SETS_OF_KIND.items():
        pairs = {name: (held_out[name], gold[name]) for name in sets}
        thresholds[kind], found = confidence_threshold(pairs, WANTED_PRECISION)
        points |= found
    errors = {
        name: round(expected_calibration_error(held_out[name], gold[name]), 4) for name in dev
    }
    return settings, thresholds, {"cross_fitted_calibration_error": errors, "abstention": points}


def measure(
    dev: dict[str, list[Example]],
    logits: dict[str, NDArray[np.float32]],
    settings: dict[str, Any],
) -> dict[str, Any]:
    """The evaluation metrics of every dev set for some logits and the calibration."""
    measured = {}
    for kind, sets in SETS_OF_KIND.items():
        fitted = settings[kind]
        favor, against, neutral = fitted["bias"]
        calibration = Calibration(
            fitted["scale"], (favor, against, neutral), fitted["entropy_power"]
        )
        for name in sets:
            probabilities = calibration.apply(logits[name])
            measured[name] = scores(dev[name], probabilities, paired=name == "dse")
    return measured


def _every(step: int, rows: list[Example]) -> list[Example]:
    """Every `step`th pair of neighbours: DSE asks in pairs."""
    return [row for index, row in enumerate(rows) if index // 2 % step == 0]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="for the dev sets")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--mpnet", type=Path, help="folder of all-mpnet-base-v2")
    parser.add_argument("--start", type=Path, help="folder whose weights were trained further")
    parser.add_argument("--sample", type=int, default=1, help="every how manieth dev pair (trials)")
    parser.add_argument("--no-float", action="store_true", help="measure the int8 graph only")
    arguments = parser.parse_args()
    config = read_config(arguments.config)
    encoder = encoder_folder(config, arguments.mpnet)
    torch.set_num_threads(1)
    logging.getLogger().setLevel(logging.ERROR)
    dev = {
        name: _every(
            arguments.sample, read_stance(arguments.data / "stance" / name / "dev.jsonl", name)
        )
        for sets in SETS_OF_KIND.values()
        for name in sets
    }
    with tempfile.TemporaryDirectory() as folder:
        kept_float = Path(folder) / "float.onnx"
        export_graphs(
            arguments.checkpoint, config, encoder, arguments.out, kept_float, arguments.start
        )
        tokenizer = open_tokenizer(arguments.out / "tokenizer.json")
        graphs = {"int8": arguments.out / "model.onnx"}
        if not arguments.no_float:
            graphs["float32"] = kept_float
        logits = {
            precision: {name: dev_logits(path, tokenizer, rows) for name, rows in dev.items()}
            for precision, path in graphs.items()
        }
    settings, thresholds, notes = calibrate(dev, logits["int8"])
    metrics = {"dev": measure(dev, logits["int8"], settings), **notes}
    if "float32" in logits:
        metrics["dev_float32"] = measure(dev, logits["float32"], settings)
    trained = torch.load(arguments.checkpoint, map_location="cpu", weights_only=True)
    fields = manifest_fields(
        config,
        settings,
        thresholds,
        file=arguments.config,
        start=trained.get("start"),
        teacher=trained.get("teacher"),
    )
    files = (*FILES, EMBEDDINGS) if is_mpnet(config) else FILES
    write_manifest(arguments.out, files, {**fields, "metrics": metrics})
    print(json.dumps({"thresholds": thresholds, "calibration": settings, **metrics}, indent=2))


if __name__ == "__main__":
    main()
