"""Sentences → the words that a tagger reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from service.domain.analysis import Sentence
from workers.models.words import Word, split_words


@dataclass(frozen=True, slots=True)
class SentenceWords:
    """Words in text order; those of sentence `n` are `words[borders[n]:borders[n + 1]]`.

    `paragraphs` are the numbers of the sentences that begin a further paragraph.
    """

    words: tuple[Word, ...]
    borders: tuple[int, ...]
    paragraphs: tuple[int, ...]

    @property
    def sentence_of(self) -> list[int]:
        """Number of each word's sentence."""
        return [
            number
            for number, (first, last) in enumerate(pairwise(self.borders))
            for _ in range(first, last)
        ]

    @property
    def sentence_starts(self) -> frozenset[int]:
        """First words of sentences."""
        return frozenset(self.borders[:-1])

    @property
    def paragraph_starts(self) -> frozenset[int]:
        """First words of paragraphs, the first one aside."""
        return frozenset(self.borders[number] for number in self.paragraphs)


def words_of(text: str, sentences: Sequence[Sentence]) -> SentenceWords:
    """The words of all sentences; their offsets are the text's."""
    words: list[Word] = []
    borders = [0]
    for sentence in sentences:
        words.extend(split_words(text, sentence.start, sentence.end))
        borders.append(len(words))
    paragraphs = tuple(
        number
        for number, (before, sentence) in enumerate(pairwise(sentences), 1)
        if sentence.paragraph != before.paragraph
    )
    return SentenceWords(tuple(words), tuple(borders), paragraphs)
