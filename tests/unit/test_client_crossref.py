"""Names across articles: what is the same one, and above all what is not."""

from __future__ import annotations

from typing import Any

import pytest
from client_fake import entity

from client.crossref import match_entities, name_words


def same(one: dict[str, Any], other: dict[str, Any], *beside: dict[str, Any]) -> bool:
    groups = match_entities([[one], [other, *beside]])
    return groups[0, one["id"]] == groups[1, other["id"]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("José Álvarez", "Jose Alvarez"),
        ("the Ministry of Trade", "Ministry of Trade"),
        ("Anna Petrov’s", "Anna Petrov"),
        ("Omar al-Haddad", "Omar Haddad"),
        ("U.N.", "UN"),
        ("Yuriy Volkov", "Yurii Volkov"),
    ],
)
def test_spelling_that_makes_no_difference(one: str, other: str) -> None:
    assert name_words(one) == name_words(other)


def test_equal_names_are_the_same_and_other_types_are_not() -> None:
    assert same(entity(1, "Geneva", "LOC"), entity(1, "Geneva", "LOC"))
    assert not same(entity(1, "Geneva", "LOC"), entity(1, "Geneva", "ORG"))


def test_an_acronym_or_a_long_alias_ties_organisations_together() -> None:
    one = entity(1, "World Health Organization", "ORG", "WHO")
    assert same(one, entity(1, "WHO", "ORG"))
    assert not same(entity(1, "Health Ministry", "ORG", "Ministry"), entity(1, "Ministry", "ORG"))


def test_a_surname_ties_people_whose_given_names_agree() -> None:
    assert same(entity(1, "Anna Petrov"), entity(1, "Petrov"))
    assert same(entity(1, "Anna Petrov"), entity(1, "A. Petrov"))
    assert not same(entity(1, "Anna Petrov"), entity(1, "Boris Petrov"))


def test_a_surname_that_two_people_bear_ties_nobody() -> None:
    assert not same(entity(1, "Petrov"), entity(1, "Anna Petrov"), entity(2, "Boris Petrov"))


def test_two_entities_of_one_article_never_become_one() -> None:
    middle = entity(1, "Union", "ORG", "African Union", "European Union")
    first = [entity(1, "African Union", "ORG"), entity(2, "European Union", "ORG")]

    groups = match_entities([first, [middle]])

    assert groups[0, "e1"] != groups[0, "e2"]
