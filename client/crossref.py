"""Which entities of different articles are the same one, judged by their names alone.

Conservative on purpose: a pair that is missed costs the reader a line, a wrong one misleads.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

Key = tuple[int, str]
"""An entity of one article: the article's position and the entity's id there."""

_NOT_WORD = re.compile(r"[^\w]+")
_POSSESSIVE = re.compile(r"['’]s?\b")


def name_words(name: str) -> tuple[str, ...]:
    """The words of a name in the form in which names are compared.

    Accents, case, punctuation, the article ("the", Arabic "al-") and the y/i of transliteration
    ("Sergey", "Sergei") make no difference.
    """
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(char for char in plain if not unicodedata.combining(char)).casefold()
    plain = _POSSESSIVE.sub("", plain).replace(".", "")
    words = [word.replace("y", "i") for word in _NOT_WORD.split(plain) if word]
    kept = [word for word in words if word not in {"the", "al", "el"}]
    return tuple(kept or words)


def match_entities(entities: Sequence[Sequence[Mapping[str, Any]]]) -> dict[Key, int]:
    """A group number for every entity of every article; equal numbers mean the same one.

    Two entities of one article never share a group: within the article the service has decided.
    """
    keyed = [((at, entity["id"]), entity) for at, found in enumerate(entities) for entity in found]
    groups = {key: number for number, (key, _) in enumerate(keyed)}
    for alike in (_same_full_name, _same_alias, _same_surname):
        for one, other in _links(keyed, entities, alike):
            _merge(groups, one, other)
    return groups


def _links(
    keyed: Sequence[tuple[Key, Mapping[str, Any]]],
    entities: Sequence[Sequence[Mapping[str, Any]]],
    alike: Any,
) -> Iterator[tuple[Key, Key]]:
    for (key, entity), (other_key, other) in combinations(keyed, 2):
        if (
            key[0] != other_key[0]
            and entity["type"] == other["type"]
            and alike(entity, other, (entities[key[0]], entities[other_key[0]]))
        ):
            yield key, other_key


def _merge(groups: dict[Key, int], one: Key, other: Key) -> None:
    keep, drop = groups[one], groups[other]
    articles_kept = {key[0] for key, group in groups.items() if group == keep}
    members = [key for key, group in groups.items() if group == drop]
    if keep != drop and not any(key[0] in articles_kept for key in members):
        for key in members:
            groups[key] = keep


_Neighbours = tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]


def _same_full_name(one: Mapping[str, Any], other: Mapping[str, Any], _: _Neighbours) -> bool:
    return name_words(one["name"]) == name_words(other["name"])


def _same_alias(one: Mapping[str, Any], other: Mapping[str, Any], _: _Neighbours) -> bool:
    """A shared alias that says enough: several words, or an acronym."""
    return bool(_telling_aliases(one) & _telling_aliases(other))


def _telling_aliases(entity: Mapping[str, Any]) -> set[tuple[str, ...]]:
    return {
        name_words(alias)
        for alias in (entity["name"], *entity["aliases"])
        if len(name_words(alias)) > 1 or (entity["type"] != "PER" and _is_acronym(alias))
    }


def _is_acronym(alias: str) -> bool:
    letters = alias.replace(".", "")
    return len(letters) > 1 and letters.isalpha() and letters.isupper()


def _same_surname(
    one: Mapping[str, Any], other: Mapping[str, Any], neighbours: _Neighbours
) -> bool:
    """One surname, given names that agree, and nobody else of that name in either article."""
    if one["type"] != "PER":
        return False
    *given, surname = name_words(one["name"])
    *other_given, other_surname = name_words(other["name"])
    if surname != other_surname or len(surname) < 3:
        return False
    if given and other_given and not _names_agree(given[0], other_given[0]):
        return False
    return all(
        sum(
            found["type"] == "PER" and name_words(found["name"])[-1:] == (surname,)
            for found in article
        )
        == 1
        for article in neighbours
    )


def _names_agree(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return short == long or (len(short) == 1 and long.startswith(short))
