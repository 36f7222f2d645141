"""A new entity head for the shared tagger of the accurate profile, on its frozen states.

python -m training.entity_head --data DIR [--weights DIR] [--config FILE]

`training.taggers` shows the encoder names in conll2003 and CrossNER only, attributions in PolNeAR
only. In articles like PolNeAR's its last layer then knew who says something, but hardly who is
named: a linear head on it missed half of the names. The layers below still know, so this head
reads the last few, and it learns from texts of these kinds too, as the fast tagger reads them.
Encoder and attributions stay what they are, to the bit.

Replaces the head in `attribution-accurate/model.onnx` and renews both manifests below `--weights`;
`training.record ner` then measures.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from tokenizers import Tokenizer
from torch import Tensor, nn
from tqdm import tqdm

from training.common import read_config, seed_everything
from training.evaluate import WEIGHTS
from training.export import write_manifest
from training.ner import LABELS, LabelledDocument, label_document, load_documents, reshaped
from training.ner_teacher import pseudo_labelled, read_texts
from workers.models.manifest import MANIFEST
from workers.models.sessions import open_tokenizer, sequence_inputs, token_id
from workers.models.token_tagger import TokenTagger
from workers.models.words import make_windows

CONFIG = Path(__file__).parent / "configs" / "entity-head.toml"
ENTITIES = "entities"
# What a layer of the encoder ends with.
_LAYER_END = "/output/LayerNorm/LayerNormalization"


class EntityHead(nn.Module):
    """States (…, layers x hidden) → logits (…, labels)."""

    def __init__(self, states: int, width: int, dropout: float) -> None:
        super().__init__()
        self.first = nn.Linear(states, width)
        self.dropout = nn.Dropout(dropout)
        self.last = nn.Linear(width, len(LABELS))

    def forward(self, states: Tensor) -> Tensor:
        logits: Tensor = self.last(self.dropout(self.first(states).relu()))
        return logits


def layer_ends(graph: onnx.GraphProto, layers: int) -> list[str]:
    """Names of the last `layers` layers' states in the graph, from the lowest.

    Raises ValueError if it has fewer.
    """
    found = [node.output[0] for node in graph.node if node.name.endswith(_LAYER_END)]
    if len(found) < layers:
        raise ValueError(f"the graph has {len(found)} layers, not {layers}")
    return found[-layers:]


class States:
    """Runs the shared graph for what its last layers say of each word."""

    def __init__(self, model: onnx.ModelProto, layers: int, threads: int) -> None:
        self._outputs = layer_ends(model.graph, layers)
        opened = onnx.ModelProto()
        opened.CopyFrom(model)
        for name in self._outputs:
            value = helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
            opened.graph.output.append(value)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.enable_mem_pattern = False
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(opened.SerializeToString(), options)

    def of(
        self, document: LabelledDocument, tokenizer: Tokenizer, config: dict[str, Any], seed: int
    ) -> tuple[NDArray[np.float16], NDArray[np.int64]]:
        """States (words, layers x hidden) of a variation of the document, and the labels."""
        rng = random.Random(seed)
        windows = make_windows(
            reshaped(document, rng, config, token_id(tokenizer, "[MASK]")),
            breaks=frozenset(document.sentence_starts),
            cls_id=token_id(tokenizer, "[CLS]"),
            sep_id=token_id(tokenizer, "[SEP]"),
            max_length=config["max_length"],
            stride=config["max_length"],
        )
        states, labels = [], []
        for window in windows:
            inputs = sequence_inputs(window.input_ids, window.token_type_ids)
            pieces = np.concatenate(self._session.run(self._outputs, inputs), -1)[0]
            places = np.array(window.positions, dtype=np.int64)
            asked = places >= 0
            states.append(pieces[places[asked]].astype(np.float16))
            labels.append(np.array(document.labels[window.first_word : window.last_word])[asked])
        return np.concatenate(states), np.concatenate(labels)


def read_documents(
    data: Path, config: dict[str, Any], tokenizer: Tokenizer, teacher: TokenTagger
) -> list[LabelledDocument]:
    """The labelled documents and those that the teacher labels."""
    documents = load_documents(data, config["labelled"], tokenizer)
    for part in config["unlabelled"]:
        texts = read_texts(data / part["file"], part["texts"], part["together"], config["seed"])
        read = tqdm(pseudo_labelled(texts, teacher), part["file"], mininterval=20)
        documents += [label_document(tokenizer, document) for document in read]
    return [document for document in documents if document.labels]


def train_head(states: Tensor, labels: Tensor, config: dict[str, Any]) -> EntityHead:
    """The head that learns labels (words) from states (words, layers x hidden), float16."""
    head = EntityHead(states.shape[1], config["width"], config["dropout"])
    size, words = config["batch_words"], len(labels)
    steps = config["passes"] * -(-words // size)
    optimizer = torch.optim.AdamW(
        head.parameters(), lr=config["lr"], weight_decay=config["weight_decay"]
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    for number in range(config["passes"]):
        total = 0.0
        for part in torch.randperm(words).split(size):
            loss = nn.functional.cross_entropy(head(states[part].float()), labels[part])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(part) / words
        print(f"pass {number + 1} loss {total:.4f}", flush=True)
    return head.eval()


def with_head(model: onnx.ModelProto, head: EntityHead, layers: int) -> onnx.ModelProto:
    """The model with `entities` computed by the head, its weights in eight bits."""
    renewed = onnx.ModelProto()
    renewed.CopyFrom(model)
    graph = renewed.graph
    ends = layer_ends(graph, layers)
    _drop_output(graph, ENTITIES)
    steps = [
        ("Concat", ends, "states", {"axis": -1}),
        ("MatMul", ["states", "first.weight"], "first", {}),
        ("Add", ["first", "first.bias"], "first_added", {}),
        ("Relu", ["first_added"], "read", {}),
        ("MatMul", ["read", "last.weight"], "last", {}),
        ("Add", ["last", "last.bias"], "", {}),
    ]
    own = {f"{layer}.{part}" for layer in ("first", "last") for part in ("weight", "bias")}
    values = {one[2] for one in steps} | own
    for kind, inputs, output, attributes in steps:
        graph.node.append(
            helper.make_node(
                kind,
                [f"{ENTITIES}.{name}" if name in values else name for name in inputs],
                [f"{ENTITIES}.{output}" if output else ENTITIES],
                f"/{ENTITIES}/{output or 'logits'}",
                **attributes,
            )
        )
    for name, tensor in head.state_dict().items():
        array = tensor.numpy().T if tensor.ndim == 2 else tensor.numpy()
        array = np.ascontiguousarray(array, dtype=np.float32)
        graph.initializer.append(numpy_helper.from_array(array, f"{ENTITIES}.{name}"))
    quantiser = MatMulNBitsQuantizer(
        renewed, bits=8, block_size=64, is_symmetric=True, accuracy_level=4
    )
    quantiser.process()
    finished: onnx.ModelProto = quantiser.model.model
    onnx.checker.check_model(finished)
    return finished


def _drop_output(graph: onnx.GraphProto, output: str) -> None:
    """Removes what is computed for that output alone; the output itself stays declared."""
    needed = {value.name for value in graph.output if value.name != output}
    kept = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    used = [value for value in graph.initializer if value.name in needed]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(reversed(kept))
    graph.initializer.extend(used)


def check_rest(before: onnx.ModelProto, after: onnx.ModelProto) -> None:
    """Raises ValueError unless all other outputs are the same, to the bit, on a random sequence."""
    names = [value.name for value in before.graph.output if value.name != ENTITIES]
    ids = np.random.default_rng(0).integers(2000, 20000, 200)
    inputs = sequence_inputs(ids.tolist(), [0] * len(ids))
    answers = [
        onnxruntime.InferenceSession(model.SerializeToString()).run(names, inputs)
        for model in (before, after)
    ]
    if not all(np.array_equal(*pair) for pair in zip(*answers, strict=True)):
        raise ValueError("the new head changes other outputs")


def renew_manifests(weights: Path, config: dict[str, Any]) -> None:
    """Sums of the new graph in both manifests; attribution keeps its figures: it is unchanged."""
    for name, files in {
        "attribution-accurate": ("model.onnx", "reader.onnx", "tokenizer.json"),
        "ner-accurate": ("model.onnx", "tokenizer.json"),
    }.items():
        path = weights / name / MANIFEST
        fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if fields["task"] == "ner":
            fields["metrics"] = {}
            command = "python -m training.entity_head --data DIR"
            fields["training"]["head"] = {"command": command, "config": config}
        write_manifest(weights / name, files, fields)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m training.entity_head", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="the folder of the models")
    parser.add_argument("--config", type=Path, default=CONFIG)
    chosen = parser.parse_args()
    replace_head(chosen.data, chosen.weights, read_config(chosen.config))


def replace_head(data: Path, weights: Path, config: dict[str, Any]) -> None:
    """The whole way, in place below `weights`."""
    seed_everything(config["seed"], config["threads"])
    file = weights / "attribution-accurate" / "model.onnx"
    model = onnx.load(str(file))
    tokenizer = open_tokenizer(file.with_name("tokenizer.json"))
    teacher = TokenTagger.load(weights / "ner", config["threads"])
    documents = read_documents(data, config, tokenizer, teacher)
    states, labels = _all_states(model, documents, tokenizer, config)
    print(f"{len(documents)} documents, {len(labels)} words", flush=True)
    head = train_head(states, labels, config)
    renewed = with_head(model, head, config["layers"])
    check_rest(model, renewed)
    onnx.save(renewed, str(file))
    renew_manifests(weights, config)


def _all_states(
    model: onnx.ModelProto,
    documents: Sequence[LabelledDocument],
    tokenizer: Tokenizer,
    config: dict[str, Any],
) -> tuple[Tensor, Tensor]:
    reader = States(model, config["layers"], config["threads"])
    numbered: Iterable[tuple[int, LabelledDocument]] = enumerate(
        tqdm(documents, "states", mininterval=20)
    )
    rows = [
        reader.of(document, tokenizer, config, config["seed"] + number)
        for number, document in numbered
    ]
    states, labels = zip(*rows, strict=True)
    return torch.from_numpy(np.concatenate(states)), torch.from_numpy(np.concatenate(labels))


if __name__ == "__main__":
    main()
