"""clean: furniture is marked, sentences never are, and no offset moves."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.analysis import Block
from workers.stages.clean.stage import clean
from workers.stages.types import CleanText

SEEDS = sorted((Path(__file__).parents[2] / "seeds").glob("*.txt"))

BODY = (
    "The council of Fenwick voted on Monday to reopen the old bridge.",
    "Mayor Ines Holt said the work would begin in June and last a year.",
    "Residents had asked for the repair since the flood three winters ago.",
)


def page(*lines: str) -> str:
    return "\n\n".join(lines)


def skipped(result: CleanText) -> list[tuple[str, str, str | None]]:
    return [
        (result.text[block.start : block.end], block.kind, block.reason)
        for block in result.blocks
        if not block.analysed
    ]


def kept(result: CleanText) -> list[str]:
    return [result.text[block.start : block.end] for block in result.blocks if block.analysed]


def assert_partition(text: str, blocks: tuple[Block, ...]) -> None:
    at = 0
    for block in blocks:
        assert block.start >= at
        assert block.end > block.start
        assert not text[at : block.start].strip()
        assert not text[block.start].isspace()
        assert not text[block.end - 1].isspace()
        assert block.analysed or block.reason
        at = block.end
    assert not text[at:].strip()


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("Follow us on:\u00a0", "navigation"),
        ("Follow us on Facebook and Twitter", "navigation"),
        ("Share this article", "navigation"),
        ("All news", "navigation"),
        ("Home > World > Europe", "navigation"),
        ("Subscribe to our daily newsletter", "navigation"),
        ("Read more on the subject here", "navigation"),
        ("Advertisement", "navigation"),
        ("Tags: bridges, floods", "navigation"),
        ("Read also: Bridge of Elmsford closes for good", "related"),
        ("Related: Ten bridges that changed a county", "related"),
        ("![A bridge](https://example.org/bridge.jpg)", "placeholder"),
        ("![]() |", "placeholder"),
        ("| --- | --- |", "placeholder"),
        ("* * *", "placeholder"),
        ("The bridge in autumn (photo: A. Marsh)", "caption"),
        ("The bridge in autumn (Photo by Ann Marsh/County Press) |", "caption"),
        ("The bridge has been closed since the flood [County Press]", "caption"),
        ("File photo: the bridge before the flood", "caption"),
        ("By Ann Marsh", "byline"),
        ("By ANN MARSH and Tom de Vries, County Press", "byline"),
        ("Written by Ann Marsh", "byline"),
        ("County Press and Agencies", "byline"),
        ("(Reporting by Ann Marsh; Editing by Tom Lee)", "byline"),
        ("July 23, 2015, 2:41 pm", "dateline"),
        ("Published: 3 May 2019 10:15 GMT", "dateline"),
        ("2 hours ago", "dateline"),
        ("Source: County Press", "credit"),
        ("© 2019 County Press. All rights reserved.", "credit"),
    ],
)
def test_a_line_of_furniture_is_marked_wherever_it_stands(line: str, kind: str) -> None:
    for text in (page(line, *BODY), page(BODY[0], line, *BODY[1:]), page(*BODY, line)):
        result = clean(text)
        assert [found[1] for found in skipped(result)] == [kind], text
        assert kept(result) == list(BODY)
        assert_partition(text, result.blocks)


@pytest.mark.parametrize(
    "sentence",
    [
        "Follow us on this journey, the mayor said.",
        "Share prices fell sharply after the vote.",
        "Read more than one report and the picture changes, she said.",
        "By Friday the water had gone.",
        "By voting for the bridge, Holt lost her majority.",
        "According to the council, the work costs 3.5 million.",
        "All news is bad news, said Holt.",
        "Related costs will be paid by the county.",
        "See also what the engineers wrote, Holt urged them.",
        "Photos of the flood were shown in court.",
        "Subscribe to that theory and you lose the argument, he said.",
        "Search parties found two men alive.",
        "“Why now?”",
        "No comment.",
        "Sources: none would speak.",
        "Ms. Holt - who had asked for the vote - left early.",
        "The Council of Europe (CoE) wants the Bridge of Fenwick Protection Act (BFPA).",
        "BRIDGE — the word alone divides the town.",
        "Holt, Marsh – both engineers – agreed.",
    ],
)
def test_a_real_sentence_is_never_dropped(sentence: str) -> None:
    for text in (page(BODY[0], sentence, *BODY[1:]), page(*BODY, sentence), page(sentence, *BODY)):
        result = clean(text)
        assert skipped(result) == []
        assert sentence in kept(result)


@pytest.mark.parametrize(
    ("line", "dateline"),
    [
        ("TOKYO, September 21. /PRESS/. The bridge is open.", "TOKYO, September 21. /PRESS/."),
        ("Elmsford, CPA – The bridge is open.", "Elmsford, CPA –"),
        ("Elmsford, CPA- The bridge is open.", "Elmsford, CPA-"),
        ("LONDON, Sept 3 (Agency) - The bridge is open.", "LONDON, Sept 3 (Agency) -"),
        ("GENEVA (AP) — “The bridge is open,” Holt said.", "GENEVA (AP) —"),
        ("(Agency) - The bridge is open.", "(Agency) -"),
        ("BEIRUT — The bridge is open.", "BEIRUT —"),
        ("Fenwickpost- County's mayor opened the bridge.", "Fenwickpost-"),
        ("MOSCOW, June 3 – The bridge is open.", "MOSCOW, June 3 –"),
    ],
)
def test_a_dateline_is_a_block_of_its_own_before_the_sentence(line: str, dateline: str) -> None:
    result = clean(page(line, *BODY))
    assert skipped(result) == [(dateline, "dateline", "dateline")]
    assert kept(result)[0] == line.removeprefix(dateline).strip()


def test_the_first_short_line_without_a_stop_is_the_title() -> None:
    result = clean(page("All news", "Fenwick votes to reopen its bridge", *BODY))
    assert [(b.kind, b.analysed) for b in result.blocks[:3]] == [
        ("navigation", False),
        ("title", True),
        ("body", True),
    ]


def test_the_callers_title_is_found_even_as_a_sentence() -> None:
    text = page("Fenwick votes.", *BODY)
    assert clean(text, "Fenwick  Votes.").blocks[0].kind == "title"
    assert clean(text).blocks[0].kind == "body"


def test_related_stories_behind_a_header_go_up_to_the_end() -> None:
    tail = ("Ann Marsh", "Check Also", "Elmsford closes its bridge", "Elmsford- The mayor and …")
    result = clean(page(*BODY, *tail))
    assert [found[1] for found in skipped(result)] == ["byline", "related", "related", "related"]
    assert kept(result) == list(BODY)


def test_the_article_goes_on_after_a_related_link_in_the_middle() -> None:
    text = page(BODY[0], "Read also", "Elmsford closes its bridge", *BODY[1:])
    result = clean(text)
    assert [found[0] for found in skipped(result)] == ["Read also", "Elmsford closes its bridge"]
    assert kept(result) == list(BODY)


def test_a_caption_said_twice_goes_and_a_sentence_said_twice_stays_once() -> None:
    caption = "The bridge of Fenwick as it was before the flood of the last winter"
    result = clean(page("Fenwick votes", caption, caption, *BODY))
    assert [found[2] for found in skipped(result)] == ["said_twice", "said_twice"]
    result = clean(page(*BODY, BODY[1]))
    assert [(found[1], found[2]) for found in skipped(result)] == [("repeat", "said_before")]
    assert kept(result) == list(BODY)


def test_a_closing_credit_line_needs_to_close_the_article() -> None:
    assert skipped(clean(page(*BODY, "According to Fenwick.NEWS")))[0][1] == "credit"
    assert skipped(clean(page(BODY[0], "According to Fenwick.NEWS", *BODY[1:]))) == []


def test_hard_wrapped_lines_are_one_paragraph() -> None:
    text = (
        "The council of Fenwick voted on Monday to reopen the old bridge over\n"
        "the Arrow, which has been closed since a flood. Mayor Ines Holt said\n"
        "the work would begin in June and last about a year. It will cost the\n"
        "county three million.\n\n"
        "Residents had asked for the repair ever since. They were not content\n"
        "with the ferry, which stops at nine.\n"
    )
    result = clean(text)
    assert [block.kind for block in result.blocks] == ["body", "body"]
    assert kept(result)[1].startswith("Residents")
    assert_partition(text, result.blocks)


def test_lines_that_end_where_they_want_stay_paragraphs() -> None:
    assert kept(clean("\n".join(BODY))) == list(BODY)
    assert kept(clean("\r\n".join(BODY))) == list(BODY)


@pytest.mark.parametrize(
    "text", ["Follow us on:", "All news\n\nShare this\n\nBy Ann Marsh", "...?"]
)
def test_a_page_of_nothing_but_furniture_is_analysed_and_says_so(text: str) -> None:
    result = clean(text)
    assert result.blocks
    assert all(block.analysed for block in result.blocks)
    assert {block.reason for block in result.blocks} == {"nothing_else_to_analyse"}


def test_one_line_is_the_article() -> None:
    assert [block.kind for block in clean("Fenwick votes").blocks] == ["body"]
    assert clean(" \n\t ").blocks == ()


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
def test_the_sample_articles_keep_their_sentences(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    result = clean(text)
    assert_partition(text, result.blocks)
    analysed = sum(block.end - block.start for block in result.blocks if block.analysed)
    assert analysed > 0.8 * len(text.strip())
    for dropped, kind, _ in skipped(result):
        assert kind == "caption" or len(dropped) < 150


PIECES = st.sampled_from(
    ["Follow us on", "Check Also", "By Ann", "\n", "\n\n", " ", "![](", ")", "|", "\u200f",
     "\u0301", "\u2028", "\r", "\x00", "AB, June 3 (X) - ", "said. ", "“", "”", "…", "-", "[X]",
     "(photo: ", "May 3, 2:41 pm", "Xy", "al-"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=60).map("".join)))
@settings(max_examples=300, deadline=None)
def test_any_text_is_partitioned(text: str) -> None:
    result = clean(text)
    assert result.text == text
    assert_partition(text, result.blocks)
    assert bool(text.strip()) == any(block.analysed for block in result.blocks)
    assert clean(text) == result


@pytest.mark.parametrize(
    "text",
    [
        "a" * 200_000,
        "\u0301" * 200_000,
        "\u200f" * 200_000,
        "a\n" * 100_000,
        "By A " * 40_000,
        "By INININININININININININININ\n" * 6_000,
        "![](" * 50_000,
        "A > " * 50_000,
        "x x x x x x x x x x x x x\n" * 7_000,
        "Check Also\nAbc\n" * 13_000,
        ("word " * 30 + "\n") * 1_300,
    ],
    ids=lambda text: text[:12],
)
def test_the_largest_texts_are_read_to_their_end(text: str) -> None:
    assert_partition(text, clean(text).blocks)
