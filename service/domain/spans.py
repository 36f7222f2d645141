"""Spans of text and their offsets in the encodings that callers count in."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

OffsetUnit = Literal["codepoint", "utf16", "utf8"]
OFFSET_UNITS: tuple[OffsetUnit, ...] = ("codepoint", "utf16", "utf8")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range `[start, end)` in Unicode code points of the article's text."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"not a span: [{self.start}, {self.end})")

    def overlaps(self, other: Span) -> bool:
        """Whether the two ranges share at least one character."""
        return self.start < other.end and other.start < self.end

    def contains(self, other: Span) -> bool:
        """Whether `other` lies wholly inside this range."""
        return self.start <= other.start and other.end <= self.end

    def of(self, text: str) -> str:
        """The characters of `text` that this range covers."""
        return text[self.start : self.end]


class OffsetMap:
    """Translates code point offsets of one text into UTF-16 code units or UTF-8 bytes.

    Only the positions where the two counts drift apart are kept, so an ASCII text costs nothing.
    """

    def __init__(self, text: str, unit: OffsetUnit) -> None:
        if unit not in OFFSET_UNITS:
            raise ValueError(f"unknown offset unit: {unit!r}")
        extra = [(at, _width(char, unit) - 1) for at, char in enumerate(text)]
        wide = [(at, more) for at, more in extra if more]
        self._after = [at + 1 for at, _ in wide]
        self._drift = [0, *accumulate(more for _, more in wide)]

    def __call__(self, offset: int) -> int:
        """The offset in the chosen unit for `offset` in code points."""
        return offset + self._drift[bisect_right(self._after, offset)]


def _width(char: str, unit: OffsetUnit) -> int:
    if unit == "utf16":
        return 2 if ord(char) > 0xFFFF else 1
    if unit == "utf8":
        return len(char.encode("utf-8"))
    return 1
