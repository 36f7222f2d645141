"""Who is mentioned where, and in whose mouth: an index over one article."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from service.domain.analysis import Attribution, Entity, EntityType, Mention, Sentence
from workers.stages.types import Canonical

# After these a name is mostly where something happens, not who does it or is meant.
_PLACE_WORDS = frozenset(
    ("in", "at", "near", "from", "across", "inside", "outside", "into", "throughout", "around")
)
# Words between two names that join them into one phrase instead of relating them.
_JOINING_WORDS = frozenset(
    (
        "of",
        "the",
        "and",
        "a",
        "an",
        "or",
        "as",
        "in",
        "at",
        "from",
        "for",
        "on",
        "s",
        "de",
        "al",
        "el",
    )
)
# Contents may be off by a character or a word at a sentence border.
_FEWEST_CHARACTERS = 10
_TURNING_WORDS = frozenset(("by", "from"))
_LOWER_WORD = re.compile(r"(?<![^\W_])[a-z]+(?![^\W_])")
_LAST_WORD = re.compile(r"([A-Za-z]+)\W*(?:\bthe\W*)?$")


class Layout:
    """Lookups over sentences, mentions and attributions, all in reading order."""

    def __init__(self, text: str, sentences: Sequence[Sentence], canonical: Canonical) -> None:
        self.text = text
        self.sentences = tuple(sorted(sentences, key=lambda sentence: sentence.start))
        self.attributions = canonical.attributions
        self.entities: dict[str, Entity] = {entity.id: entity for entity in canonical.entities}
        self._by_sentence: dict[str, list[Mention]] = {}
        for mention in sorted(canonical.mentions, key=lambda found: (found.start, found.end)):
            if mention.entity_id in self.entities:
                self._by_sentence.setdefault(mention.sentence_id, []).append(mention)
        self._starts = [sentence.start for sentence in self.sentences]
        self._spoken = _joined(
            (span.start, span.end) for said in self.attributions for span in said.content
        )
        self._said_in: dict[str, list[Attribution]] = {}
        for said in self.attributions:
            for sentence in self.sentences_of(said):
                self._said_in.setdefault(sentence.id, []).append(said)
        self._spoken_ends = [end for _, end in self._spoken]

    def mentions(self, sentence: Sentence) -> list[Mention]:
        """Mentions in `sentence` that belong to an entity."""
        return self._by_sentence.get(sentence.id, [])

    def grouped(self, sentence: Sentence) -> dict[str, list[Mention]]:
        """Entity id → its mentions in `sentence`, by first mention."""
        groups: dict[str, list[Mention]] = {}
        for mention in self.mentions(sentence):
            assert mention.entity_id is not None
            groups.setdefault(mention.entity_id, []).append(mention)
        return groups

    def sentences_of(self, said: Attribution) -> list[Sentence]:
        """The sentences that an attribution's content reaches into."""
        enough = min(_FEWEST_CHARACTERS, sum(span.end - span.start for span in said.content))
        found = {
            sentence.start: sentence
            for span in said.content
            for sentence in self.between(span.start, span.end)
            if min(span.end, sentence.end) - max(span.start, sentence.start) >= enough
        }
        return [found[start] for start in sorted(found)]

    def between(self, start: int, end: int) -> list[Sentence]:
        """Sentences that share a character with the range."""
        first = max(0, bisect_right(self._starts, start) - 1)
        found = []
        for index in range(first, len(self.sentences)):
            sentence = self.sentences[index]
            if sentence.start >= end:
                break
            if sentence.end > start:
                found.append(sentence)
        return found

    def speaking_in(self, sentence_id: str) -> list[Attribution]:
        """Attributions whose content reaches into the sentence."""
        return self._said_in.get(sentence_id, [])

    def relays(self, said: Attribution, start: int, end: int) -> bool:
        """Whether `said` only passes on what somebody else says in the range.

        "Reuters reports that Ann said …": the words inside are Ann's, not Reuters'.
        """
        return any(
            inner is not said
            and inner.source.spans
            and any(start < span.end and span.start < end for span in inner.content)
            and all(
                any(outer.start <= span.start and span.end <= outer.end for outer in said.content)
                for span in (*inner.source.spans, *inner.content)
            )
            for sentence in self.between(start, end)
            for inner in self.speaking_in(sentence.id)
        )

    def spoken(self, start: int, end: int) -> bool:
        """Whether more than half of the range is the content of some attribution."""
        covered = 0
        for index in range(bisect_right(self._spoken_ends, start), len(self._spoken)):
            first, last = self._spoken[index]
            if first >= end:
                break
            covered += max(0, min(last, end) - max(first, start))
        return 2 * covered > end - start

    def acts(self, mention: Mention) -> bool:
        """Whether a mention can be somebody who acts: no adjective, not just a place."""
        return mention.type is not EntityType.MISC and not self.is_place(mention)

    def is_place(self, mention: Mention) -> bool:
        """Whether a location is named only as where something happens ("in Syria")."""
        if mention.type is not EntityType.LOC:
            return False
        before = _LAST_WORD.search(self.text[max(0, mention.start - 40) : mention.start])
        return before is not None and before.group(1).lower() in _PLACE_WORDS

    def turned(self, earlier: Mention, later: Mention) -> bool:
        """Whether the words between two names can turn the later one on the earlier one.

        "Ann was criticised by Bob", "Ann came under fire from Bob".
        """
        words = _LOWER_WORD.findall(self.text[earlier.end : later.start])
        return not _TURNING_WORDS.isdisjoint(words)

    def related(self, first: Mention, second: Mention) -> bool:
        """Whether a verb or the like can stand between two names.

        "Russian President Vladimir Putin" and "Putin and Lavrov" are one phrase each.
        """
        left, right = sorted((first, second), key=lambda mention: mention.start)
        between = self.text[left.end : right.start]
        return any(word not in _JOINING_WORDS for word in _LOWER_WORD.findall(between))


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same characters as ranges that do not overlap, in order."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def inside(mentions: Iterable[Mention], start: int, end: int) -> list[Mention]:
    """The mentions that stand wholly in the range: a passage may be a part of its sentence."""
    return [mention for mention in mentions if start <= mention.start and mention.end <= end]


def offsets(mentions: Iterable[Mention], start: int) -> list[tuple[int, int]]:
    """Mention offsets relative to `start`."""
    return [(mention.start - start, mention.end - start) for mention in mentions]
