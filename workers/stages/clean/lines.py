"""Lines of the page, and which of them belong to one hard-wrapped paragraph."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_BREAK = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_BLANK_EDGE = " \t\u00a0|"

# Wider lines than this are not hard-wrapped: mail and terminals break at 65 to 100 characters.
MAX_WRAP_WIDTH = 120
# Shorter lines than this end where their author wanted (headings, lists, verse).
MIN_WRAPPED_LINE = 30
# Below so many breaks the width of the wrap cannot be told from chance.
MIN_BREAKS = 3
MIN_WRAPPED_SHARE = 0.6

_TERMINAL = re.compile(r"[.!?…:;][\"'”’»)\]]*$")


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its surrounding whitespace. `row` counts blank lines too."""

    start: int
    end: int
    text: str
    row: int

    @property
    def visible(self) -> str:
        """The line without table pipes and no-break spaces at its edges."""
        return self.text.strip(_BLANK_EDGE)

    @property
    def ends_sentence(self) -> bool:
        """Whether the line ends in a stop, possibly inside closing quotes."""
        return ends_sentence(self.text)


def has_words(text: str) -> bool:
    """Whether `text` holds a letter or a digit of any script."""
    return any(char.isalnum() for char in text)


def ends_sentence(text: str) -> bool:
    """Whether `text` ends in a stop, a colon or a semicolon, closing quotes aside."""
    return _TERMINAL.search(text[-8:]) is not None


def split_lines(text: str) -> list[Line]:
    """The lines of `text` that are not blank, in order; their gaps are whitespace only."""
    lines: list[Line] = []
    at = 0
    row = 0
    for found in _BREAK.finditer(text):
        _add_line(lines, text, at, found.start(), row)
        at = found.end()
        row += 1
    _add_line(lines, text, at, len(text), row)
    return lines


def _add_line(lines: list[Line], text: str, start: int, end: int, row: int) -> None:
    raw = text[start:end]
    stripped = raw.strip()
    if stripped:
        begin = start + len(raw) - len(raw.lstrip())
        lines.append(Line(begin, begin + len(stripped), stripped, row))


def join_wrapped(lines: Sequence[Line]) -> list[list[Line]]:
    """Group body lines into paragraphs: one line each, unless a line runs on in the next.

    A line runs on when it stops in mid-sentence before a lower-case word, or when the text is
    hard-wrapped (most breaks fall where the next word would no longer have fitted) and this
    break is such a one.
    """
    width = _wrap_width(lines)
    groups: list[list[Line]] = []
    for line in lines:
        if groups and _runs_on(groups[-1][-1], line, width):
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def _wrap_width(lines: Sequence[Line]) -> int | None:
    """The width at which the text is hard-wrapped, or `None`."""
    if not lines or max(len(line.text) for line in lines) > MAX_WRAP_WIDTH:
        return None
    width = max(len(line.text) for line in lines)
    breaks = [(first, second) for first, second in pairwise(lines) if second.row == first.row + 1]
    if len(breaks) < MIN_BREAKS:
        return None
    full = sum(_is_full(first, second, width) for first, second in breaks)
    in_mid_sentence = sum(not first.ends_sentence for first, _ in breaks)
    share = MIN_WRAPPED_SHARE * len(breaks)
    return width if full >= share and in_mid_sentence >= share else None


def _is_full(first: Line, second: Line, width: int) -> bool:
    next_word = len(second.text.split(maxsplit=1)[0])
    return len(first.text) >= MIN_WRAPPED_LINE and len(first.text) + 1 + next_word > width


def _runs_on(first: Line, second: Line, width: int | None) -> bool:
    if second.row != first.row + 1 or len(first.text) < MIN_WRAPPED_LINE:
        return False
    if not first.ends_sentence and second.text[0].islower():
        return True
    return width is not None and _is_full(first, second, width)
