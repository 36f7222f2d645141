"""Words with offsets, and the general English function words that phrases are cut at."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORD = re.compile(
    r"(?:[A-Z]\.){2,6}"
    r"|(?:Mr|Mrs|Ms|Dr|Prof|Gen|Lt|Col|Maj|Capt|Sgt|Adm|Sen|Rep|Gov|Rev|St)\."
    r"|['’]s\b|\w+(?:-\w+)*|[^\w\s]"
)


def word_set(words: str) -> frozenset[str]:
    """The words of a blank-separated list."""
    return frozenset(words.split())


PREPOSITIONS = word_set(
    "of for in from at to on with by about against near under after before during since between "
    "among into over through without within via as like than despite"
)
RELATIVES = word_set("who which whose whom that where when while whereas because if")
ARTICLES = word_set("the a an this that these those his her its their our my")
CONJUNCTIONS = word_set("and or but nor")
INDEFINITE = word_set(
    "a an one another some several many two three four five few most other others both any all "
    "various certain unnamed anonymous"
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word or a punctuation mark of the article's text."""

    start: int
    end: int
    text: str

    @property
    def lower(self) -> str:
        """The word in lower case without the stop of an abbreviation."""
        return self.text.lower().rstrip(".") or self.text

    @property
    def is_possessive(self) -> bool:
        """Whether this is the mark of a possessive ("'s")."""
        return self.text in ("'s", "’s", "'", "’")

    @property
    def is_punctuation(self) -> bool:
        """Whether this ends a noun phrase: any mark but an apostrophe."""
        return not self.text[0].isalnum() and not self.is_possessive


def words_of(text: str, start: int, end: int) -> list[Word]:
    """The words and marks in `text[start:end]`."""
    return [
        Word(found.start(), found.end(), found.group())
        for found in _WORD.finditer(text, start, end)
    ]
