"""Which mentions of persons mean the same person."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from workers.stages.canonicalise.names import (
    PersonName,
    keys,
    person_name,
    same_part,
    same_person,
    short_for,
)

# More namesakes than this in one article is not news; it bounds the comparisons of a name.
MAX_CANDIDATES = 50


@dataclass(slots=True, eq=False)
class Person:
    """One person: the full names seen and where (indices of mentions in reading order)."""

    names: list[PersonName]
    mentions: list[int] = field(default_factory=list)
    gender: str | None = None

    def takes(self, name: PersonName) -> bool:
        """Whether `name` is a variant of every full name so far: two first names never mix."""
        return all(same_person(name, own) for own in self.names)


def cluster_people(
    surfaces: Sequence[tuple[int, str]], genders: Mapping[int, str]
) -> list[list[int]]:
    """Group person mentions; `surfaces` holds (index, text) in reading order, `genders` "m" or
    "f" for the mentions whose title tells.

    Full names first; then each single name goes to the person whose surname it is. When several
    persons share the surname, to the one named last before it (or first after it). "Mr. Lee" is
    not Ann Lee where she is called a wife or Mrs. A single name that is nobody's surname may be
    somebody's first name.
    """
    by_name: dict[PersonName, list[int]] = defaultdict(list)
    for index, surface in surfaces:
        by_name[person_name(surface)].append(index)
    people, by_surname = _full_names(by_name)
    by_first: dict[str, list[Person]] = defaultdict(list)
    for person in people:
        told = [genders[mention] for mention in person.mentions if mention in genders]
        person.gender = max(told, key=told.count, default=None)
        for first in {name.first_name for name in person.names if name.first_name}:
            by_first[first].append(person)

    shorts: list[Person] = []
    short_index: dict[str, list[Person]] = defaultdict(list)
    extra: dict[int, list[int]] = defaultdict(list)
    for name, mentions in by_name.items():
        if name.first_name is not None:
            continue
        namesakes = _namesakes(name, by_surname) or by_first.get(name.surname, [])[:MAX_CANDIDATES]
        left = [at for at in mentions if not _fitting(namesakes, genders.get(at))]
        if left:
            person = _add_short(name, left, shorts, short_index)
            person.gender = person.gender or genders.get(left[0])
            namesakes = [*namesakes, person]
        kept = set(mentions).difference(left)
        for mention in sorted(kept):
            fitting = _fitting(namesakes, genders.get(mention))
            extra[id(_nearest(fitting, mention))].append(mention)
    return [sorted(person.mentions + extra[id(person)]) for person in [*people, *shorts]]


def _fitting(people: Sequence[Person], gender: str | None) -> list[Person]:
    return [one for one in people if gender is None or one.gender in (None, gender)]


def _full_names(
    by_name: dict[PersonName, list[int]],
) -> tuple[list[Person], dict[str, list[Person]]]:
    people: list[Person] = []
    by_surname: dict[str, list[Person]] = defaultdict(list)
    # Initials last: "B. Khan" joins "Basim Khan" wherever it stands.
    full = [name for name in by_name if name.first_name is not None]
    for name in sorted(full, key=lambda name: len(name.first_name or "") == 1):
        candidates = _candidates(name, by_surname)
        person = next((known for known in candidates if known.takes(name)), None)
        if person is None:
            person = Person([])
            people.append(person)
        if name not in person.names and len(person.names) < MAX_CANDIDATES:
            person.names.append(name)
        person.mentions.extend(by_name[name])
        for key in keys(name.surname):
            if len(by_surname[key]) < MAX_CANDIDATES and person not in by_surname[key]:
                by_surname[key].append(person)
    for person in people:
        person.mentions.sort()
    return people, by_surname


def _candidates(name: PersonName, index: dict[str, list[Person]]) -> list[Person]:
    found: dict[Person, None] = {}
    for key in keys(name.surname):
        found.update(dict.fromkeys(index.get(key, [])[:MAX_CANDIDATES]))
    return list(found)


def _namesakes(short: PersonName, by_surname: dict[str, list[Person]]) -> list[Person]:
    """Who a surname can mean: those who spell it so, else those with a near spelling."""
    candidates = _candidates(short, by_surname)
    exact = [
        person
        for person in candidates
        if any(name.surname == short.surname for name in person.names)
    ]
    return exact or [
        person for person in candidates if any(short_for(short, name) for name in person.names)
    ]


def _nearest(people: Sequence[Person], mention: int) -> Person:
    def distance(person: Person) -> tuple[bool, int]:
        at = bisect_left(person.mentions, mention)
        if at:
            return False, mention - person.mentions[at - 1]
        return True, person.mentions[0] - mention

    return min(people, key=distance)


def _add_short(
    name: PersonName,
    mentions: list[int],
    shorts: list[Person],
    index: dict[str, list[Person]],
) -> Person:
    for person in _candidates(name, index):
        known = person.names[0]
        transliterated = name.has_article or known.has_article
        if same_part(name.surname, known.surname, transliterated=transliterated):
            person.mentions = sorted(person.mentions + mentions)
            return person
    person = Person([name], list(mentions))
    shorts.append(person)
    for key in keys(name.surname):
        index[key].append(person)
    return person
