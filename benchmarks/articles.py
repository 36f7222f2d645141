"""Articles of a fixed length, made of the samples."""

from __future__ import annotations

import re
from pathlib import Path

SEEDS = Path(__file__).resolve().parent.parent / "seeds"
_WORD = re.compile(r"\S+")


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
