"""Articles made of the samples: of a fixed length, or without end and never the same twice."""

from __future__ import annotations

import random
import re
from pathlib import Path

SEEDS = Path(__file__).resolve().parent.parent / "seeds"
_WORD = re.compile(r"\S+")
_SYLLABLES = (
    "ba",
    "den",
    "fi",
    "gor",
    "ha",
    "kel",
    "lo",
    "mir",
    "nu",
    "ra",
    "sa",
    "tov",
    "vi",
    "zan",
)
_OFFICES = ("minister", "mayor", "spokeswoman", "analyst", "envoy", "general")
_MATTERS = ("the dam", "the strike", "the budget", "the border", "the election", "the ceasefire")
_VERBS = ("defended", "criticised", "welcomed", "condemned", "described")


def articles_of(words: int) -> list[str]:
    """One text a sample: it begins with that sample, goes on with the next ones, and ends after
    exactly `words` words (runs of characters that are not white space)."""
    samples = [path.read_text("utf-8") for path in sorted(SEEDS.glob("*.txt"))]
    texts = []
    for first in range(len(samples)):
        whole = "\n\n".join(samples[first:] + samples[:first])
        ends = [found.end() for found in _WORD.finditer(whole)]
        if len(ends) < words:
            raise ValueError(f"the samples have {len(ends)} words, not {words}")
        texts.append(whole[: ends[words - 1]])
    return texts


def invented_article(chance: random.Random, words: int) -> str:
    """About `words` words: paragraphs of the samples in any order, each followed by a statement of
    somebody who never was before. Whatever is kept by name or by text grows with such articles."""
    paragraphs = [
        line.strip()
        for path in sorted(SEEDS.glob("*.txt"))
        for line in path.read_text("utf-8").splitlines()
        if line.strip()
    ]
    chosen: list[str] = []
    length = 0
    while length < words:
        chosen.append(f"{chance.choice(paragraphs)} {_statement(chance)}")
        length += len(chosen[-1].split())
    return "\n\n".join(chosen)


def _statement(chance: random.Random) -> str:
    matter, other = chance.sample(_MATTERS, 2)
    return (
        f"{_name(chance)} {_name(chance)}, {chance.choice(_OFFICES)} of {_name(chance)}, "
        f"{chance.choice(_VERBS)} {matter} and said “{other} was decided in {_name(chance)}”."
    )


def _name(chance: random.Random) -> str:
    return "".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4))).capitalize()
