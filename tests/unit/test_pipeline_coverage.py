"""What coverage and warnings say about an article."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.domain.analysis import Sentence, SkippedSpan
from workers.coverage import covered, warnings_of
from workers.stages.clean.language import Language
from workers.stages.clean.stage import clean
from workers.stages.segment.stage import segment

ENGLISH = Language("en", 0.99)


def codes(**changes: object) -> list[str]:
    facts: dict[str, object] = {
        "declared_language": None,
        "language": ENGLISH,
        "sentences": (Sentence("s1", 0, 4, "One.", 0),),
        "pairs": 2,
        "pairs_skipped": 2,
    }
    return [found.code for found in warnings_of(**(facts | changes))]  # type: ignore[arg-type]


def test_furniture_is_skipped_and_counted() -> None:
    text = "Follow us on Twitter\n\nThe minister said no. The talks failed.\n\n"
    cleaned = clean(text)
    sentences = segment(cleaned)
    found = covered(text, cleaned.blocks, sentences, windows={}, pairs=2, pairs_skipped=1)
    assert found.characters == len(text)
    assert found.analysed_characters == len("The minister said no.The talks failed.")
    assert [text[span.start : span.end] for span in found.skipped] == ["Follow us on Twitter"]
    assert (found.stance_pairs, found.stance_pairs_skipped) == (2, 1)


@given(st.text(alphabet=st.sampled_from("aB.?! \n\t“”\u202e|’-1é🦆"), max_size=200))
def test_every_visible_character_is_either_analysed_or_skipped(text: str) -> None:
    cleaned = clean(text)
    sentences = segment(cleaned)
    found = covered(text, cleaned.blocks, sentences, windows={}, pairs=0, pairs_skipped=0)
    seen = [False] * len(text)
    for part in (*sentences, *found.skipped):
        for place in range(part.start, part.end):
            assert not seen[place]
            seen[place] = True
    left = [char for char, taken in zip(text, seen, strict=True) if not taken]
    assert all(char.isspace() for char in left)


def test_a_gap_between_sentences_is_told() -> None:
    cleaned = clean("The minister said no. The talks failed.")
    first = segment(cleaned)[:1]
    found = covered(cleaned.text, cleaned.blocks, first, windows={}, pairs=0, pairs_skipped=0)
    assert found.skipped == (SkippedSpan(22, 39, "no_sentence"),)


def test_an_english_article_has_no_warnings() -> None:
    assert codes() == codes(declared_language="en-GB") == codes(language=Language("und", 0)) == []


def test_another_language_is_told_once() -> None:
    assert codes(language=Language("fr", 0.9)) == ["language_not_english"]
    assert codes(declared_language="fr") == ["language_not_english"]
    assert codes(declared_language="fr", language=Language("fr", 0.9)) == ["language_not_english"]


def test_nothing_to_analyse_and_questions_left_unasked_are_told() -> None:
    assert codes(sentences=(Sentence("s1", 0, 1, "—", 0),)) == ["no_body"]
    assert codes(sentences=(), pairs_skipped=3) == ["no_body", "stance_questions_skipped"]
