"""Quotation marks."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.analysis import AttributionKind, TextSpan
from service.domain.spans import Span
from workers.stages.attribute.quotes import kind_of, quoted_letters, quoted_spans


def quotes(*paragraphs: str) -> list[str]:
    """Quoted pieces of paragraphs joined by blank lines."""
    text, spans = "", []
    for paragraph in paragraphs:
        spans.append(Span(len(text), len(text) + len(paragraph)))
        text += paragraph + "\n\n"
    return [span.of(text) for span in quoted_spans(text, spans)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“We will act,” he said. “Soon.”", ["“We will act,”", "“Soon.”"]),
        ('"We will act," he said. "Soon."', ['"We will act,"', '"Soon."']),
        ("He called it a ‘don’t-ask’ rule", ["‘don’t-ask’"]),
        ("the ministers' view, he said: 'It isn't so.'", ["'It isn't so.'"]),
        ("Syria’s and Russia’s", []),
        ("Syria's and the O'Briens'", []),
        ('A 6" pipe and a stray " mark', []),
        ("“Never closed, he said.", []),
        ("“confirmed Syria's will'' and “more,''”", ["“confirmed Syria's will''", "“more,''"]),
        ('not "work-related” but “Mostly False.“', ['"work-related”', "“Mostly False.“"]),
        ("he asked ''why?'' and left", ["''why?''"]),
        ("«Nous» and „wir“", ["«Nous»", "„wir“"]),
        ("“He said ‘no’ to me,” she said", ["“He said ‘no’ to me,”"]),
    ],
)
def test_quotations(text: str, expected: list[str]) -> None:
    assert quotes(text) == expected


def test_a_quotation_over_paragraphs_opens_each_and_closes_once() -> None:
    assert quotes("He said: “One.", "“Two.", "“Three.” Then he left.", "“Stray") == [
        "“One.",
        "“Two.",
        "“Three.”",
    ]


@given(st.text(alphabet="ab “”‘’\"'\n.", max_size=80))
def test_quotations_are_ordered_and_apart(text: str) -> None:
    spans = quoted_spans(text, [Span(0, len(text))])
    assert all(a.end <= b.start for a, b in itertools.pairwise(spans))
    assert all(0 <= span.start < span.end <= len(text) for span in spans)


def test_a_flood_of_opening_marks_is_no_quotation() -> None:
    text = " “a 'b" * 30_000
    assert quoted_spans(text, [Span(0, len(text))]) == []


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("“We will act,”", AttributionKind.DIRECT),
        ("We will act,", AttributionKind.DIRECT),
        ("that he was “tired” of it", AttributionKind.MIXED),
        ("that he was", AttributionKind.INDIRECT),
    ],
)
def test_kind(content: str, kind: AttributionKind) -> None:
    text = "“We will act,” he said, adding that he was “tired” of it."
    start = text.index(content)
    span = TextSpan(start, start + len(content), content)
    mask = quoted_letters(text, quoted_spans(text, [Span(0, len(text))]))
    assert kind_of(text, [span], mask) is kind
