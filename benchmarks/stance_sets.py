"""The stance model's answers to the development sets: read once, used by every figure of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.evaluate_stance import scores
from training.stance_data import Example, read_stance
from training.stance_scores import Labels
from workers.models.chosen import Scorer
from workers.models.stance import Answer
from workers.models.stance_inputs import QuestionKind

# Rows of DSE come as p→q, q→p and have figures of their own.
STANCE_SETS = ("newsmtsc", "vast", "dse", "perspectrum")
PAIRED = "dse"
# What one thread answers before it says so.
_CHUNK = 250


@dataclass(frozen=True)
class AnsweredSet:
    """One development set with the model's calibrated probabilities, (rows, 3)."""

    name: str
    examples: list[Example]
    probabilities: NDArray[np.float64]
    truncated: int

    @property
    def gold(self) -> Labels:
        """The label of every row."""
        return np.array([example.label for example in self.examples])

    @property
    def kind(self) -> QuestionKind:
        """What kind of question most rows ask; the thresholds are by kind."""
        kinds = [example.question.kind for example in self.examples]
        return max(dict.fromkeys(kinds), key=kinds.count)

    def figures(self) -> dict[str, float | dict[str, float]]:
        """What `training.evaluate` says of the set."""
        figures: dict[str, float | dict[str, float]] = scores(
            self.examples, self.probabilities, paired=self.name == PAIRED
        )
        return figures


def answered(
    model: Scorer, data: Path, threads: int = 1, names: Sequence[str] = STANCE_SETS
) -> Iterator[AnsweredSet]:
    """The sets in their order, each as soon as it is answered; progress on standard error.

    A question runs alone, on one thread, as it does in a worker: threads change no figure.
    Raises FileNotFoundError before anything runs if a set is not there.
    """
    files = {name: data / "stance" / name / "dev.jsonl" for name in names}
    for path in files.values():
        if not path.is_file():
            raise FileNotFoundError(f"no such development set: {path}")
    for name, path in files.items():
        examples = read_stance(path, name)
        answers = _answers(model, name, examples, threads)
        parts = [answer.probabilities for answer in answers]
        yield AnsweredSet(
            name,
            examples,
            np.array([(part.favor, part.against, part.neutral) for part in parts]),
            sum(answer.truncated for answer in answers),
        )


def _answers(model: Scorer, name: str, examples: list[Example], threads: int) -> list[Answer]:
    questions = [example.question for example in examples]
    chunks = [questions[at : at + _CHUNK] for at in range(0, len(questions), _CHUNK)]
    found: list[Answer] = []
    with ThreadPoolExecutor(threads) as pool:
        for part in pool.map(model.score, chunks):
            found += part
            progress(f"stance {name}", len(found), len(questions))
    return found


def progress(what: str, done: int, of: int) -> None:
    """One line that is written anew on a terminal, a line every thousand elsewhere."""
    if sys.stderr.isatty():
        print(f"\r{what}: {done} of {of}", end="\n" if done == of else "", file=sys.stderr)
    elif done == of or done % 1000 == 0:
        print(f"{what}: {done} of {of}", file=sys.stderr, flush=True)
