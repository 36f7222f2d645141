"""Which characters of a text stand inside quotation marks."""

from collections.abc import Iterable, Sequence

from service.domain.analysis import AttributionKind, TextSpan
from service.domain.spans import Span

# Share of a content's letters in quotation marks from which it counts as said word for word:
# the rest is then a comma or an "and" between two pieces.
DIRECT_SHARE = 0.9

# Papers mix their marks ("work-related”, “Mostly False.“): any double mark closes any other.
_DOUBLE = '“”„"«»'
_SINGLE = {"‘": "’", "'": "'"}
_OPENING = frozenset("“„\"«‘'")
_TWO_APOSTROPHES = "''"
# Single marks are apostrophes more often than quotations; a long one is a mistake.
_LONGEST_SINGLE = 400


def quoted_spans(text: str, paragraphs: Sequence[Span]) -> list[Span]:
    """Quotations with their marks, in text order, not nested.

    A quotation ends with its paragraph. One that was never closed there counts only if
    the next paragraph opens with the same mark, as a quotation over several paragraphs
    does; a stray mark quotes nothing.
    """
    spans: list[Span] = []
    for number, paragraph in enumerate(paragraphs):
        following = text[paragraphs[number + 1].start] if number + 1 < len(paragraphs) else ""
        stray: set[str] = set()  # marks that nothing closes from here on; keeps this linear
        position = paragraph.start
        while position < paragraph.end:
            mark = text[position]
            if mark in _OPENING and mark not in stray and _opens(text, position, paragraph.start):
                close = _close(text, position, paragraph.end)
                if close is None and mark not in _SINGLE:
                    stray.add(mark)
                    if following == mark:
                        close = paragraph.end - 1
                if close is not None:
                    spans.append(Span(position, close + 1))
                    position = close
            position += 1
    return spans


def _opens(text: str, position: int, start: int) -> bool:
    """Whether the mark stands where a quotation can begin: not after a letter or digit."""
    before = text[position - 1] if position > start else " "
    after = text[position + 1] if position + 1 < len(text) else " "
    return not before.isalnum() and not after.isspace()


def _close(text: str, position: int, end: int) -> int | None:
    """Place of the last closing mark in the same paragraph, if any."""
    if text.startswith(_TWO_APOSTROPHES, position):
        return _close_double(text, position + 2, end)
    if text[position] in _SINGLE:
        return _close_single(text, position, end)
    return _close_double(text, position + 1, end)


def _close_double(text: str, start: int, end: int) -> int | None:
    for place in range(start, end):
        if text.startswith(_TWO_APOSTROPHES, place) and place + 1 < end:
            if not text[place - 1].isspace():
                return place + 1
        elif text[place] in _DOUBLE and not text[place - 1].isspace():
            inside = place + 1 < end and text[place + 1].isalnum()
            if text[place] in "”»" or not inside:
                return place
    return None


def _close_single(text: str, position: int, end: int) -> int | None:
    wanted = _SINGLE[text[position]]
    for place in range(position + 1, min(end, position + _LONGEST_SINGLE)):
        # An apostrophe inside a word ("isn't") closes nothing.
        inside = place + 1 < end and text[place + 1].isalnum()
        if text[place] == wanted and not inside and not text[place - 1].isspace():
            return place
    return None


def quoted_letters(text: str, quoted: Iterable[Span]) -> bytearray:
    """For each character 1 if it is a letter or digit inside a quotation, else 0."""
    mask = bytearray(len(text))
    for span in quoted:
        for place in range(span.start, span.end):
            mask[place] = text[place].isalnum()
    return mask


def quoted_share(text: str, spans: Iterable[Span | TextSpan], mask: bytearray) -> float:
    """Share of the spans' letters and digits that stand in quotation marks; 0 without any."""
    letters = inside = 0
    for span in spans:
        letters += sum(character.isalnum() for character in text[span.start : span.end])
        inside += sum(mask[span.start : span.end])
    return inside / letters if letters else 0.0


def kind_of(text: str, content: Iterable[TextSpan], mask: bytearray) -> AttributionKind:
    """Direct: all of the content is quoted; mixed: a part; indirect: nothing."""
    share = quoted_share(text, content, mask)
    if share == 0:
        return AttributionKind.INDIRECT
    return AttributionKind.DIRECT if share >= DIRECT_SHARE else AttributionKind.MIXED
