"""A sequence classifier over encoded pairs (stance questions)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from workers.models.manifest import Manifest, load_manifest
from workers.models.sessions import Session, open_tokenizer, sequence_inputs


class EncodedPair(Protocol):
    """Token ids and token type ids of one question, equally long."""

    @property
    def input_ids(self) -> list[int]:
        """Wordpiece ids with [CLS] and [SEP]."""
        ...

    @property
    def token_type_ids(self) -> list[int]:
        """Role of each piece."""
        ...


class PairClassifier:
    """A BERT sequence classifier in ONNX."""

    TASK = "stance"

    def __init__(self, manifest: Manifest, threads: int = 1) -> None:
        self.manifest = manifest
        self._tokenizer = open_tokenizer(manifest.path("tokenizer.json"))
        self._session = Session(manifest.path("model.onnx"), threads)

    @classmethod
    def load(cls, folder: Path, threads: int = 1) -> "PairClassifier":
        """Check and open a model folder. Raises ModelError."""
        return cls(load_manifest(folder, cls.TASK), threads)

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's own tokenizer."""
        return self._tokenizer

    @property
    def labels(self) -> tuple[str, ...]:
        """Label of each score column."""
        return self.manifest.labels

    @property
    def tokens_read(self) -> int:
        """Wordpieces read since it was opened."""
        return self._session.tokens_read

    def logits(self, pairs: Sequence[EncodedPair]) -> NDArray[np.float32]:
        """Logits, (pairs, labels); each pair runs alone, see `sessions`."""
        rows = [
            self._session.run(sequence_inputs(pair.input_ids, pair.token_type_ids))[0][0]
            for pair in pairs
        ]
        if not rows:
            return np.zeros((0, len(self.labels)), dtype=np.float32)
        return np.stack(rows)
