"""Trained checkpoint → a model folder: ONNX int8, tokenizer, manifest.

python -m training.export {ner,attribution} --checkpoint FILE --out DIR [--float] [--config FILE]
    [--teacher DIR] [--start DIR]
"""

import argparse
import json
import logging
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import torch
from onnx.external_data_helper import set_external_data
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn

from training.attribution_model import AttributionNetwork
from training.common import (
    MINILM_SHA256,
    MPNET_SHA256,
    load_checkpoint,
    minilm_folder,
    read_config,
    seed_everything,
    sha256_of,
)
from training.ner import LABELS, TokenTagger
from training.shipped_weights import load_shipped_attribution, move_between
from workers.models.attribution import DISTANCE_BUCKETS, TAG_LABELS

CONFIGS = Path(__file__).parent / "configs"
SEQUENCE_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
OPSET = 17
MINILM = {"name": "all-MiniLM-L6-v2", "sha256": MINILM_SHA256}
MPNET = {"name": "all-mpnet-base-v2", "sha256": MPNET_SHA256}


def export_onnx(
    module: nn.Module,
    example: tuple[torch.Tensor, ...],
    inputs: Sequence[str],
    outputs: Sequence[str],
    path: Path,
    *,
    fixed_outputs: Sequence[str] = (),
) -> None:
    """Write a float graph whose axes 0 and 1 are free (only axis 0 for `fixed_outputs`)."""
    axes = {name: {0: "batch", 1: "length"} for name in (*inputs, *outputs)}
    axes.update({name: {0: "batch"} for name in fixed_outputs})
    module.eval()
    with torch.no_grad(), warnings.catch_warnings():
        # The tracing exporter is deprecated but writes plain opset-17 graphs, which the
        # quantiser handles; check_same tests what its warnings warn of.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            example,
            str(path),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    check_same(module, example, inputs, path)


def check_same(
    module: nn.Module, example: tuple[torch.Tensor, ...], inputs: Sequence[str], path: Path
) -> None:
    """Raise ValueError unless the graph answers as the module does, at another length too."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for times in (1, 5):
        tensors = [torch.cat([tensor] * times, dim=1) for tensor in example]
        with torch.no_grad():
            wanted = module(*tensors)
        feed = dict(zip(inputs, (tensor.numpy() for tensor in tensors), strict=True))
        found = session.run(None, feed)
        for one, other in zip(
            wanted if isinstance(wanted, tuple) else (wanted,), found, strict=True
        ):
            difference = float((one - torch.from_numpy(other)).abs().max())
            if difference > 1e-3:
                raise ValueError(f"{path} is {difference} off at {times} times the length")


def sequence_example() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Two rows of seven tokens, the second one padded."""
    ids = torch.randint(1000, 2000, (2, 7))
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    return ids, mask, torch.zeros_like(ids)


def quantise(source: Path, target: Path) -> None:
    """Dynamic int8: a scale for each output channel, and only seven bits of weight.

    Without VNNI, AVX2 adds pairs of 8 x 8 bit products in 16 bits, which can
    saturate; with seven-bit weights it cannot, so every machine gives the same.
    """
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        quantize_dynamic(
            str(prepared),
            str(target),
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            op_types_to_quantize=["MatMul", "Gather"],
            extra_options={"MatMulConstBOnly": True},
        )


def quantise_blocks(source: Path, target: Path, weights: str) -> None:
    """Int8 by blocks of 128 weights, and of activations (ONNX Runtime's `MatMulNBits`).

    MPNet's activations have a few large columns, for which one scale a tensor is too coarse. The
    embeddings are quantised a row at a time. What is large goes into the file `weights` beside
    `target`, so that no file is beyond what code hosts take.
    """
    with tempfile.TemporaryDirectory() as folder:
        prepared, gathered = Path(folder) / "prepared.onnx", Path(folder) / "gathered.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        quantize_dynamic(
            str(prepared),
            str(gathered),
            weight_type=QuantType.QInt8,
            per_channel=True,
            op_types_to_quantize=["Gather"],
        )
        quantiser = MatMulNBitsQuantizer(
            onnx.load(str(gathered)), bits=8, block_size=128, is_symmetric=True, accuracy_level=4
        )
        quantiser.process()
        model = quantiser.model.model
    split_large(model, target, weights)


def split_large(model: onnx.ModelProto, target: Path, weights: str, largest: int = 2**20) -> None:
    """Saves `model` with the embeddings outside it, in the file `weights` of the same folder."""
    for tensor in model.graph.initializer:
        if len(tensor.dims) == 2 and max(tensor.dims) > 20_000 and len(tensor.raw_data) > largest:
            (target.parent / weights).write_bytes(tensor.raw_data)
            set_external_data(tensor, location=weights, offset=0, length=len(tensor.raw_data))
            tensor.ClearField("raw_data")
    target.write_bytes(model.SerializeToString())


def save_tokenizer(encoder: Path, out: Path) -> None:
    """The encoder's tokenizer without padding or truncation."""
    tokenizer = json.loads((encoder / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["padding"] = tokenizer["truncation"] = None
    text = json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":"))
    (out / "tokenizer.json").write_text(text + "\n", encoding="utf-8")


