"""Cutting what no reader would call a sentence into pieces that a model can take."""

from __future__ import annotations

from collections.abc import Iterator

# Six times the longest sentence of ordinary news; models read about 2,000 characters at once.
MAX_SENTENCE_CHARACTERS = 1_000

_CLAUSE_ENDS = (";", ":", ",", "—", "–", ")", "”", '"')


def pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut `[start, end)` into stretches of at most `MAX_SENTENCE_CHARACTERS`.

    After a clause if one ends in the second half, else at a space, else anywhere: nothing but
    whitespace at the cuts is left out.
    """
    while end - start > MAX_SENTENCE_CHARACTERS:
        cut = _cut(text, start)
        stop = cut
        while stop > start and text[stop - 1].isspace():
            stop -= 1
        if stop > start:
            yield start, stop
        start = cut
        while start < end and text[start].isspace():
            start += 1
    if start < end:
        yield start, end


def _cut(text: str, start: int) -> int:
    limit = start + MAX_SENTENCE_CHARACTERS
    at_space = 0
    for at in range(limit, start + MAX_SENTENCE_CHARACTERS // 2, -1):
        if text[at].isspace():
            if text[at - 1] in _CLAUSE_ENDS:
                return at
            at_space = at_space or at
    return at_space or limit
