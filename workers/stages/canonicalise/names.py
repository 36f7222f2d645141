"""Names as they are compared: without case, accents, titles, articles and possessives."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from anyascii import anyascii
from rapidfuzz import fuzz

from workers.stages.canonicalise.words import word_set

# Longer "names" are tagger accidents; comparing their ends is never useful.
MAX_NAME_CHARACTERS = 200

# Same consonants and one vowel more or less: "Hoffman"/"Hofman", "Moualem"/"Mualem". Two names of
# one length that differ in a vowel ("Miller"/"Muller") score below this and stay apart.
SPELLING_RATIO = 90.0
# With a sign of transliteration vowels are free: "al-Hariri"/"Harriry".
TRANSLITERATION_RATIO = 70.0

POSSESSIVE = re.compile(r"(?:['’`]s|(?<=s)['’`])$", re.IGNORECASE)
_EDGE = ' \t\n\r\u00a0"“”«»()[]{},;:!?'
_HONORIFICS = word_set(
    "mr mrs ms miss mme mlle dr prof professor sir dame lord lady sheikh sheik shaykh imam "
    "ayatollah mullah rabbi reverend rev father fr sister pope saint st king queen prince "
    "princess emir sultan gen general lt lieutenant col colonel maj major capt captain sgt "
    "sergeant adm admiral brig brigadier marshal cmdr commander president vice premier "
    "chancellor minister prime foreign defence defense interior finance secretary ambassador "
    "senator sen congressman congresswoman representative rep governor gov mayor judge justice "
    "chief deputy ex former late hon spokesman spokeswoman spokesperson chairman chairwoman"
)
_SUFFIXES = word_set("jr sr ii iii iv phd md mp mep")
_ARTICLES = word_set("al el ad an ar as ash at ath az ul ur")
_PARTICLES = word_set("de da di del della der den van von la le bin ibn ben bint abu abd du dos")
_VOWELS = re.compile(r"[aeiouyw]")
_DOUBLED = re.compile(r"(.)\1+")
_CONSONANTS = (
    ("ph", "f"), ("kh", "k"), ("gh", "g"), ("dh", "d"), ("th", "t"), ("ck", "k"), ("ts", "s"),
    ("q", "k"), ("c", "k"), ("v", "f"), ("z", "s"), ("j", "g"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PersonName:
    """The parts of a person's name that count: `core` has no titles, articles or particles."""

    core: tuple[str, ...]
    has_article: bool

    @property
    def surname(self) -> str:
        """The last part, which single-part names are taken to be."""
        return self.core[-1] if self.core else ""

    @property
    def first_name(self) -> str | None:
        """The first part, if there are at least two."""
        return self.core[0] if len(self.core) > 1 else None


def cleaned(surface: str) -> str:
    """A mention's text as an alias: one line, no possessive, no quotes or brackets around it."""
    text = " ".join(surface.split())
    if text.count("(") == text.count(")") and text.endswith(")") and not text.startswith("("):
        return text
    return POSSESSIVE.sub("", text.strip(_EDGE)).strip(_EDGE) or text


@lru_cache(maxsize=8192)
def folded(surface: str) -> str:
    """`surface` in lower-case ASCII without possessive, leading "the" and dots of initials."""
    text = anyascii(cleaned(surface)[:MAX_NAME_CHARACTERS]).casefold()
    text = re.sub(r"\b((?:[a-z]\.){2,})", lambda found: found.group().replace(".", ""), text)
    text = re.sub(r"^the\s+", "", text)
    return " ".join(re.sub(r"[^\w\s'&/+.-]", " ", text).split()) or surface.casefold()


@lru_cache(maxsize=8192)
def person_name(surface: str) -> PersonName:
    """The parts of a person's name; titles are dropped as long as a name is left."""
    words = [word.strip(".'") for word in re.split(r"[\s/-]+", folded(surface))]
    words = [word for word in words if word]
    while len(words) > 1 and words[0] in _HONORIFICS:
        words = words[1:]
    while len(words) > 1 and words[-1] in _SUFFIXES:
        words = words[:-1]
    has_article = any(word in _ARTICLES for word in words)
    core = [word for word in words if word not in _ARTICLES and word not in _PARTICLES]
    return PersonName(tuple(core or words), has_article)


@lru_cache(maxsize=16384)
def skeleton(word: str) -> str:
    """The consonants of a name part, spelling variants of one sound made alike."""
    for spelled, sound in _CONSONANTS:
        word = word.replace(spelled, sound)
    rest = _VOWELS.sub("", word[1:]).replace("h", "")
    head = "" if _VOWELS.match(word[:1]) else word[:1]
    return _DOUBLED.sub(r"\1", head + rest)


@lru_cache(maxsize=16384)
def same_part(left: str, right: str, *, transliterated: bool = False) -> bool:
    """Whether two name parts are spellings of one name.

    `transliterated`: something else says that the names come from another script (an Arabic
    article, a matching first name), so that the vowels may differ freely.
    """
    if left == right:
        return True
    ratio = TRANSLITERATION_RATIO if transliterated else SPELLING_RATIO
    pairs = ((left, right), (_without_article(left), right), (left, _without_article(right)))
    return any(_spell_alike(one, other, ratio) for one, other in pairs)


def _spell_alike(one: str, other: str, ratio: float) -> bool:
    if one == other:
        return True
    if min(len(one), len(other)) < 4 or not skeleton(one) == skeleton(other) != "":
        return False
    return fuzz.ratio(one, other) >= ratio


def keys(word: str) -> set[str]:
    """Index keys: two parts that `same_part` accepts share at least one."""
    return {skeleton(word), skeleton(_without_article(word))}


def _without_article(word: str) -> str:
    """The name behind an article written together with it: "alkhatib" gives "khatib"."""
    return word[2:] if len(word) >= 6 and word[:2] in ("al", "el") else word


def compatible_first_names(left: str, right: str) -> bool:
    """Whether two first names can be one person's: alike, or one is the other's initial."""
    if len(left) == 1 or len(right) == 1:
        return left[0] == right[0]
    return same_part(left, right, transliterated=True)


def same_person(left: PersonName, right: PersonName) -> bool:
    """Whether two names, both with first names, are variants of one person's name."""
    if left.first_name is None or right.first_name is None:
        return False
    if not compatible_first_names(left.first_name, right.first_name):
        return False
    return same_part(left.surname, right.surname, transliterated=True)


def short_for(short: PersonName, full: PersonName) -> bool:
    """Whether a single-part name is `full`'s surname, in this or a near spelling."""
    if len(short.core) != 1 or full.first_name is None:
        return False
    transliterated = short.has_article or full.has_article
    return same_part(short.surname, full.surname, transliterated=transliterated)
