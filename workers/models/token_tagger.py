"""The entity tagger: words in, one row of label scores a word out."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from workers.models.manifest import Manifest, load_manifest
from workers.models.sessions import Session, open_tokenizer, sequence_inputs, token_id
from workers.models.words import Window, Word, encode_words, make_windows

# A word that the tokeniser drops (control characters) names nothing.
_NO_PIECES_LOGIT = 20.0


class WordTagger(Protocol):
    """What the recognise stage needs; tests bring a small fake."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Label of each score column; the first is O."""
        ...

    @property
    def whole_paragraphs(self) -> bool:
        """Whether its words and breaks are those of the attribution model: punctuation as written,
        breaks between paragraphs. Else punctuation is plain, and breaks are between sentences."""
        ...

    def windows(self, words: Sequence[Word], breaks: Collection[int]) -> list[Window]:
        """Overlapping windows over the words; `breaks` are first words of sentences or
        paragraphs."""
        ...

    def tag(self, windows: Sequence[Window]) -> list[NDArray[np.float32]]:
        """Logits of each window's words, (words, labels)."""
        ...


class WindowMaker:
    """Words → windows by a manifest's lengths."""

    def __init__(self, manifest: Manifest, tokenizer: Tokenizer) -> None:
        self._manifest = manifest
        self._tokenizer = tokenizer
        self._cls = token_id(tokenizer, "[CLS]")
        self._sep = token_id(tokenizer, "[SEP]")

    def __call__(self, words: Sequence[Word], breaks: Collection[int]) -> list[Window]:
        """Windows that cover every word, with [SEP] before each of `breaks`."""
        return make_windows(
            encode_words(self._tokenizer, words),
            breaks=breaks,
            cls_id=self._cls,
            sep_id=self._sep,
            max_length=self._manifest.window,
            stride=self._manifest.stride,
        )


class TokenTagger:
    """A BERT token classifier in ONNX with case shapes as token types."""

    TASK = "ner"

    def __init__(
        self, manifest: Manifest, threads: int = 1, along_with: Manifest | None = None
    ) -> None:
        """`along_with` is the attribution model of the same graph, whose windows it is to read: the
        encoder then reads a text once for both."""
        self.manifest = manifest
        self._along_with = along_with
        tokenizer = open_tokenizer(manifest.path("tokenizer.json"))
        self._windows = WindowMaker(along_with or manifest, tokenizer)
        self._session = Session(manifest.path("model.onnx"), threads)

    @classmethod
    def load(
        cls, folder: Path, threads: int = 1, along_with: Manifest | None = None
    ) -> "TokenTagger":
        """Check and open a model folder. Raises ModelError."""
        return cls(load_manifest(folder, cls.TASK), threads, along_with)

    @property
    def digest(self) -> str:
        """Of all that its answers depend on."""
        read = self._along_with
        return self.manifest.digest + (f" along with {read.digest}" if read else "")

    @property
    def labels(self) -> tuple[str, ...]:
        """Label of each score column; the first is O."""
        return self.manifest.labels

    @property
    def whole_paragraphs(self) -> bool:
        """Whether it reads what the attribution model reads, whose graph it shares."""
        return self._along_with is not None

    @property
    def tokens_read(self) -> int:
        """Wordpieces read since it was opened."""
        return self._session.tokens_read

    def windows(self, words: Sequence[Word], breaks: Collection[int]) -> list[Window]:
        """Overlapping windows over the words; `breaks` are first words of sentences or
        paragraphs."""
        return self._windows(words, breaks)

    def tag(self, windows: Sequence[Window]) -> list[NDArray[np.float32]]:
        """Logits of each window's words, (words, labels)."""
        rows = []
        for window in windows:
            inputs = sequence_inputs(window.input_ids, window.token_type_ids)
            [logits] = self._session.run(
                inputs, self.manifest.outputs, for_both=self._along_with is not None
            )
            rows.append(word_rows(window, logits[0]))
        return rows


def word_rows(window: Window, pieces: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of the words' first pieces; a word without pieces gets a sure first column."""
    positions = np.array(window.positions, dtype=np.int64)
    rows = pieces[np.maximum(positions, 0)]
    rows[positions < 0] = 0.0
    rows[positions < 0, 0] = _NO_PIECES_LOGIT
    return rows
