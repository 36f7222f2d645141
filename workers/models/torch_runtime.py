"""PyTorch models and their tokenizers, opened the same way for every task. Imports torch when used.

Weights are read as float32 and run on the CPU, one input at a time at its exact length: the same
input gives the same numbers, whatever is asked beside it.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.models.manifest import ModelCorruptError, ModelUnsuitableError
from workers.models.named import Head, NamedModel

# Longer inputs cost more than they help: sentences and passages of news are far shorter.
LONGEST = 512
# A tokenizer that does not know its limit says 10³⁰.
_KNOWN_LIMIT = 1_000_000
# RoBERTa and its kin count positions from their padding id on, which takes two of the table.
_SPARE_POSITIONS = 2


class TorchModel:
    """A classifier of `transformers` with its fast tokenizer."""

    def __init__(self, model: NamedModel, head: Head, threads: int = 1) -> None:
        """Raises ModelCorruptError or ModelUnsuitableError."""
        import torch
        import transformers

        self._torch = torch
        # What it was given since it was opened, for the worker's figures.
        self.tokens_read = 0
        torch.set_num_threads(threads)
        # What loading has to say of missing weights is an error below.
        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        try:
            self.tokenizer: Any = transformers.AutoTokenizer.from_pretrained(
                model.folder, local_files_only=True, trust_remote_code=False
            )
            loaded, report = getattr(transformers, f"AutoModel{head}").from_pretrained(
                model.folder,
                local_files_only=True,
                trust_remote_code=False,
                dtype=torch.float32,
                output_loading_info=True,
            )
        # Whatever the libraries below `transformers` raise for files that they cannot read:
        # OSError, ValueError, KeyError, RuntimeError, their own bases.
        except Exception as err:
            reason = f"{type(err).__name__}: {err}"
            raise ModelCorruptError(f"{model.name} cannot be opened: {reason}") from err
        if not self.tokenizer.is_fast:
            raise ModelUnsuitableError(f"{model.name} has no fast tokenizer (tokenizer.json)")
        if missing := sorted(report["missing_keys"]):
            shown = ", ".join(missing[:3])
            raise ModelUnsuitableError(
                f"{model.name} lacks weights that would be random ({shown}): it was never trained"
                f" as a model {head}"
            )
        self._model = loaded.eval()
        if loaded.config.num_labels != len(model.labels):
            raise ModelCorruptError(
                f"{model.name} has {loaded.config.num_labels} columns for {len(model.labels)} names"
            )
        self.longest = _longest(self.tokenizer, loaded.config)
        # One row in the table of segments means that the model knows none (RoBERTa).
        self._segments = getattr(loaded.config, "type_vocab_size", 0) > 1

    def run(
        self, input_ids: list[int] | tuple[int, ...], segments: list[int] | None = None
    ) -> NDArray[np.float32]:
        """The logits of one input: (length, labels) of a tagger, (labels) of a classifier."""
        self.tokens_read += len(input_ids)
        tensor = self._torch.tensor
        ids = tensor([list(input_ids)])
        inputs = {"input_ids": ids, "attention_mask": self._torch.ones_like(ids)}
        if segments is not None and self._segments:
            inputs["token_type_ids"] = tensor([segments])
        with self._torch.inference_mode():
            logits: NDArray[np.float32] = self._model(**inputs).logits[0].numpy()
        return logits


def library_versions() -> dict[str, str]:
    """What besides the files decides an answer."""
    return {name: version(name) for name in ("torch", "transformers", "tokenizers")}


def _longest(tokenizer: Any, config: Any) -> int:
    limits = [LONGEST]
    if tokenizer.model_max_length < _KNOWN_LIMIT:
        limits.append(int(tokenizer.model_max_length))
    positions = getattr(config, "max_position_embeddings", None)
    if isinstance(positions, int) and positions > 0:
        limits.append(positions - _SPARE_POSITIONS)
    return min(limits)
