"""Reads the weights of a shipped int8 graph back into a network, to train it further.

The weights of a linear layer have no name of their own in the graph, but the bias that is added to
their product has: `x.bias` stands beside `x.weight`.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import nn

from training.attribution_model import AttributionNetwork

_PRODUCTS = ("MatMulNBits", "MatMulInteger", "MatMul", "Gemm")
_EMBEDDING = re.compile(r"(.+\.weight)_quantized$")
# What stands between a product of integers and its bias: Cast, Mul.
_FARTHEST_BIAS = 4


def load_shipped(network: nn.Module, file: Path) -> None:
    """Fills `network` with the weights of the graph in `file`, dequantised.

    Raises ValueError naming every parameter that the graph does not have.
    """
    graph = onnx.load(str(file)).graph
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    wanted = network.state_dict()
    # Linear layers first: a product's tensor can bear the layer's name and yet be turned.
    found: dict[str, NDArray[np.generic]] = dict(_linear_weights(graph, tensors))
    for name in tensors:
        match = _EMBEDDING.match(name)
        if match and match[1] in wanted and match[1] not in found:
            found[match[1]] = _whole(tensors, match[1], axis=0)
        elif name in wanted:
            found.setdefault(name, tensors[name])
    # Buffers such as position ids are no weights; the network has them already.
    missing = [name for name, _ in network.named_parameters() if name not in found]
    if missing:
        raise ValueError(f"{file} has no {', '.join(missing)}")
    for name, parameter in network.named_parameters():
        array = found[name].astype(np.float32)
        if array.shape != tuple(parameter.shape):
            raise ValueError(f"{file}: {name} is {array.shape}, not {tuple(parameter.shape)}")
        parameter.data.copy_(torch.from_numpy(array.copy()))


def load_shipped_attribution(network: AttributionNetwork, folder: Path) -> None:
    """Fills both parts from a shipped attribution model. Raises ValueError as `load_shipped`."""
    load_shipped(network.tagged, folder / "model.onnx")
    load_shipped(network.reader, folder / "reader.onnx")


def move_between(start: nn.Module, trained: nn.Module, share: float) -> None:
    """Sets the weights of `trained` to `share` of its own and the rest of those of `start`."""
    begun = dict(start.named_parameters())
    with torch.no_grad():
        for name, parameter in trained.named_parameters():
            parameter.lerp_(begun[name], 1 - share)


def _linear_weights(
    graph: onnx.GraphProto, tensors: dict[str, NDArray[np.generic]]
) -> list[tuple[str, NDArray[np.float32]]]:
    """Name and weight, (out, in), of every product that a named bias follows."""
    consumers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            consumers.setdefault(name, []).append(node)
    weights = []
    for node in graph.node:
        if node.op_type not in _PRODUCTS or len(node.input) < 2:
            continue
        weight = _weight_of(node, tensors)
        bias = _bias_after(node, consumers, tensors)
        if weight is not None and bias is not None:
            weights.append((bias.removesuffix(".bias") + ".weight", weight))
    return weights


def _weight_of(
    node: onnx.NodeProto, tensors: dict[str, NDArray[np.generic]]
) -> NDArray[np.float32] | None:
    name = node.input[1]
    if name not in tensors:
        return None
    if node.op_type == "MatMulNBits":
        # (out, blocks, 128) unsigned around 128, a scale for each block.
        scales = tensors[node.input[2]].astype(np.float32).reshape(tensors[name].shape[0], -1, 1)
        whole = (tensors[name].astype(np.float32) - 128.0) * scales
        columns = next(part.i for part in node.attribute if part.name == "K")
        return np.asarray(whole.reshape(whole.shape[0], -1)[:, :columns], dtype=np.float32)
    if node.op_type == "MatMulInteger":
        return _whole(tensors, name.removesuffix("_quantized"), axis=1).T
    turned = any(part.name == "transB" and part.i for part in node.attribute)
    plain = tensors[name].astype(np.float32)
    return plain if turned else plain.T


def _bias_after(
    node: onnx.NodeProto,
    consumers: dict[str, list[onnx.NodeProto]],
    tensors: dict[str, NDArray[np.generic]],
) -> str | None:
    """The bias that the node itself or the first addition behind it adds."""
    for _ in range(_FARTHEST_BIAS):
        for name in node.input:
            if name in tensors and name.endswith(".bias"):
                return name
        behind = consumers.get(node.output[0], [])
        if len(behind) != 1:
            return None
        node = behind[0]
    return None


def _whole(tensors: dict[str, NDArray[np.generic]], name: str, *, axis: int) -> NDArray[np.float32]:
    """A matrix with one scale, or with one for each place on `axis`."""
    values = tensors[f"{name}_quantized"].astype(np.float32)
    scale = tensors[f"{name}_scale"].astype(np.float32)
    zero = tensors[f"{name}_zero_point"].astype(np.float32)
    if scale.size > 1:
        scale, zero = np.expand_dims(scale, 1 - axis), np.expand_dims(zero, 1 - axis)
    return np.asarray((values - zero) * scale, dtype=np.float32)
