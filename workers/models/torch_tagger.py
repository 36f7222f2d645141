"""An entity tagger by name behind the interface of the bundled one."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.models.foreign_labels import as_bio, entity_columns
from workers.models.manifest import ModelUnsuitableError, OneModel
from workers.models.named import TAGGER, NamedModel, identity
from workers.models.profiles import NER
from workers.models.token_tagger import word_rows
from workers.models.torch_runtime import TorchModel, library_versions
from workers.models.words import MAX_PIECES_PER_WORD, Window, Word

log = logging.getLogger(__name__)

# Taggers are mostly fine-tuned on single sentences, so a window is one sentence; only the longest
# are cut, with an overlap of a quarter.
_WINDOW = 256
# The longest word and what stands around it.
_LEAST_WINDOW = MAX_PIECES_PER_WORD + 8


class TorchTagger(OneModel):
    """Any `AutoModelForTokenClassification` with a fast tokenizer."""

    whole_paragraphs = False

    def __init__(self, model: NamedModel, threads: int = 1) -> None:
        """Raises ModelError."""
        self._columns = entity_columns(model.labels)
        if self._columns.left_out:
            log.warning(
                "%s: labels that are none of PER, ORG, LOC and MISC are read as no entity: %s",
                model.name,
                ", ".join(self._columns.left_out),
            )
        self._model = TorchModel(model, TAGGER, threads)
        self._window = min(_WINDOW, self._model.longest)
        if self._window < _LEAST_WINDOW:
            raise ModelUnsuitableError(
                f"{model.name} reads {self._model.longest} pieces, fewer than {_LEAST_WINDOW}"
            )
        self._stride = self._window * 3 // 4
        self._before, self._after = _special_ids(self._model.tokenizer, model.name)
        self.manifest = identity(
            model,
            NER,
            {
                "max_length": self._window,
                "window": self._window,
                "stride": self._stride,
                "labels_left_out": list(self._columns.left_out),
                "libraries": library_versions(),
            },
        )

    @property
    def tokens_read(self) -> int:
        """Wordpieces that it has read since it was loaded."""
        return self._model.tokens_read

    @property
    def labels(self) -> tuple[str, ...]:
        """Label of each score column; the first is O."""
        return self._columns.ours

    def windows(self, words: Sequence[Word], breaks: Collection[int]) -> list[Window]:
        """A window a sentence, several for a sentence that is too long."""
        borders = sorted({0, len(words), *breaks})
        windows: list[Window] = []
        for first, last in pairwise(borders):
            windows.extend(self._sentence(first, words[first:last]))
        return windows

    def tag(self, windows: Sequence[Window]) -> list[NDArray[np.float32]]:
        """Log probabilities of each window's words, (words, labels)."""
        tagged = []
        for window in windows:
            pieces = self._columns.gather(self._model.run(window.input_ids))
            shared = [False] + [one == other >= 0 for one, other in pairwise(window.positions)]
            tagged.append(as_bio(word_rows(window, pieces), shared))
        return tagged

    def _sentence(self, first_word: int, words: Sequence[Word]) -> list[Window]:
        """Windows over one sentence, cut between words that share no piece."""
        pieces, hosts = self._pieces(words)
        room = self._window - len(self._before) - len(self._after)
        overlap = self._window - self._stride
        starts, sizes = _groups(pieces, hosts)
        ends = [*starts[1:], len(words)]
        windows: list[Window] = []
        at = 0
        while at < len(starts):
            stop, used = at, 0
            while stop < len(starts) and (used + sizes[stop] <= room or stop == at):
                used += sizes[stop]
                stop += 1
            first, last = starts[at], ends[stop - 1]
            windows.append(self._made(first_word, first, last, pieces, hosts))
            if stop == len(starts):
                break
            following, kept = stop, 0
            while following > at + 1 and kept + sizes[following - 1] <= overlap:
                following -= 1
                kept += sizes[following]
            at = following
        return windows

    def _made(
        self,
        first_word: int,
        first: int,
        last: int,
        pieces: Sequence[Sequence[int]],
        hosts: Sequence[int],
    ) -> Window:
        ids = list(self._before)
        place = [-1] * last
        for k in range(first, last):
            if first <= hosts[k] < k:
                place[k] = place[hosts[k]]
            elif pieces[k]:
                place[k] = len(ids)
            ids.extend(pieces[k])
        ids.extend(self._after)
        return Window(
            first_word + first,
            first_word + last,
            tuple(ids),
            (0,) * len(ids),
            tuple(place[first:last]),
        )

    def _pieces(self, words: Sequence[Word]) -> tuple[list[list[int]], list[int]]:
        """The ids of the pieces that begin in each word, and the word in which its first begins.

        The model reads running text, as the words stood in it. A word's host is itself, an earlier
        word whose piece covers it too ("U.S."), or -1 where the tokenizer drops it.
        """
        text = ""
        begins: list[int] = []
        for word, before in zip(words, [None, *words], strict=False):
            text += " " if before is not None and word.start > before.end else ""
            begins.append(len(text))
            text += word.text
        word_at = np.full(len(text), -1, dtype=np.int64)
        for k, word in enumerate(words):
            word_at[begins[k] : begins[k] + len(word.text)] = k
        encoded = self._model.tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True, verbose=False
        )
        pieces: list[list[int]] = [[] for _ in words]
        hosts = [-1] * len(words)
        for number, (start, end) in zip(
            encoded["input_ids"], encoded["offset_mapping"], strict=True
        ):
            # A piece may begin with the blank before its word, or be nothing but that blank.
            covered = [int(k) for k in word_at[start : end + 1] if k >= 0]
            inside = [int(k) for k in word_at[start:end] if k >= 0] or covered[:1]
            if not inside:
                continue
            home = inside[0]
            if len(pieces[home]) < MAX_PIECES_PER_WORD:
                pieces[home].append(number)
            for k in inside:
                if hosts[k] < 0:
                    hosts[k] = home
        return pieces, hosts


def _groups(pieces: Sequence[Sequence[int]], hosts: Sequence[int]) -> tuple[list[int], list[int]]:
    """First words and piece counts of what no window border cuts: words that share a piece.

    A group stays as small as the longest word, so that any window can hold it.
    """
    starts: list[int] = []
    sizes: list[int] = []
    for k, own in enumerate(pieces):
        if not starts or hosts[k] == k or sizes[-1] + len(own) > MAX_PIECES_PER_WORD:
            starts.append(k)
            sizes.append(0)
        sizes[-1] += len(own)
    return starts, sizes


def _special_ids(tokenizer: Any, name: str) -> tuple[list[int], list[int]]:
    """What the tokenizer puts before and after one text."""
    bare = tokenizer("news", add_special_tokens=False)["input_ids"]
    whole = tokenizer("news")["input_ids"]
    for start in range(len(whole) - len(bare) + 1):
        if bare and whole[start : start + len(bare)] == bare:
            return whole[:start], whole[start + len(bare) :]
    raise ModelUnsuitableError(f"{name}: the tokenizer rewrites a text that it marks")