def write_manifest(out: Path, files: Sequence[str], fields: Mapping[str, Any]) -> None:
    """`manifest.json` with the sums of `files`; metrics of the very same files are kept."""
    path = out / "manifest.json"
    sums = {name: sha256_of(out / fields.get("files_in", ".") / name) for name in files}
    earlier = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    metrics = earlier.get("metrics", {}) if earlier.get("files") == sums else {}
    encoder = MINILM
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    document = {"encoder": encoder, "metrics": metrics, **fields, "files": sums}
    document.setdefault("training", {}).setdefault("commit", commit)
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def export_reader(reader: nn.Module, width: int, path: Path) -> None:
    """The cue reader, in float: it is small."""
    mask = torch.ones(2, 9, dtype=torch.int64)
    example = (torch.randn(2, 9, width), torch.randint(0, DISTANCE_BUCKETS, (2, 9)), mask)
    export_onnx(reader, example, ("features", "distances", "mask"), ("links",), path)


def export_ner(checkpoint: Path, out: Path, *, keep_float: bool) -> None:
    """The entity tagger."""
    model = TokenTagger()
    model.load_state_dict(_state(checkpoint))
    _export_encoder(model, ("logits",), out, keep_float=keep_float)
    write_manifest(
        out,
        ("model.onnx", "tokenizer.json"),
        {
            "name": "stancewire-ner-minilm",
            "task": "ner",
            "version": "1",
            "labels": list(LABELS),
            "max_length": 256,
            "window": 256,
            "stride": 192,
            "thresholds": {},
            "precision": "float32" if keep_float else "int8",
            "training": {
                "command": "python -m training.ner --data DIR --out DIR",
                "config": read_config(CONFIGS / "ner.toml"),
            },
        },
    )


def export_attribution(
    checkpoint: Path,
    out: Path,
    *,
    keep_float: bool,
    file: Path = CONFIGS / "attribution.toml",
    teacher: Path | None = None,
    start: Path | None = None,
) -> None:
    """The attribution encoder, and its cue reader in float (it is small).

    `file` is the training's configuration, `teacher` the folder of the model that it learnt from,
    `start` of the one whose weights it went on from. Where the configuration has a `trained_share`,
    what ships lies that far on the straight way from the latter's weights to the checkpoint.
    """
    config = read_config(file)
    training = {
        "command": f"python -m training.attribution --config training/configs/{file.name}"
        " --data DIR --out DIR",
        "config": config,
    }
    if teacher is not None:
        training["command"] += " --teacher DIR"
        training["teacher_sha256"] = sha256_of(teacher / "model.onnx")
    if start is not None:
        training["command"] += " --start DIR"
        training["start_sha256"] = sha256_of(start / "model.onnx")
    width = config["reader_width"]
    model = AttributionNetwork(width, config["reader_layers"], config["dropout"])
    model.load_state_dict(_state(checkpoint))
    if "trained_share" in config:
        if start is None:
            raise ValueError(f"{file} has a trained_share: where did the training start?")
        begun = AttributionNetwork(width, config["reader_layers"], config["dropout"])
        load_shipped_attribution(begun, start)
        move_between(begun, model, config["trained_share"])
    _export_encoder(model.tagged, ("logits", "features"), out, keep_float=keep_float)
    export_reader(model.reader, width, out / "reader.onnx")
    write_manifest(
        out,
        ("model.onnx", "reader.onnx", "tokenizer.json"),
        {
            "name": "stancewire-attribution-minilm",
            "task": "attribution",
            "version": "1",
            "labels": list(TAG_LABELS),
            "max_length": 256,
            "window": 256,
            "stride": 144,
            "thresholds": {
                "cue_bias": 0.0,
                "rescue_bias": 2.0,
                "switch_penalty": 0.1,
                "minimum_score": 0.45,
                "radius": config["radius"],
            },
            "precision": "float32" if keep_float else "int8",
            "training": training,
        },
    )


def _state(checkpoint: Path) -> dict[str, Any]:
    kept = load_checkpoint(checkpoint)
    if kept is None:
        raise FileNotFoundError(checkpoint)
    state: dict[str, Any] = kept["model"]
    return state


def _export_encoder(
    model: nn.Module, outputs: Sequence[str], out: Path, *, keep_float: bool
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    save_tokenizer(minilm_folder(), out)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float.onnx"
        export_onnx(model, sequence_example(), SEQUENCE_INPUTS, outputs, path)
        onnx.checker.check_model(str(path))
        if keep_float:
            shutil.copyfile(path, out / "model.onnx")
        else:
            quantise(path, out / "model.onnx")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=("ner", "attribution"))
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--float", action="store_true", help="do not quantise (for comparison)")
    default = CONFIGS / "attribution.toml"
    parser.add_argument("--config", type=Path, default=default, help="of an attribution training")
    parser.add_argument("--teacher", type=Path, help="folder of the model that it learnt from")
    parser.add_argument("--start", type=Path, help="folder of the model that it went on from")
    arguments = parser.parse_args()
    seed_everything(0)
    logging.getLogger().setLevel(logging.ERROR)
    checkpoint, out, keep_float = arguments.checkpoint, arguments.out, arguments.float
    if arguments.task == "ner":
        if arguments.teacher or arguments.start or arguments.config != default:
            parser.error("--config, --teacher and --start belong to attribution")
        export_ner(checkpoint, out, keep_float=keep_float)
        return
    export_attribution(
        checkpoint,
        out,
        keep_float=keep_float,
        file=arguments.config,
        teacher=arguments.teacher,
        start=arguments.start,
    )


if __name__ == "__main__":
    main()
