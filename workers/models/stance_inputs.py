"""How one stance question becomes the token ids that the stance model reads.

The question "in this text, what is the stance of HOLDER (or the author) towards
TARGET?" is a sequence pair, `[CLS] holder : target [SEP] text [SEP]` (`<s>` and `</s>`
for MPNet). The token type ids carry the roles, so that the swapped question gives different inputs:

    0  text            2  a mention of the holder inside the text
    1  the question    3  a mention of the target inside the text

Training and the shipped runtime both call `StanceEncoder`, so they cannot drift.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tokenizers import Tokenizer

AUTHOR = "the author"
TEXT, QUESTION, HOLDER, TARGET = 0, 1, 2, 3

Span = tuple[int, int]
QuestionKind = Literal["relation", "author", "topic"]
QUESTION_KINDS: tuple[QuestionKind, ...] = ("relation", "author", "topic")

_POSSESSIVE = re.compile(r"['\u2019](?:s|S)?$")


@dataclass(frozen=True)
class StanceQuestion:
    """One pair to classify; `holder` None means the author of the text.

    Spans are character offsets into `text`. Where they are None the names are looked
    up in the text; an empty sequence means "not in this text". `topic` says that the
    target is a free-text topic or claim and not a named entity.
    """

    text: str
    target: str
    holder: str | None = None
    holder_spans: Sequence[Span] | None = None
    target_spans: Sequence[Span] | None = None
    topic: bool = False

    @property
    def kind(self) -> QuestionKind:
        """What is asked; the three kinds differ in how often a stance is taken at all."""
        if self.topic:
            return "topic"
        return "author" if self.holder is None else "relation"


@dataclass(frozen=True)
class EncodedQuestion:
    """Token ids and role ids of one question, equally long; `truncated` tells a cut."""

    input_ids: list[int]
    token_type_ids: list[int]
    truncated: bool


def find_mentions(text: str, name: str) -> list[Span]:
    """Every whole-word, case-insensitive occurrence of `name` in `text`."""
    name = name.strip()
    if not name:
        return []
    pattern = rf"(?<!\w){re.escape(name)}(?!\w)"
    return [match.span() for match in re.finditer(pattern, text, re.IGNORECASE)]


def whole_words(text: str, span: Span) -> Span:
    """Widen a span that is cut inside a word (a quirk of the DSE data) to word ends."""
    start, end = span
    while start > 0 and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum() and (text[end - 1].isalnum() or _cut(text, end)):
        end += 1
    return start, end


def _cut(text: str, end: int) -> bool:
    """True where the span stops between an apostrophe and its possessive s."""
    return text[end - 1] in "'\u2019" and text[end] in "sS"


def surface(text: str, span: Span) -> str:
    """The name that a span shows, without a possessive ending."""
    start, end = span
    return _POSSESSIVE.sub("", text[start:end]).strip()


class StanceEncoder:
    """Turns questions into ids; holds the tokenizer and the two length limits."""

    def __init__(self, tokenizer: Tokenizer, max_length: int, max_question: int = 64) -> None:
        """`max_length` bounds the whole sequence, `max_question` the holder and target.

        Raises ValueError for a tokenizer that does not put one token before and one after a text.
        """
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self._max_length = max_length
        self._max_question = max_question
        # What the tokenizer itself puts around a text: [CLS] and [SEP], or <s> and </s>.
        self._cls, self._sep = tokenizer.encode("").ids

    def encode(self, question: StanceQuestion) -> EncodedQuestion:
        """Ids of one question. Text beyond the limit is cut at its end, and said so.

        Raises:
            ValueError: the target is blank.
        """
        text = question.text
        holder_name, holder_spans = _resolve(text, question.holder, question.holder_spans)
        target_name, target_spans = _resolve(text, question.target, question.target_spans)
        if not target_name:
            raise ValueError("the target of a stance question is blank")
        asked = f"{holder_name or AUTHOR} : {target_name}"
        asked_ids = self._tokenizer.encode(asked, add_special_tokens=False).ids
        read = self._tokenizer.encode(text, add_special_tokens=False)
        text_ids = read.ids
        roles = [TEXT] * len(text_ids)
        # The target is marked last: where the two overlap, its mark is the one that stays.
        for spans, role in ((holder_spans, HOLDER), (target_spans, TARGET)):
            for position, (start, end) in enumerate(read.offsets):
                if any(start < stop and end > begin for begin, stop in spans):
                    roles[position] = role
        truncated = len(asked_ids) > self._max_question
        asked_ids = asked_ids[: self._max_question]
        room = self._max_length - len(asked_ids) - 3
        truncated = truncated or len(text_ids) > room
        text_ids, roles = text_ids[:room], roles[:room]
        return EncodedQuestion(
            input_ids=[self._cls, *asked_ids, self._sep, *text_ids, self._sep],
            token_type_ids=[QUESTION] * (len(asked_ids) + 2) + roles + [TEXT],
            truncated=truncated,
        )


def _resolve(
    text: str, name: str | None, spans: Sequence[Span] | None
) -> tuple[str, Sequence[Span]]:
    if name is None:
        return "", ()
    if spans is None:
        return name.strip(), find_mentions(text, name)
    wide = [whole_words(text, span) for span in spans]
    if len(wide) == 1 and text[spans[0][0] : spans[0][1]] == name and wide[0] != spans[0]:
        return surface(text, wide[0]) or name, wide
    return _POSSESSIVE.sub("", name).strip() or name, wide
