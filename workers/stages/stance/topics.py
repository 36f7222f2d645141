"""Which questions about the caller's own targets an article is asked."""

from __future__ import annotations

from collections.abc import Iterator

from service.domain.analysis import Attribution, Entity, Mention, Sentence, Target
from workers.models.stance_inputs import StanceQuestion
from workers.stages.stance.layout import Layout, inside, offsets
from workers.stages.stance.pairs import (
    ACTS,
    AUTHOR,
    SAID,
    VOICE,
    Pair,
    holder_marks,
    holder_of,
    passage,
    reported,
)
from workers.stages.stance.wording import content_words, share_found

# A sentence bears on a topic when it has at least half of the topic's content words (three are
# enough of a long claim) and comes near the sentence that has most of them: where "Syrian
# government" stands in full, "Syria" alone is no evidence.
_SHARE = 0.5
_ENOUGH_WORDS = 3
_NEAR_BEST = 0.75
# Questions per topic. Twenty topics of twelve questions cost about as much as the entities of
# four articles; the rest is counted as skipped.
QUESTIONS_PER_TOPIC = 12


def topic_pairs(layout: Layout, topic: str) -> tuple[list[Pair], int]:
    """Questions about `topic` where the article bears on it, and how many were left out."""
    entity = _entity_named(layout, topic)
    target = Target(kind="topic", name=topic, entity_id=entity.id if entity else None)
    words = content_words(topic)
    shares: list[tuple[float, Sentence, list[Mention]]] = []
    for sentence in layout.sentences:
        named = [m for m in layout.mentions(sentence) if entity and m.entity_id == entity.id]
        share = 1.0 if named else share_found(words, content_words(sentence.text))
        shares.append((share, sentence, named))
    best = max((share for share, _, _ in shares), default=0.0)
    needed = max(min(_SHARE, _ENOUGH_WORDS / max(1, len(words))), _NEAR_BEST * best)
    ranked: list[tuple[float, int, Pair]] = []
    for share, sentence, named in shares:
        if share >= needed:
            for pair in _asked_of(layout, sentence, target, named):
                ranked.append((-share, len(ranked), pair))
    ranked.sort(key=lambda entry: entry[:2])
    chosen = [pair for *_, pair in ranked[:QUESTIONS_PER_TOPIC]]
    return sorted(chosen, key=lambda pair: (pair.start, pair.end)), len(ranked) - len(chosen)


def _asked_of(
    layout: Layout, sentence: Sentence, target: Target, named: list[Mention]
) -> Iterator[Pair]:
    """Sources that speak in the sentence; where none does, its actor and the article's voice."""
    start, end = passage(layout.text, sentence, named)
    seen = inside(named, start, end)
    marked = offsets(seen, start) if seen else None
    holders: dict[str, tuple[Entity, Attribution | None]] = {}
    for said in layout.speaking_in(sentence.id):
        source = layout.entities.get(said.source.entity_id or "")
        own = source is not None and not layout.relays(said, start, end)
        if source is not None and own and source.id != target.entity_id:
            holders.setdefault(source.id, (source, said))
    if not layout.spoken(start, end):
        for mention in layout.mentions(sentence):
            actor = layout.entities[mention.entity_id or ""]
            if layout.acts(mention) and actor.id != target.entity_id:
                holders.setdefault(actor.id, (actor, None))
                break
        question = StanceQuestion(
            text=layout.text[start:end],
            target=target.name,
            target_spans=marked,
            topic=True,
        )
        yield Pair(AUTHOR, target, question, start, end, sentence.id, None, VOICE)
    for holder, speech in holders.values():
        name, marks = holder_marks(layout, start, end, holder, speech)
        question = StanceQuestion(
            text=layout.text[start:end],
            target=target.name,
            holder=name,
            holder_spans=marks,
            target_spans=marked,
            topic=True,
        )
        if not marks:
            question = reported(question)
        said_id = speech.id if speech else None
        tier = SAID if speech else ACTS
        yield Pair(holder_of(holder), target, question, start, end, sentence.id, said_id, tier)


def _entity_named(layout: Layout, topic: str) -> Entity | None:
    """The entity that the caller means, where the topic is one of its names."""
    wanted = " ".join(topic.casefold().split())
    for entity in layout.entities.values():
        if wanted in {
            " ".join(alias.casefold().split()) for alias in (entity.name, *entity.aliases)
        }:
            return entity
    return None
