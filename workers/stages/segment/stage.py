"""segment: paragraphs and sentences of the analysed blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator

import nupunkt

from service.domain.analysis import Sentence
from workers.stages.segment.overlong import pieces
from workers.stages.segment.repairs import closing_marks, joins
from workers.stages.types import CleanText

_WHITESPACE = re.compile(r"\s")


def segment(clean_text: CleanText) -> tuple[Sentence, ...]:
    """Sentences `s1`, `s2`, … in reading order; each lies inside one analysed block.

    Every character of an analysed block that is not whitespace is in exactly one sentence.
    `paragraph` counts analysed blocks from 0, the title included.
    """
    text = clean_text.text
    sentences: list[Sentence] = []
    analysed = [block for block in clean_text.blocks if block.analysed]
    for paragraph, block in enumerate(analysed):
        for start, end in _sentence_spans(text, block.start, block.end):
            sentence_id = f"s{len(sentences) + 1}"
            sentences.append(Sentence(sentence_id, start, end, text[start:end], paragraph))
    return tuple(sentences)


def _sentence_spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    # A hard-wrapped paragraph's line breaks are spaces to the segmenter; lengths stay.
    flat = _WHITESPACE.sub(" ", text[start:end])
    for first, last in _repaired(flat):
        yield from pieces(text, start + first, start + last)


def _repaired(flat: str) -> list[tuple[int, int]]:
    """nupunkt's spans without edge whitespace, neighbours joined where it erred."""
    # Only the starts are used: the spans then cover `flat` whatever the library leaves out.
    starts = [span[0] for span in nupunkt.sent_spans(flat)]
    bounds = sorted({0, *starts})
    spans: list[tuple[int, int]] = []
    for begin, stop in zip(bounds, [*bounds[1:], len(flat)], strict=True):
        first, last = _trimmed(flat, begin, stop)
        if first == last:
            continue
        if spans:
            moved = closing_marks(flat[slice(*spans[-1])], flat[first : first + 12])
            if moved:
                spans[-1] = (spans[-1][0], len(flat[: first + moved].rstrip()))
                first, last = _trimmed(flat, min(first + moved, last), last)
                if first == last:
                    continue
            before = flat[max(spans[-1][0], spans[-1][1] - 16) : spans[-1][1]]
            if joins(before, flat[first : min(last, first + 160)]):
                spans[-1] = (spans[-1][0], last)
                continue
        spans.append((first, last))
    return spans


def _trimmed(flat: str, start: int, end: int) -> tuple[int, int]:
    while start < end and flat[start].isspace():
        start += 1
    while end > start and flat[end - 1].isspace():
        end -= 1
    return start, end
