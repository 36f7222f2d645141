"""Checkpoint of `training.taggers` → the two model folders of the accurate profile's taggers.

python -m training.taggers_export --mpnet DIR --checkpoint FILE --out DIR [--config FILE]

Writes `attribution-accurate` with the graph, the cue reader and the tokenizer, and `ner-accurate`
with a manifest that names the same graph. `training.tune` and `training.record` write the figures.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.quantization.shape_inference import quant_pre_process

from training.common import checked_mpnet, load_checkpoint, read_config, seed_everything
from training.export import (
    MPNET,
    SEQUENCE_INPUTS,
    export_onnx,
    export_reader,
    save_tokenizer,
    sequence_example,
    write_manifest,
)
from training.mpnet import BLOCK, FourBitLinear, four_bits
from training.ner import LABELS
from training.taggers import CONFIG, SharedTaggers
from workers.models.attribution import TAG_LABELS
from workers.models.sessions import Session

OUTPUTS = ("entities", "tags", "features")
# Parts of the names of the nodes that are stored in four bits.
FOUR_BITS = ("/intermediate/dense/", "/output/dense/", "/word_embeddings/")


def quantise_mixed(source: Path, target: Path) -> None:
    """Word embeddings and feed-forward layers in four bits, other products in eight.

    By blocks, as `quantise_blocks`; what was on the four-bit grid stays what it was.
    """
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        model = onnx.load(str(prepared))
    quantised = [node for node in model.graph.node if node.op_type in ("MatMul", "Gather")]
    others = [node.name for node in quantised if not any(part in node.name for part in FOUR_BITS)]
    four = MatMulNBitsQuantizer(
        model,
        bits=4,
        block_size=BLOCK,
        is_symmetric=True,
        accuracy_level=4,
        nodes_to_exclude=others,
        op_types_to_quantize=("MatMul", "Gather"),
    )
    # The embedding of padding is zeros, whose scale the quantiser divides by before it looks.
    with np.errstate(invalid="ignore"):
        four.process()
    eight = MatMulNBitsQuantizer(
        four.model.model, bits=8, block_size=128, is_symmetric=True, accuracy_level=4
    )
    eight.process()
    onnx.save(eight.model.model, str(target))


def rounded(model: SharedTaggers) -> SharedTaggers:
    """The model with its feed-forward weights moved onto the grid that they were trained for."""
    for part in model.modules():
        if isinstance(part, FourBitLinear):
            part.weight.data.copy_(four_bits(part.weight.data))
            part.rounded = False
    return model


def differences(float_graph: Path, graph: Path) -> dict[str, float]:
    """The mean difference of each output's numbers on one random sequence."""
    rng = np.random.default_rng(0)
    ids = rng.integers(2000, 20000, (1, 120))
    inputs = dict(zip(SEQUENCE_INPUTS, (ids, np.ones_like(ids), np.zeros_like(ids)), strict=True))
    pairs = zip(OUTPUTS, Session(float_graph).run(inputs), Session(graph).run(inputs), strict=True)
    return {name: float(np.abs(one - other).mean()) for name, one, other in pairs}


def export_taggers(checkpoint: Path, out: Path, config: dict[str, Any], mpnet: Path) -> None:
    """Both folders below `out`. Raises FileNotFoundError without a checkpoint."""
    kept = load_checkpoint(checkpoint)
    if kept is None:
        raise FileNotFoundError(checkpoint)
    model = SharedTaggers(mpnet, config)
    model.load_state_dict(kept["model"])
    model = rounded(model)
    files = out / "attribution-accurate"
    files.mkdir(parents=True, exist_ok=True)
    save_tokenizer(mpnet, files)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float.onnx"
        export_onnx(model.shared, sequence_example(), SEQUENCE_INPUTS, OUTPUTS, path)
        quantise_mixed(path, files / "model.onnx")
        print("int8 and int4 differ from float by", differences(path, files / "model.onnx"))
    export_reader(model.reader, config["reader_width"], files / "reader.onnx")
    command = "python -m training.taggers --mpnet DIR --data DIR --out DIR"
    shared = {
        "encoder": MPNET,
        "version": "1",
        "max_length": 256,
        "window": 256,
        "precision": "int4 (embeddings, feed-forward) and int8",
        "training": {"command": command, "config": config},
    }
    write_manifest(
        files,
        ("model.onnx", "reader.onnx", "tokenizer.json"),
        {
            "name": "stancewire-attribution-mpnet",
            "task": "attribution",
            "labels": list(TAG_LABELS),
            "outputs": ["tags", "features"],
            "stride": 144,
            "thresholds": {
                "cue_bias": 0.0,
                "rescue_bias": 2.0,
                "switch_penalty": 0.1,
                "minimum_score": 0.45,
                "radius": config["radius"],
            },
            **shared,
        },
    )
    entities = out / "ner-accurate"
    entities.mkdir(exist_ok=True)
    write_manifest(
        entities,
        ("model.onnx", "tokenizer.json"),
        {
            "name": "stancewire-ner-mpnet",
            "task": "ner",
            "labels": list(LABELS),
            "files_in": "../attribution-accurate",
            "outputs": ["entities"],
            "stride": 192,
            "thresholds": {},
            **shared,
        },
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mpnet", type=Path, required=True, help="folder of all-mpnet-base-v2")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="the folder of the model folders")
    parser.add_argument("--config", type=Path, default=CONFIG)
    arguments = parser.parse_args()
    seed_everything(0)
    logging.getLogger().setLevel(logging.ERROR)
    export_taggers(
        arguments.checkpoint,
        arguments.out,
        read_config(arguments.config),
        checked_mpnet(arguments.mpnet),
    )


if __name__ == "__main__":
    main()
