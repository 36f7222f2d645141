"""Texts that the end-to-end tests are made of."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
SEED_FILES = sorted((ROOT / "seeds").glob("*.txt"))


def long_text(seed_texts: dict[str, str], characters: int) -> str:
    """At least so many characters, to keep a worker busy for a while."""
    whole = "\n\n".join(seed_texts.values()) + "\n\n"
    return whole * (characters // len(whole) + 1)
