"""ONNX Runtime sessions and tokenizers, opened the same way for every model.

Int8 weights are multiplied with activations that are quantised on the fly, by one
scale per tensor: a neighbour in the batch, or padding, would change a row's answer.
So every input runs alone at its exact length, and the same input always gives the
same numbers. On one thread that costs little: the matrices are large enough.
"""

import os
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from workers.models.manifest import ModelCorruptError

# The runtime's official builds report their use to Microsoft and keep a device id in the home
# folder, unless this is set before they are imported (their Privacy.md, "Disabling Telemetry").
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

_Inputs = Mapping[str, NDArray[np.generic]]
_Outputs = dict[str, NDArray[np.float32]]

_MPNET_MARKS = {"[CLS]": "<s>", "[SEP]": "</s>", "[MASK]": "<mask>"}


class Graph:
    """An opened graph. Two models can be two heads of one, which is in memory once.

    Where both read the same inputs, the first can have the outputs computed that the second will
    ask for: they are kept until it does.
    """

    # Of the longest article, 200,000 characters: 300 windows of 200 kB.
    KEPT_INPUTS = 512

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._names = [value.name for value in session.get_outputs()]
        self._kept: OrderedDict[tuple[bytes, ...], _Outputs] = OrderedDict()
        # Benchmarks run several models in threads.
        self._lock = Lock()

    def run(self, inputs: _Inputs, outputs: Sequence[str] | None) -> list[NDArray[np.float32]]:
        """The named outputs, or all in their order."""
        if outputs is not None and self._kept:
            with self._lock:
                kept = self._kept.pop(_key(inputs), {})
            if kept.keys() >= set(outputs):
                return [kept[name] for name in outputs]
        values: list[NDArray[np.float32]] = self._session.run(outputs, dict(inputs))
        return values

    def run_for_both(self, inputs: _Inputs, outputs: Sequence[str]) -> list[NDArray[np.float32]]:
        """The named outputs; the others are computed, too, and kept for the next run."""
        found = dict(zip(self._names, self._session.run(None, dict(inputs)), strict=True))
        others = {name: value for name, value in found.items() if name not in outputs}
        with self._lock:
            self._kept[_key(inputs)] = others
            while len(self._kept) > self.KEPT_INPUTS:
                self._kept.popitem(last=False)
        return [found[name] for name in outputs]


def _key(inputs: _Inputs) -> tuple[bytes, ...]:
    return tuple(inputs[name].tobytes() for name in sorted(inputs))


_SHARED: WeakValueDictionary[tuple[str | int, ...], Graph] = WeakValueDictionary()


class Session:
    """One model's use of an ONNX graph on the CPU."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        """Raises ModelCorruptError if the runtime cannot read the graph."""
        # What it was given since it was opened, for the worker's figures.
        self.tokens_read = 0
        self.graph = _opened(path, threads)

    def run(
        self, inputs: _Inputs, outputs: Sequence[str] | None = None, *, for_both: bool = False
    ) -> list[NDArray[np.float32]]:
        """The named outputs of the graph, or all of them in their order.

        What only other outputs need is not computed, unless it is `for_both` of the graph's heads:
        the other one will ask for the same inputs.
        """
        self.tokens_read += inputs["input_ids"].size if "input_ids" in inputs else 0
        if for_both and outputs is not None:
            return self.graph.run_for_both(inputs, outputs)
        return self.graph.run(inputs, outputs)


def _opened(path: Path, threads: int) -> Graph:
    """The graph, which may run in several threads; one for all who have it open."""
    options = onnxruntime.SessionOptions()
    # More threads change the order of sums, and processes already fill the cores.
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Lengths vary from call to call: remembered plans would only pile up.
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    try:
        found = path.stat()
        key = (str(path.resolve()), found.st_ino, found.st_size, found.st_mtime_ns, threads)
        graph = _SHARED.get(key)
        if graph is None:
            graph = Graph(
                onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            )
            _SHARED[key] = graph
    # The runtime raises its own pybind classes, whose only common base is Exception.
    except Exception as err:
        raise ModelCorruptError(f"{path} cannot be opened: {err}") from err
    return graph


def open_tokenizer(path: Path) -> Tokenizer:
    """A tokenizer that neither pads nor cuts. Raises ModelCorruptError."""
    try:
        tokenizer = Tokenizer.from_file(str(path))
    # `tokenizers` raises bare Exception for a file that it cannot parse.
    except Exception as err:
        raise ModelCorruptError(f"{path} cannot be opened: {err}") from err
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def token_id(tokenizer: Tokenizer, token: str) -> int:
    """Id of one of BERT's marks, or of what the tokenizer has in its place.

    Raises ModelCorruptError if the vocabulary lacks both.
    """
    # MPNet's vocabulary kept BERT's marks as words without a meaning: its own come first.
    for name in (_MPNET_MARKS.get(token), token):
        found = None if name is None else tokenizer.token_to_id(name)
        if found is not None:
            return int(found)
    raise ModelCorruptError(f"the tokenizer has no {token} token")


def sequence_inputs(
    input_ids: tuple[int, ...] | list[int], token_type_ids: tuple[int, ...] | list[int]
) -> dict[str, NDArray[np.generic]]:
    """The three int64 inputs of a BERT graph for one sequence, each (1, length)."""
    ids = np.array([input_ids], dtype=np.int64)
    return {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids),
        "token_type_ids": np.array([token_type_ids], dtype=np.int64),
    }
