"""Who a pronoun or a role can mean: persons by their roles, subjects and recent speakers."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from service.domain.analysis import Entity, EntityType, Mention, Sentence
from workers.stages.canonicalise.phrases import NounPhrase
from workers.stages.canonicalise.roles import (
    INSTITUTIONS,
    Role,
    apposition_after,
    fits,
    gender_before,
    gender_of,
    role_of,
    title_before,
)
from workers.stages.canonicalise.words import ARTICLES, PREPOSITIONS, words_of

# How many sentences back a pronoun may reach; a named person further away is no longer the topic.
PRONOUN_REACH = 4
# A role may precede the name that explains it ("Ruritania's minister said … Minister Lee said").
FORWARD_REACH = 3
# Headline and lead speak of offices whose holders the story names further down.
LEAD_SENTENCES = 3
LEAD_REACH = 8
# Bounds the search in texts that name thousands of people.
MAX_TRIED = 200
MAX_ROLES = 20
# Pronouns that must agree before they tell a person's gender; one may belong to someone else.
MIN_PRONOUN_MARGIN = 2

_GENDERED = re.compile(r"\b(?:he|him|his|she|her|hers)\b", re.IGNORECASE)


class Antecedents:
    """The persons and things of one article, searchable by position, role and gender."""

    def __init__(
        self,
        text: str,
        sentences: Sequence[Sentence],
        entities: Sequence[Entity],
        mentions: Sequence[Mention],
        contents: Sequence[tuple[int, int]],
    ) -> None:
        """`contents` are the spans of what is said: who occurs only there is not speaking."""
        self._starts = [sentence.start for sentence in sentences]
        self._mentions = mentions
        self._starts_of_mentions = [mention.start for mention in mentions]
        self._contents = _merged(contents)
        self._content_starts = [start for start, _ in self._contents]
        self._people = {one.id for one in entities if one.type is EntityType.PER}
        self._roles: dict[str, list[tuple[int, Role]]] = defaultdict(list)
        self._genders: dict[str, str] = {}
        self._people_starts: list[int] = []
        self._people_ids: list[str] = []
        self._subjects: list[tuple[int, str]] = []
        self._things: list[tuple[int, str, Mention]] = []
        self._named_until = 0
        seen_sentence = -1
        for mention in mentions:
            at = self.sentence_at(mention.start)
            if mention.entity_id not in self._people or not sentences:
                self._things.append((mention.start, mention.entity_id or "", mention))
                continue
            sentence = sentences[at]
            self._read_person(text, mention, sentence)
            if at != seen_sentence and not self.in_content(mention.start):
                seen_sentence = at
                if _is_subject(text, mention, sentence):
                    self._subjects.append((mention.start, mention.entity_id))
        self._count_pronouns(text, sentences)
        self._subject_starts = [start for start, _ in self._subjects]
        self._thing_starts = [start for start, _, _ in self._things]

    def _read_person(self, text: str, mention: Mention, sentence: Sentence) -> None:
        entity_id = mention.entity_id or ""
        self._people_starts.append(mention.start)
        self._people_ids.append(entity_id)
        # The title of the person named before is not this one's ("Mr Lee met Ms Holt").
        title = title_before(text, mention.start, max(sentence.start, self._named_until))
        self._named_until = max(self._named_until, mention.end)
        inside = words_of(text, mention.start, min(mention.end, mention.start + 200))
        apposition = apposition_after(text, mention.end, sentence.end)
        # Capitalised words inside the name are the name, not a country or an office's place.
        within = role_of(inside)
        named = Role(within.nouns, within.portfolio, frozenset(), within.words)
        for role in (role_of(title), role_of(apposition), named):
            known = self._roles[entity_id]
            if role.nouns and all(role != one for _, one in known) and len(known) < MAX_ROLES:
                known.append((mention.start, role))
        gender = gender_of([*title, *apposition])
        gender = gender or gender_before(text, mention.start)
        if gender:
            self._genders.setdefault(entity_id, gender)

    def _count_pronouns(self, text: str, sentences: Sequence[Sentence]) -> None:
        """Let the pronouns of sentences that name one person vote on that person's gender."""
        votes: dict[str, Counter[str]] = defaultdict(Counter)
        for at, sentence in enumerate(sentences):
            first = bisect_left(self._people_starts, sentence.start)
            last = bisect_left(self._people_starts, sentence.end)
            named = set(self._people_ids[first:last])
            if len(named) == 1 and self.sentence_at(sentence.start) == at:
                after = text[self._people_starts[first] : sentence.end]
                said = (found.group().lower() for found in _GENDERED.finditer(after))
                votes[named.pop()].update(
                    "m" if word in ("he", "him", "his") else "f" for word in said
                )
        for entity_id, counted in votes.items():
            [(most, count)] = counted.most_common(1) or [("", 0)]
            rest = counted.total() - count
            if count - rest >= MIN_PRONOUN_MARGIN and count >= 3 * rest:
                self._genders.setdefault(entity_id, most)

    def sentence_at(self, position: int) -> int:
        """Index of the sentence that holds or precedes `position`."""
        return max(0, bisect_right(self._starts, position) - 1)

    def in_content(self, position: int) -> bool:
        """Whether `position` lies in something that is said."""
        at = bisect_right(self._content_starts, position) - 1
        return at >= 0 and position < self._contents[at][1]

    def is_person(self, entity_id: str) -> bool:
        """Whether the entity is a person."""
        return entity_id in self._people

    def gender_fits(self, entity_id: str, pronoun: str) -> bool:
        """Whether nothing known of a person speaks against "he" or "she"."""
        known = self._genders.get(entity_id)
        return known is None or known == ("m" if pronoun == "he" else "f")

    def subjects_before(self, position: int) -> Iterator[tuple[int, str]]:
        """(start, entity) of sentence subjects within reach of a pronoun, the nearest first."""
        sentence = self.sentence_at(position)
        at = bisect_left(self._subject_starts, position)
        for start, entity_id in reversed(self._subjects[max(0, at - MAX_TRIED) : at]):
            if sentence - self.sentence_at(start) > PRONOUN_REACH:
                return
            yield start, entity_id

    def thing_before(self, position: int) -> str | None:
        """The first organisation or place of the same sentence before a pronoun."""
        sentence_start = self._starts[self.sentence_at(position)] if self._starts else 0
        at = bisect_left(self._thing_starts, sentence_start)
        if at < len(self._things) and self._things[at][0] < position:
            start, entity_id, mention = self._things[at]
            if mention.type in (EntityType.ORG, EntityType.LOC) and not self.in_content(start):
                return entity_id
        return None

    def person_in_role(self, phrase: NounPhrase, position: int) -> str | None:
        """The person whom a definite role phrase means: of those whom it fits the one named last
        before it; else one whose office is given just after, if portfolio or country agree."""
        seen: set[str] = set()
        at = bisect_left(self._people_starts, position)
        for index in range(at - 1, max(-1, at - 1 - 5 * MAX_TRIED), -1):
            entity_id = self._people_ids[index]
            if entity_id in seen:
                continue
            seen.add(entity_id)
            if len(seen) > MAX_TRIED:
                break
            if any(
                start < position and fits(phrase.head, phrase.role, role)
                for start, role in self._roles.get(entity_id, [])
            ):
                return entity_id
        return self._person_introduced_later(phrase, position, at)

    def _person_introduced_later(self, phrase: NounPhrase, position: int, at: int) -> str | None:
        if not (phrase.role.modifiers and phrase.head in phrase.role.nouns):
            return None
        sentence = self.sentence_at(position)
        reach = LEAD_REACH if sentence < LEAD_SENTENCES else FORWARD_REACH
        for index in range(at, min(at + MAX_TRIED, len(self._people_starts))):
            start = self._people_starts[index]
            if self.sentence_at(start) - sentence > reach:
                return None
            for introduced, role in self._roles.get(self._people_ids[index], []):
                same_office = phrase.role.portfolio == role.portfolio or sentence == 0
                known = introduced == start and role.modifiers and same_office
                if known and fits(phrase.head, phrase.role, role):
                    return self._people_ids[index]
        return None

    def organisation_called(self, phrase: NounPhrase, position: int) -> str | None:
        """The organisation named last before `position` in whose name all the words are."""
        if phrase.head not in INSTITUTIONS:
            return None
        wanted = phrase.role.words - ARTICLES
        at = bisect_left(self._thing_starts, position)
        for _, entity_id, mention in reversed(self._things[max(0, at - MAX_TRIED) : at]):
            words = mention.text.casefold().split()
            if mention.type is EntityType.ORG and len(words) > 1 and wanted <= set(words):
                return entity_id
        return None

    def named_before(self, position: int, text: str) -> str | None:
        """The entity whose name ends just before a relative pronoun ("Lee, who said")."""
        at = bisect_left(self._starts_of_mentions, position) - 1
        if at < 0:
            return None
        mention = self._mentions[at]
        gap = text[mention.end : position]
        return mention.entity_id if len(gap) <= 3 and not gap.strip(" ,") else None


def _is_subject(text: str, mention: Mention, sentence: Sentence) -> bool:
    """Whether a sentence's first person can be its subject: owns nothing, depends on nothing."""
    following = text[mention.end : mention.end + 2]
    if following in ("'s", "’s") or mention.text.endswith(("'s", "’s")):
        return False
    before = words_of(text, max(sentence.start, mention.start - 160), mention.start)
    title = title_before(text, mention.start, sentence.start)
    rest = [word for word in before if not title or word.end <= title[0].start]
    return not (rest and rest[-1].lower in PREPOSITIONS)


def _merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
