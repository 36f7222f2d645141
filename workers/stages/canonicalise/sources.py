"""Attribution sources to entities: by name, role or pronoun, carried on, or left open."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.analysis import (
    Attribution,
    AttributionSource,
    Entity,
    Mention,
    Sentence,
    SourceResolution,
)
from workers.stages.canonicalise.antecedents import PRONOUN_REACH, Antecedents
from workers.stages.canonicalise.phrases import (
    NounPhrase,
    named_head,
    noun_phrase,
    phrase_words,
    pronoun_of,
)
from workers.stages.canonicalise.reasons import Open, explain
from workers.stages.canonicalise.roles import is_role_noun
from workers.stages.canonicalise.words import word_set
from workers.stages.types import RawAttribution

# Mentions are looked for from so many characters before the source, the longest name there is.
MAX_MENTION_CHARACTERS = 400
# Attributions beside a first-person source among which the enclosing one is looked for.
NEIGHBOURS = 10
# Speakers remembered behind a pronoun.
MAX_SPEAKERS = 8

_GENERIC = word_set(
    "people percent media police everyone everybody someone somebody anyone anybody nobody one all "
    "many most some others none those you"
)


@dataclass(frozen=True, slots=True)
class _Answer:
    entity_id: str | None
    resolution: SourceResolution
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Speaker:
    position: int
    sentence: int
    entity_id: str


def _open(code: Open, source: str = "") -> _Answer:
    return _Answer(None, SourceResolution.UNRESOLVED, explain(code, source))


class SourceResolver:
    """Resolves the sources of one article's attributions in reading order."""

    def __init__(
        self,
        text: str,
        sentences: Sequence[Sentence],
        entities: Sequence[Entity],
        mentions: Sequence[Mention],
        attributions: Sequence[RawAttribution],
    ) -> None:
        contents = [(span.start, span.end) for raw in attributions for span in raw.content]
        self._text = text
        self._mentions = mentions
        self._mention_starts = [mention.start for mention in mentions]
        self._attributions = attributions
        self._antecedents = Antecedents(text, sentences, entities, mentions, contents)
        self._speakers: list[_Speaker] = []

    def resolve(self) -> tuple[Attribution, ...]:
        """The attributions `a1`, `a2`, … with their sources."""
        answers: list[_Answer | None] = []
        for raw in self._attributions:
            answer = self._answer(raw, answers)
            answers.append(answer)
            if answer is not None and answer.entity_id is not None:
                self._remember(raw, answer.entity_id)
        # "I" and "we" need the attribution around them, which may come later in the list.
        for at, answer in enumerate(answers):
            if answer is None:
                answers[at] = self._first_person(at, answers)
        return tuple(
            _attribution(at, raw, answer)
            for at, (raw, answer) in enumerate(
                zip(self._attributions, answers, strict=True), start=1
            )
            if answer is not None
        )

    def _remember(self, raw: RawAttribution, entity_id: str) -> None:
        spans = raw.source or raw.cue or raw.content
        if spans:
            position = spans[0].start
            sentence = self._antecedents.sentence_at(spans[-1].end - 1)
            self._speakers.append(_Speaker(position, sentence, entity_id))
            del self._speakers[:-MAX_SPEAKERS]

    def _answer(self, raw: RawAttribution, earlier: Sequence[_Answer | None]) -> _Answer | None:
        """`None`: a first-person source, answered when all others are."""
        if raw.carried_from is not None:
            return _carried(raw.carried_from, earlier)
        if not raw.source:
            return _open(Open.NO_SOURCE)
        source = " … ".join(span.text for span in raw.source)
        for span in raw.source:
            mention = named_head(phrase_words(self._text, span), self._near(span.start, span.end))
            if mention is not None:
                return _Answer(mention.entity_id, SourceResolution.NAMED)
        span = raw.source[0]
        words = phrase_words(self._text, span)
        pronoun = pronoun_of(words)
        if pronoun in ("i", "we"):
            return None
        if pronoun is not None:
            return self._pronoun(pronoun, span.start, source)
        phrase = noun_phrase(words, self._near(span.start, span.end))
        if phrase is None:
            return _open(Open.NOT_UNDERSTOOD, source)
        return self._nominal(phrase, span.start, source)

    def _near(self, start: int, end: int) -> list[Mention]:
        first = bisect_left(self._mention_starts, start - MAX_MENTION_CHARACTERS)
        last = bisect_left(self._mention_starts, end)
        return [mention for mention in self._mentions[first:last] if mention.end > start]

    def _pronoun(self, pronoun: str, position: int, source: str) -> _Answer:
        if pronoun == "who":
            entity_id = self._antecedents.named_before(position, self._text)
        elif pronoun in ("he", "she"):
            entity_id = self._person_meant(pronoun, position)
        else:
            entity_id = self._thing_meant(position, pronoun)
            if entity_id is None and pronoun == "they":
                return _open(Open.PLURAL, source)
        if entity_id is None:
            return _open(Open.NO_ANTECEDENT, source)
        return _Answer(entity_id, SourceResolution.PRONOUN)

    def _person_meant(self, pronoun: str, position: int) -> str | None:
        """The nearer of the last speaker and the last sentence's subject, if the gender fits."""
        candidates = [
            (speaker.position, speaker.entity_id)
            for speaker in self._recent_speakers(position, PRONOUN_REACH)
            if self._antecedents.is_person(speaker.entity_id)
        ]
        candidates.extend(self._antecedents.subjects_before(position))
        for _, entity_id in sorted(candidates, key=lambda one: -one[0]):
            if self._antecedents.gender_fits(entity_id, pronoun):
                return entity_id
        return None

    def _thing_meant(self, position: int, pronoun: str) -> str | None:
        for speaker in self._recent_speakers(position, 2):
            if not self._antecedents.is_person(speaker.entity_id):
                return speaker.entity_id
        return self._antecedents.thing_before(position) if pronoun == "it" else None

    def _recent_speakers(self, position: int, reach: int) -> list[_Speaker]:
        sentence = self._antecedents.sentence_at(position)
        return [
            speaker
            for speaker in reversed(self._speakers)
            if speaker.position < position and sentence - speaker.sentence <= reach
        ]

    def _nominal(self, phrase: NounPhrase, position: int, source: str) -> _Answer:
        head = phrase.head
        if phrase.of_person is not None or (phrase.is_owned and is_role_noun(head)):
            return _open(Open.OF_ANOTHER, source)
        is_plural = head.endswith("s") and not head.endswith(("ss", "us", "is"))
        if head in _GENERIC or (is_plural and not is_role_noun(head)):
            return _open(Open.PLURAL, source)
        if phrase.is_indefinite:
            return _open(Open.INDEFINITE, source)
        if is_role_noun(head):
            entity_id = self._antecedents.person_in_role(phrase, position)
        else:
            entity_id = self._antecedents.organisation_called(phrase, position)
        if entity_id is None:
            return _open(Open.NO_ANTECEDENT, source)
        return _Answer(entity_id, SourceResolution.NOMINAL)

    def _first_person(self, at: int, answers: Sequence[_Answer | None]) -> _Answer:
        """The source of the attribution whose content holds this one's source."""
        source = self._attributions[at].source[0]
        for index in range(max(0, at - NEIGHBOURS), min(len(answers), at + NEIGHBOURS + 1)):
            answer = answers[index]
            encloses = index != at and any(
                span.start <= source.start and source.end <= span.end
                for span in self._attributions[index].content
            )
            if encloses and answer is not None and answer.entity_id is not None:
                return _Answer(answer.entity_id, SourceResolution.PRONOUN)
        return _open(Open.FIRST_PERSON, source.text)


def _carried(origin: int, earlier: Sequence[_Answer | None]) -> _Answer:
    answer = earlier[origin] if 0 <= origin < len(earlier) else None
    if answer is None or answer.entity_id is None:
        return _open(Open.CARRIED)
    return _Answer(answer.entity_id, SourceResolution.CARRIED)


def _attribution(number: int, raw: RawAttribution, answer: _Answer) -> Attribution:
    return Attribution(
        id=f"a{number}",
        source=AttributionSource(raw.source, answer.entity_id, answer.resolution, answer.reason),
        cue=raw.cue,
        content=raw.content,
        kind=raw.kind,
        score=raw.score,
        sentence_ids=raw.sentence_ids,
    )
