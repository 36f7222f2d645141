"""A shipped stance model as the teacher of a smaller one, and questions for which only it has
answers.

The loss is in `distillation.py`.
"""

from __future__ import annotations

import json
import queue
import random
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training.common import mixed_precision, padded
from training.distillation import UNKNOWN
from training.stance_data import Encoded, Example
from training.stance_model import StanceNetwork
from workers.models.stance_inputs import StanceEncoder, StanceQuestion

# A run of capitalised words, "of" and "the" inside it; single letters are initials.
_NAME = re.compile(r"[A-Z][\w'\u2019-]+(?:(?: of| the| of the)? [A-Z][\w'\u2019.-]*)*")
_LONGEST_NAME, _LONGEST_PASSAGE = 60, 600
_FROM_AUTHOR = 0.25
# Batches that the teacher may be ahead of the student.
_AHEAD = 2000


class Teacher:
    """Answers the batches of a plan in a thread of its own, ahead of the student.

    Its int8 weights are read back and run in float32: many rows at once, on any processor.
    """

    def __init__(
        self, model: StanceNetwork, encoder: StanceEncoder, planned: Sequence[Sequence[Encoded]]
    ) -> None:
        self._model = model.eval()
        self._encoder = encoder
        self._known: dict[tuple[tuple[int, ...], ...], Tensor] = {}
        self._planned = planned
        self._told: queue.Queue[Tensor | Exception] = queue.Queue(_AHEAD)
        threading.Thread(target=self._run, name="teacher", daemon=True).start()

    def logits(self) -> Tensor:
        """Logits (rows, 3) of the plan's next batch; NaN where the teacher is not asked.

        Raises what ended the thread.
        """
        told = self._told.get()
        if isinstance(told, Exception):
            raise told
        return told

    def _run(self) -> None:
        try:
            for batch in self._planned:
                self._told.put(self._answer(batch))
        except Exception as err:  # noqa: BLE001 - raised again where it is waited for
            self._told.put(err)

    def _answer(self, batch: Sequence[Encoded]) -> Tensor:
        questions = {_key(row): row.question for row in batch if row.question is not None}
        new = [key for key in questions if key not in self._known]
        if new:
            encoded = [self._encoder.encode(questions[key]) for key in new]
            with torch.no_grad(), mixed_precision():
                found = self._model(
                    padded([row.input_ids for row in encoded]),
                    padded([[1] * len(row.input_ids) for row in encoded]),
                    padded([row.token_type_ids for row in encoded]),
                ).float()
            self._known.update(zip(new, found, strict=True))
        silent = torch.full((3,), torch.nan)
        return torch.stack([self._known[_key(row)] if row.question else silent for row in batch])


def _key(row: Encoded) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(row.input_ids), tuple(row.token_type_ids)


def unlabelled(path: Path, count: int, rng: random.Random) -> Iterator[Example]:
    """`count` questions from an attribution file: what does the source of a statement, or the
    author, think of somebody named around it? Nobody labelled them."""
    with path.open(encoding="utf-8") as lines:
        articles = [json.loads(line) for line in lines if line.strip()]
    found = [question for article in articles for question in _questions(article, rng)]
    for question in rng.sample(found, min(count, len(found))):
        yield Example(question, UNKNOWN, "unlabelled")


def _questions(article: dict[str, Any], rng: random.Random) -> Iterator[StanceQuestion]:
    text = article["text"]
    for attribution in article["attributions"]:
        if len(attribution["source"]) != 1:
            continue
        start, end = attribution["source"][0]
        begin = text.rfind("\n", 0, start) + 1
        stop = text.find("\n", end)
        passage = text[begin : stop if stop >= 0 else len(text)]
        holder = (start - begin, end - begin)
        named = _NAME.search(passage[slice(*holder)])
        if named is None or end - start > _LONGEST_NAME or len(passage) > _LONGEST_PASSAGE:
            continue
        targets = [
            match.span()
            for match in _NAME.finditer(passage)
            if match.start() and not (match.start() < holder[1] and holder[0] < match.end())
        ]
        if not targets:
            continue
        target = rng.choice(targets)
        asked = {"text": passage, "target": passage[slice(*target)], "target_spans": [target]}
        if rng.random() < _FROM_AUTHOR:
            yield StanceQuestion(**asked)
        else:
            yield StanceQuestion(**asked, holder=passage[slice(*holder)], holder_spans=[holder])
