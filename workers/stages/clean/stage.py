"""clean: mark what is page furniture and what is the article; no offset ever moves."""

from __future__ import annotations

from collections.abc import Sequence

from service.domain.analysis import Block
from workers.stages.clean.dateline import dateline_end
from workers.stages.clean.furniture import (
    LEADING_IMAGES,
    Finding,
    find_furniture,
    is_closing_credit,
    is_lone_name,
)
from workers.stages.clean.lines import Line, ends_sentence, join_wrapped, split_lines
from workers.stages.clean.related import mark_related
from workers.stages.clean.repeats import mark_repeats
from workers.stages.types import CleanText

MAX_TITLE_CHARACTERS = 200
MAX_TITLE_WORDS = 30
# Agency copy that an outlet merges may carry a second dateline a little further down.
DATELINE_PARAGRAPHS = 3


def clean(text: str, title: str | None = None) -> CleanText:
    """Partition `text` into blocks (gaps are whitespace); furniture is not `analysed`.

    `title` is the title that the caller gave: a line that repeats it is the title too. When
    every line looks like furniture, all are analysed, with reason `nothing_else_to_analyse`.
    """
    lines = split_lines(text)
    findings: list[Finding | None] = [find_furniture(line) for line in lines]
    _mark_captions_of_images(lines, findings)
    mark_related(lines, findings)
    mark_repeats(lines, findings)
    _mark_closing_lines(lines, findings)
    if lines and all(findings):
        return CleanText(text, tuple(_unmarked(line) for line in lines))
    title_at = _title_at(lines, findings, title)
    return CleanText(text, tuple(_blocks(text, lines, findings, title_at)))


def _unmarked(line: Line) -> Block:
    return Block(line.start, line.end, "body", True, "nothing_else_to_analyse")


def _mark_captions_of_images(lines: Sequence[Line], findings: list[Finding | None]) -> None:
    """A table cell below an image placeholder is its caption."""
    for at in range(1, len(lines)):
        before = findings[at - 1]
        if (
            findings[at] is None
            and before is not None
            and before.reason == "image_placeholder"
            and lines[at].text.endswith("|")
            and not ends_sentence(lines[at].visible)
        ):
            findings[at] = Finding("caption", "image_table_cell")


def _mark_closing_lines(lines: Sequence[Line], findings: list[Finding | None]) -> None:
    """Who wrote it and where it was taken from: the last lines before the closing furniture.

    Only below a real sentence, so that a list of names stays a list of names.
    """
    at = len(lines) - 1
    while at > 0 and findings[at] is not None:
        at -= 1
    if at > 0 and is_closing_credit(lines[at]):
        findings[at] = Finding("credit", "closing_credit")
        at -= 1
    if at > 0 and is_lone_name(lines[at]):
        above = lines[at - 1]
        if findings[at - 1] is None and above.ends_sentence:
            findings[at] = Finding("byline", "closing_name")


def _title_at(
    lines: Sequence[Line], findings: list[Finding | None], title: str | None
) -> int | None:
    """Index of the title's line; repeats of a title that the caller gave are marked."""
    open_lines = [at for at, finding in enumerate(findings) if finding is None]
    if title and title.strip():
        wanted = " ".join(title.casefold().split())
        for at in open_lines[:3]:
            if " ".join(lines[at].text.casefold().split()) == wanted:
                return at
    if len(open_lines) < 2:
        return None
    first, second = open_lines[:2]
    if not _looks_like_title(lines[first], lines[second]):
        return None
    # The first line of a hard-wrapped paragraph has no stop either.
    is_wrapped = len(join_wrapped([lines[at] for at in open_lines])[0]) > 1
    return None if is_wrapped else first


def _looks_like_title(line: Line, following: Line) -> bool:
    shown = line.visible
    if len(shown) > MAX_TITLE_CHARACTERS or len(shown.split()) > MAX_TITLE_WORDS:
        return False
    if shown.endswith((",", ";", ":", "-", "–", "—")) or following.text[0].islower():
        return False
    is_question = shown.endswith(("?", "!")) and following.row > line.row + 1
    return is_question or not ends_sentence(shown)


def _blocks(
    text: str,
    lines: Sequence[Line],
    findings: Sequence[Finding | None],
    title_at: int | None,
) -> list[Block]:
    blocks: list[Block] = []
    waiting: list[Line] = []
    paragraphs = 0

    def flush() -> None:
        nonlocal paragraphs
        for group in join_wrapped(waiting):
            look_for_dateline = paragraphs < DATELINE_PARAGRAPHS
            blocks.extend(_paragraph(text, group[0].start, group[-1].end, look_for_dateline))
            paragraphs += 1
        waiting.clear()

    for at, (line, finding) in enumerate(zip(lines, findings, strict=True)):
        if finding is not None:
            flush()
            blocks.append(Block(line.start, line.end, finding.kind, False, finding.reason))
        elif at == title_at:
            flush()
            blocks.append(Block(line.start, line.end, "title", True))
        else:
            waiting.append(line)
    flush()
    return blocks


def _paragraph(text: str, start: int, end: int, look_for_dateline: bool) -> list[Block]:
    """One paragraph: leading images and its dateline are blocks of their own."""
    blocks: list[Block] = []
    images = LEADING_IMAGES.match(text, start, end)
    if images:
        stop = start + len(images.group().rstrip())
        blocks.append(Block(start, stop, "placeholder", False, "image_placeholder"))
        start = _skip_space(text, stop, end)
    if look_for_dateline:
        length = dateline_end(text[start : min(end, start + 200)])
        if length:
            blocks.append(Block(start, start + length, "dateline", False, "dateline"))
            start = _skip_space(text, start + length, end)
    if start < end:
        blocks.append(Block(start, end, "body", True))
    return blocks


def _skip_space(text: str, start: int, end: int) -> int:
    while start < end and text[start].isspace():
        start += 1
    return start
