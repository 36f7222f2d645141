"""What the speed benchmark feeds the pipeline."""

from __future__ import annotations

import random

import pytest

from benchmarks.articles import articles_of, invented_article


def test_every_article_has_exactly_so_many_words_and_its_own_beginning() -> None:
    texts = articles_of(600)

    assert [len(text.split()) for text in texts] == [600] * 5
    assert len({text[:40] for text in texts}) == 5


def test_more_words_than_the_samples_have_are_refused() -> None:
    with pytest.raises(ValueError, match="words, not 100000"):
        articles_of(100_000)


def test_invented_articles_are_about_as_long_as_asked_and_never_the_same() -> None:
    chance = random.Random(3)
    texts = [invented_article(chance, 300) for _ in range(20)]

    assert all(300 <= len(text.split()) < 500 for text in texts)
    assert len(set(texts)) == 20


def test_the_same_chance_invents_the_same_article() -> None:
    assert invented_article(random.Random(3), 300) == invented_article(random.Random(3), 300)
