"""From mentions to entities."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from service.domain.analysis import Entity, EntityType, Mention
from workers.stages.canonicalise.acronyms import is_acronym, split_bracketed
from workers.stages.canonicalise.names import cleaned, folded, keys, person_name
from workers.stages.canonicalise.people import cluster_people
from workers.stages.canonicalise.roles import gender_before, title_gender
from workers.stages.canonicalise.things import cluster_things


def build_entities(
    text: str, mentions: Sequence[Mention]
) -> tuple[tuple[Entity, ...], tuple[Mention, ...]]:
    """Entities `e1`, `e2`, … by their first mention, and the mentions `m1`, … that carry them."""
    ordered = sorted(mentions, key=lambda mention: (mention.start, -mention.end))
    is_person = _persons(ordered)
    people = [(at, ordered[at].text) for at in range(len(ordered)) if is_person[at]]
    things = [(at, ordered[at]) for at in range(len(ordered)) if not is_person[at]]
    genders = {
        at: gender
        for at, surface in people
        if (gender := gender_before(text, ordered[at].start) or title_gender(surface))
    }
    clusters = sorted(cluster_people(people, genders) + cluster_things(text, things))

    entity_of: dict[int, str] = {}
    entities: list[Entity] = []
    for number, cluster in enumerate(clusters, start=1):
        entities.append(_entity(f"e{number}", [ordered[at] for at in cluster], cluster))
        entity_of.update(dict.fromkeys(cluster, f"e{number}"))
    numbered = tuple(
        replace(mention, id=f"m{at + 1}", entity_id=entity_of[at])
        for at, mention in enumerate(ordered)
    )
    return tuple(entities), numbered


def _persons(mentions: Sequence[Mention]) -> list[bool]:
    """Whether each mention is treated as a person.

    One surface with several types has the type that most of its mentions have (the higher summed
    score decides a tie). A person's surname that is also a place ("Washington") stays a person
    where the tagger said so, if the article has a person of that surname.
    """
    votes: Counter[tuple[str, bool]] = Counter()
    scores: dict[tuple[str, bool], float] = defaultdict(float)
    surnames: set[str] = set()
    for mention in mentions:
        person = mention.type is EntityType.PER
        ballot = folded(mention.text), person
        votes[ballot] += 1
        scores[ballot] += mention.score
        if person:
            name = person_name(mention.text)
            if name.first_name is not None:
                surnames |= keys(name.surname)
    verdict: list[bool] = []
    for mention in mentions:
        key = folded(mention.text)
        person = mention.type is EntityType.PER
        if person and keys(person_name(mention.text).surname) & surnames:
            verdict.append(True)
            continue
        yes, no = ((votes[key, side], scores[key, side]) for side in (True, False))
        verdict.append(yes > no)
    return verdict


def _entity(entity_id: str, mentions: Sequence[Mention], indices: Sequence[int]) -> Entity:
    counts = Counter(mention.type for mention in mentions)
    scores: dict[EntityType, float] = defaultdict(float)
    for mention in mentions:
        scores[mention.type] += mention.score
    kind = max(counts, key=lambda one: (counts[one], scores[one], -list(EntityType).index(one)))
    surfaces: Counter[str] = Counter()
    for mention in mentions:
        surface = cleaned(mention.text)
        both = split_bracketed(surface)
        surfaces.update(both or (surface,))
    return Entity(
        id=entity_id,
        name=_fullest(surfaces, kind),
        type=kind,
        aliases=tuple(surfaces),
        mention_ids=tuple(f"m{at + 1}" for at in indices),
    )


def _fullest(surfaces: Counter[str], kind: EntityType) -> str:
    """The alias that says most: more name parts, then more often used, then first used."""

    def rank(surface: str) -> tuple[int, int, int]:
        if kind is EntityType.PER:
            parts = [part for part in person_name(surface).core if len(part) > 1]
            return len(parts), surfaces[surface], 0
        words = surface.removeprefix("the ").removeprefix("The ").split()
        return int(not is_acronym(surface)), len(words), surfaces[surface]

    return max(surfaces, key=rank)
