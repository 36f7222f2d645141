"""Which holder-target questions about entities an article is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from service.domain.analysis import (
    Attribution,
    Entity,
    EntityType,
    Holder,
    Mention,
    Sentence,
    Target,
)
from workers.models.stance_inputs import StanceQuestion
from workers.stages.stance.layout import Layout, inside, offsets

AUTHOR = Holder(kind="author", name="author")

# A sentence longer than this is read around the target only, so that the model reads the whole
# of every passage it answers for (its limit is 256 wordpieces; news sentences rarely pass 400).
PASSAGE_CHARACTERS = 700
# Entities of one sentence that are related to one another; lists of names have many more pairs
# than relations.
RELATED_ENTITIES = 5

SAID, ACTS, VOICE, UNLIKELY = range(4)


@dataclass(frozen=True, slots=True)
class Pair:
    """One question and the passage of the article that it reads.

    `tier` orders the questions by how likely they find a stance: `SAID` (an attribution's
    source), `ACTS` (an entity of a sentence towards another), `VOICE` (the article's own),
    `UNLIKELY` (towards adjectives and places where something happens).
    """

    holder: Holder
    target: Target
    question: StanceQuestion
    start: int
    end: int
    sentence_id: str
    attribution_id: str | None
    tier: int


def entity_pairs(layout: Layout) -> list[Pair]:
    """Every question about entities worth asking, in reading order."""
    pairs: list[Pair] = []
    said: set[tuple[str, str, str]] = set()
    for key, pair in _of_sources(layout):
        said.add(key)
        pairs += [pair] if pair is not None else []
    counts = Counter(
        mention.entity_id for sentence in layout.sentences for mention in layout.mentions(sentence)
    )
    for sentence in layout.sentences:
        pairs += _within(layout, sentence, said)
        pairs += _of_author(layout, sentence, counts)
    return sorted(pairs, key=lambda pair: (pair.start, pair.end))


def choose(pairs: Iterable[Pair], limit: int) -> tuple[list[Pair], int]:
    """At most `limit` of the pairs, likeliest first, and how many were left out.

    Within a tier the first passage of every holder and target goes before second passages.
    """
    seen: Counter[tuple[Holder, Target]] = Counter()
    ranked = []
    for place, pair in enumerate(sorted(pairs, key=lambda pair: pair.tier)):
        key = (pair.holder, pair.target)
        ranked.append((pair.tier, seen[key], place, pair))
        seen[key] += 1
    ranked.sort(key=lambda entry: entry[:3])
    chosen = [pair for *_, pair in ranked[:limit]]
    return sorted(chosen, key=lambda pair: (pair.start, pair.end)), len(ranked) - len(chosen)


def _of_sources(layout: Layout) -> Iterator[tuple[tuple[str, str, str], Pair | None]]:
    """The source of an attribution towards everybody whom its content names.

    Each with its sentence, source and target; no question where the source only relays.
    """
    done: set[tuple[str, str, str]] = set()
    for said in layout.attributions:
        source = layout.entities.get(said.source.entity_id or "")
        if source is None:
            continue
        for sentence in layout.sentences_of(said):
            for target_id, mentions in layout.grouped(sentence).items():
                told = [mention for mention in mentions if in_content(said, mention)]
                key = (sentence.id, source.id, target_id)
                if not told or target_id == source.id or key in done:
                    continue
                own = [one for one in told if not layout.relays(said, one.start, one.end)]
                if not own:
                    yield key, None
                    continue
                done.add(key)
                start, end = passage(layout.text, sentence, own)
                question = entity_question(layout, start, end, source, said, target_id, own)
                tier = UNLIKELY if all(_weak(layout, mention) for mention in own) else SAID
                holder, target = holder_of(source), target_of(layout.entities[target_id])
                yield key, Pair(holder, target, question, start, end, sentence.id, said.id, tier)


def _within(layout: Layout, sentence: Sentence, said: set[tuple[str, str, str]]) -> Iterator[Pair]:
    """An entity of the sentence towards a later one, or an earlier one in the passive voice.

    Sources and whom they speak of (`said`) are left out.
    """
    groups = list(layout.grouped(sentence).items())
    groups = [group for group in groups if group[1][0].type is not EntityType.MISC] + [
        group for group in groups if group[1][0].type is EntityType.MISC
    ]
    groups = sorted(groups[:RELATED_ENTITIES], key=lambda group: group[1][0].start)
    for place, (holder_id, holders) in enumerate(groups):
        actors = [mention for mention in holders if layout.acts(mention)]
        if not actors:
            continue
        for other, (target_id, targets) in enumerate(groups):
            if other == place or (sentence.id, holder_id, target_id) in said:
                continue
            if not _any_related(layout, actors, targets):
                continue
            if other < place and not any(layout.turned(one, actors[-1]) for one in targets):
                continue
            weak = all(_weak(layout, mention) for mention in targets)
            start, end = passage(layout.text, sentence, targets)
            source = layout.entities[holder_id]
            question = entity_question(layout, start, end, source, None, target_id, targets)
            told = _telling(layout, actors[0], targets[0])
            yield Pair(
                holder_of(source),
                target_of(layout.entities[target_id]),
                question,
                start,
                end,
                sentence.id,
                told.id if told else None,
                UNLIKELY if weak else ACTS,
            )


def _of_author(layout: Layout, sentence: Sentence, counts: Counter[str | None]) -> Iterator[Pair]:
    """The article's own voice towards those it names more than once, outside attributions."""
    for target_id, mentions in layout.grouped(sentence).items():
        own = [mention for mention in mentions if not layout.spoken(mention.start, mention.end)]
        if not own or counts[target_id] < 2 or all(_weak(layout, mention) for mention in own):
            continue
        start, end = passage(layout.text, sentence, own)
        question = entity_question(layout, start, end, None, None, target_id, own)
        target = target_of(layout.entities[target_id])
        yield Pair(AUTHOR, target, question, start, end, sentence.id, None, VOICE)


def entity_question(
    layout: Layout,
    start: int,
    end: int,
    holder: Entity | None,
    said: Attribution | None,
    target_id: str,
    targets: Sequence[Mention],
) -> StanceQuestion:
    """The question about one entity, on the text from `start` to `end`."""
    seen = inside(targets, start, end)
    named = seen[0].text if seen else layout.entities[target_id].name
    holder_name, marks = holder_marks(layout, start, end, holder, said)
    question = StanceQuestion(
        text=layout.text[start:end],
        target=named,
        holder=holder_name,
        holder_spans=marks,
        target_spans=offsets(seen, start),
    )
    return reported(question) if said is not None and not marks else question


def holder_marks(
    layout: Layout, start: int, end: int, holder: Entity | None, said: Attribution | None
) -> tuple[str | None, list[tuple[int, int]]]:
    """The holder's name as the passage has it, and where; a pronoun source is marked too."""
    if holder is None:
        return None, []
    named = [
        mention
        for sentence in layout.between(start, end)
        for mention in inside(layout.mentions(sentence), start, end)
        if mention.entity_id == holder.id
    ]
    if named:
        return named[0].text, offsets(named, start)
    spans = said.source.spans if said is not None else ()
    shown = [span for span in spans if start <= span.start and span.end <= end]
    return holder.name, [(span.start - start, span.end - start) for span in shown]


def reported(question: StanceQuestion) -> StanceQuestion:
    """Names the holder in front of words that do not: a quote that runs on, say."""
    assert question.holder is not None
    opening = f"{question.holder} said : \u201c"
    shift = len(opening)
    targets = question.target_spans
    return StanceQuestion(
        text=f"{opening}{question.text}\u201d",
        target=question.target,
        holder=question.holder,
        holder_spans=[(0, len(question.holder))],
        target_spans=targets and [(start + shift, end + shift) for start, end in targets],
        topic=question.topic,
    )


def passage(text: str, sentence: Sentence, around: Sequence[Mention] = ()) -> tuple[int, int]:
    """The sentence, or of a very long one the part around the first mention, whole words."""
    if sentence.end - sentence.start <= PASSAGE_CHARACTERS:
        return sentence.start, sentence.end
    middle = around[0].start if around else sentence.start
    start = max(sentence.start, middle - PASSAGE_CHARACTERS // 2)
    end = min(sentence.end, start + PASSAGE_CHARACTERS)
    if start > sentence.start:
        start = text.find(" ", start, middle) + 1 or start
    if end < sentence.end:
        space = text.rfind(" ", middle, end)
        end = space if space > middle else end
    return start, end


def in_content(said: Attribution, mention: Mention) -> bool:
    """Whether the attribution's content names this mention."""
    return any(span.start < mention.end and mention.start < span.end for span in said.content)


def holder_of(entity: Entity) -> Holder:
    return Holder(kind="entity", name=entity.name, entity_id=entity.id)


def target_of(entity: Entity) -> Target:
    return Target(kind="entity", name=entity.name, entity_id=entity.id)


def _weak(layout: Layout, mention: Mention) -> bool:
    return mention.type is EntityType.MISC or layout.is_place(mention)


def _any_related(layout: Layout, holders: Sequence[Mention], targets: Sequence[Mention]) -> bool:
    # Both in reading order. The words between any two stand between the outermost two as well, so
    # a sentence that names the same two a hundred times costs what one that names them once does.
    return layout.related(holders[0], targets[-1]) or layout.related(targets[0], holders[-1])


def _telling(layout: Layout, first: Mention, second: Mention) -> Attribution | None:
    """The narrowest attribution that reports both mentions, if any."""
    around = [
        said
        for said in layout.speaking_in(first.sentence_id)
        if in_content(said, first) and in_content(said, second)
    ]
    return min(around, key=lambda said: sum(s.end - s.start for s in said.content), default=None)
