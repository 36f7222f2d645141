"""Spans and the offsets that callers count in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.spans import OFFSET_UNITS, OffsetMap, Span

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


@given(TEXTS, st.data())
def test_offsets_count_the_units_of_the_text_before_them(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    assert OffsetMap(text, "codepoint")(at) == at
    assert OffsetMap(text, "utf8")(at) == len(text[:at].encode("utf-8"))
    assert OffsetMap(text, "utf16")(at) == len(text[:at].encode("utf-16-le")) // 2


@given(TEXTS, st.data())
def test_a_span_cuts_the_same_characters_in_every_unit(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    utf8, utf16 = OffsetMap(text, "utf8"), OffsetMap(text, "utf16")
    wanted = Span(start, end).of(text)
    assert text.encode("utf-8")[utf8(start) : utf8(end)].decode("utf-8") == wanted
    wide = text.encode("utf-16-le")[2 * utf16(start) : 2 * utf16(end)]
    assert wide.decode("utf-16-le") == wanted


def test_an_unknown_unit_is_refused() -> None:
    assert OFFSET_UNITS == ("codepoint", "utf16", "utf8")
    with pytest.raises(ValueError, match="unknown offset unit"):
        OffsetMap("text", "bytes")  # type: ignore[arg-type]


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (3, 2)])
def test_what_is_no_range_is_no_span(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="not a span"):
        Span(start, end)


def test_overlap_needs_a_shared_character() -> None:
    assert Span(0, 3).overlaps(Span(2, 5))
    assert not Span(0, 3).overlaps(Span(3, 5))
    assert not Span(1, 1).overlaps(Span(1, 1))
    assert Span(0, 3).contains(Span(1, 3))
    assert not Span(1, 3).contains(Span(0, 3))
    assert sorted([Span(2, 3), Span(0, 9), Span(0, 1)])[0] == Span(0, 1)
