"""segment: sentences with exact offsets, nothing lost, quotations kept together."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.analysis import Block, Sentence
from workers.stages.clean.stage import clean
from workers.stages.segment.overlong import MAX_SENTENCE_CHARACTERS
from workers.stages.segment.stage import segment
from workers.stages.types import CleanText

SEEDS = sorted((Path(__file__).parents[2] / "seeds").glob("*.txt"))


def sentences_of(text: str) -> list[str]:
    """The sentences of `text` as one analysed block."""
    block = Block(0, len(text), "body", True)
    return [sentence.text for sentence in segment(CleanText(text, (block,)))]


def assert_covers(result: tuple[Sentence, ...], page: CleanText) -> None:
    """Exact offsets, in order, inside analysed blocks, and every character but whitespace."""
    analysed = [block for block in page.blocks if block.analysed]
    said = "".join("".join(page.text[block.start : block.end].split()) for block in analysed)
    assert "".join("".join(sentence.text.split()) for sentence in result) == said
    at = 0
    for number, sentence in enumerate(result, start=1):
        assert sentence.id == f"s{number}"
        assert sentence.start >= at
        assert page.text[sentence.start : sentence.end] == sentence.text
        assert sentence.text == sentence.text.strip() != ""
        assert len(sentence.text) <= MAX_SENTENCE_CHARACTERS
        block = analysed[sentence.paragraph]
        assert block.start <= sentence.start
        assert sentence.end <= block.end
        at = sentence.end


@pytest.mark.parametrize(
    "sentences",
    [
        ["Mr. Holt met Gen. R. Marsh in the U.S. on Friday.", "He left at 3 p.m.", "It rained."],
        ["The U.S. Senate voted.", "He lives in the U.S.", "The minister said no."],
        ["It cost 3.5 million dollars.", "It grew by 0.4 percent.", "Vol. 4 is out."],
        ["Lt. Col. John Marsh spoke at 10 a.m. Monday.", "Sen. Ann Lee (R-Tex.) did not."],
        ["“We will go.", "We will win,” Holt said.", "“The bridge is ours.”"],
        ['"Are you sure?" Holt asked.', '"Yes!" she said.', "The vote passed."],
        ['"Why now?" the mayor of Fenwick said on Friday.', '"Why?"', "Holt said he was tired."],
        ["“Are you sure?” asked Holt.", "“Go!” they shouted."],
        ["He said “it failed.”", "Nobody answered.", "He called it 'a farce.'", "The rest left."],
        ["“We are ready. ”", "The minister left."],
        ['"Go now. "', "He went."],
        ["It strengthens the tie between our countries.''", "The group is large."],
        ["He left (it was late.)", "(Nobody saw him.)", "The end."],
        ["Wait...", "What?!", "Yes."],
        ["Former U.N. Ambassador Ann Lee and Sens. Holt and Marsh met.", "It rained."],
        ["Rep. Ann Lee (D-Md.), chair of the panel, left.", "It rained."],
    ],
)
def test_sentences_of_news(sentences: list[str]) -> None:
    assert sentences_of(" ".join(sentences)) == sentences


def test_furniture_is_left_out_and_paragraphs_are_counted() -> None:
    page = clean(
        "All news\n\nFenwick votes again\n\nELMSFORD — It voted. It rained.\n\n"
        "Share this\n\nThe end came late."
    )
    found = [(sentence.paragraph, sentence.text) for sentence in segment(page)]
    assert found == [
        (0, "Fenwick votes again"),
        (1, "It voted."),
        (1, "It rained."),
        (2, "The end came late."),
    ]


def test_a_hard_wrapped_sentence_keeps_its_line_breaks() -> None:
    text = "The council voted\nto reopen the bridge.\r\nIt rained."
    assert sentences_of(text) == ["The council voted\nto reopen the bridge.", "It rained."]


def test_an_overlong_sentence_is_cut_after_a_clause_or_at_a_space_or_anywhere() -> None:
    clause = "a clause of some thirty letters, "
    pieces = sentences_of(clause * 100)
    assert len(pieces) == 4
    assert all(piece.endswith(",") for piece in pieces)
    assert " ".join(pieces) == (clause * 100).strip()
    assert all(piece == ("word " * 200).strip() for piece in sentences_of("word " * 400))
    assert [len(piece) for piece in sentences_of("a" * 2_500)] == [1_000, 1_000, 500]


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
def test_the_sample_articles_are_covered(path: Path) -> None:
    page = clean(path.read_text(encoding="utf-8"))
    result = segment(page)
    assert_covers(result, page)
    assert len(result) > 8
    # Nothing was glued together and no stump was torn off.
    assert all(20 < len(sentence.text) < 500 for sentence in result)


PIECES = st.sampled_from(
    ["Mr.", "U.S.", "said", "He", "“", "”", '"', "''", "?", "!", ". ", "...", " ", "\n", "\u0301",
     "\u200f", "\u00a0", "(", ")", "3.5", "a.m.", "\x1c", "\u2028"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=80).map("".join)))
@settings(max_examples=300, deadline=None)
def test_any_text_is_covered(text: str) -> None:
    page = clean(text)
    result = segment(page)
    assert_covers(result, page)
    assert segment(page) == result


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000,
        "." * 200_000,
        '" ' * 100_000,
        "” " * 100_000,
        "U.S. " * 40_000,
        "Lt. " * 50_000,
        "“A b?” " * 28_000,
        "\u0301" * 200_000,
    ],
    ids=lambda text: text[:8],
)
def test_the_largest_texts_are_read_to_their_end(text: str) -> None:
    page = clean(text)
    assert_covers(segment(page), page)
