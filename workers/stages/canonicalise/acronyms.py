"""Acronyms: given in brackets behind the long name, or formed by its initials."""

from __future__ import annotations

import re

from workers.stages.canonicalise.words import word_set

_SKIPPED = word_set("of the and for in on to a an de la du et und")
_ACRONYM = re.compile(r"[A-Z][A-Za-z&]{0,2}[A-Z]|(?:[A-Z]\.){2,6}|[A-Z][A-Z0-9&/-]{1,8}")
_BRACKETED = re.compile(r"^(\S.*\S)\s*[(\[]\s*([^()\[\]\s]{2,10})\s*[)\]]$", re.DOTALL)

# Countries that news writes under two names which share no initials.
OTHER_NAMES = {
    "america": "united states",
    "usa": "united states",
    "united states of america": "united states",
    "britain": "united kingdom",
    "great britain": "united kingdom",
}


def is_acronym(surface: str) -> bool:
    """Whether a mention is written like an acronym: "UN", "U.S.", "OSCE"."""
    return _ACRONYM.fullmatch(surface) is not None


def letters(acronym: str) -> str:
    """The acronym's letters, lower case."""
    return "".join(char for char in acronym.casefold() if char.isalnum())


def initials(name: str) -> tuple[str, ...]:
    """Initials of a long name: without function words, with "of" and its like, empty if short."""
    words = [word for word in re.split(r"[\s/-]+", name.casefold()) if word and word[0].isalnum()]
    content = [word for word in words if word not in _SKIPPED]
    if len(content) < 2:
        return ()
    short = "".join(word[0] for word in content)
    whole = "".join(word[0] for word in words if word != "the")
    return (short,) if short == whole else (short, whole)


def abbreviates(acronym: str, name: str) -> bool:
    """Whether a bracketed acronym stands for the name before it: its letters occur in order,
    the first one first ("Syrian Arab News Agency (SANA)")."""
    wanted = letters(acronym)
    long_letters = letters(name)
    if len(wanted) < 2 or len(long_letters) <= len(wanted) or wanted[0] != long_letters[0]:
        return False
    rest = iter(long_letters)
    return all(char in rest for char in wanted)


def split_bracketed(surface: str) -> tuple[str, str] | None:
    """The long name and the acronym of a mention such as "Arab League (AL)"."""
    found = _BRACKETED.match(surface[:300])
    if found and is_acronym(found[2]) and abbreviates(found[2], found[1]):
        return found[1], found[2]
    return None
