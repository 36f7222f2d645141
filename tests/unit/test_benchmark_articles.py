"""What the speed benchmark feeds the pipeline."""

from __future__ import annotations

import pytest

from benchmarks.articles import articles_of


def test_every_article_has_exactly_so_many_words_and_its_own_beginning() -> None:
    texts = articles_of(600)

    assert [len(text.split()) for text in texts] == [600] * 5
    assert len({text[:40] for text in texts}) == 5


def test_more_words_than_the_samples_have_are_refused() -> None:
    with pytest.raises(ValueError, match="words, not 100000"):
        articles_of(100_000)
