"""Roles: the nouns that persons are introduced and referred to by, and which fit which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workers.stages.canonicalise.words import (
    ARTICLES,
    CONJUNCTIONS,
    PREPOSITIONS,
    RELATIVES,
    Word,
    word_set,
    words_of,
)

_SPOKES = word_set("spokesman spokeswoman spokesperson")
_OFFICIALS = _SPOKES | word_set(
    "minister deputy secretary governor mayor envoy ambassador diplomat adviser advisor aide chief "
    "head director commissioner coordinator officer consul representative chairman president "
    "commander general inspector prosecutor"
)
# What a noun may refer to besides itself.
_NARROWER: dict[str, frozenset[str]] = {
    "official": _OFFICIALS,
    "diplomat": word_set("ambassador envoy consul attache"),
    "leader": word_set(
        "president premier chancellor chairman chief head king emir commander secretary-general "
        "chairwoman co-leader candidate"
    ),
    "politician": word_set(
        "senator lawmaker mp minister leader president candidate deputy congressman congresswoman "
        "chancellor premier governor mayor representative"
    ),
    "lawmaker": word_set(
        "senator congressman congresswoman representative mp deputy legislator parliamentarian "
        "speaker"
    ),
    "spokesperson": _SPOKES,
    "spokesman": frozenset(("spokesperson",)),
    "spokeswoman": frozenset(("spokesperson",)),
    "envoy": word_set("ambassador representative mediator"),
    "mediator": frozenset(("envoy",)),
    "chief": word_set("head director chairman commander secretary-general"),
    "head": word_set("chief director chairman chairwoman"),
    "commander": word_set("general colonel chief admiral marshal"),
    "monarch": word_set("king queen emir sultan"),
    "expert": word_set("professor analyst researcher fellow economist scientist director"),
    "analyst": word_set("expert researcher fellow economist"),
    "academic": word_set("professor lecturer researcher historian"),
    "journalist": word_set("reporter correspondent editor columnist"),
    "lawyer": frozenset(("attorney", "counsel")),
    "author": frozenset(("writer",)),
    "executive": word_set("ceo chairman director president founder"),
    "candidate": frozenset(("nominee",)),
    "professor": frozenset(("lecturer",)),
}
ROLES = (
    frozenset(_NARROWER)
    | frozenset().union(*_NARROWER.values())
    | word_set(
        "minister president premier chancellor king queen prince princess emir sultan pope bishop "
        "archbishop cardinal rabbi imam ayatollah patriarch priest senator governor mayor speaker "
        "judge justice prosecutor attorney activist coach manager player economist scientist "
        "researcher founder co-founder owner ceo fm pm teacher student doctor soldier officer "
        "sergeant lieutenant captain major colonel general admiral marshal historian witness "
        "negotiator whip counterpart successor predecessor"
    )
)
# Words that make one office out of another: all that a phrase has must be the person's too.
_PORTFOLIO = word_set(
    "foreign deputy prime vice interior defence finance former press justice health economy trade "
    "oil energy education culture information transport environment agriculture labour home "
    "assistant opposition acting"
)
# What a phrase calls an organisation by the last words of its name ("the ministry").
INSTITUTIONS = word_set(
    "ministry council commission agency court party committee institute group network union "
    "organisation organization department bureau association foundation university company bank "
    "army senate parliament congress campaign club police board panel coalition alliance front "
    "federation league office administration authority observatory center centre"
)
# Capitalised or not, these name no country: "the Ministry's spokesman" may be a Ruritanian.
_NO_MODIFIERS = word_set(
    "ministry government parliament embassy mission department office council party committee "
    "commission court army military police state cabinet senate house administration agency bank "
    "union organisation organization affairs top senior chief mr mrs ms dr sir"
)
_SPELLINGS = {"defense": "defence", "labor": "labour", "ex": "former"}
_ABBREVIATED = {
    "fm": ("foreign", "minister"),
    "pm": ("prime", "minister"),
    "premier": ("prime", "minister", "premier"),
    "gen": ("general",),
    "col": ("colonel",),
    "lt": ("lieutenant",),
    "adm": ("admiral",),
    "capt": ("captain",),
    "sen": ("senator",),
    "rep": ("representative",),
    "gov": ("governor",),
    "prof": ("professor",),
    "spokesmen": ("spokesman",),
}
_MASCULINE = word_set(
    "mr sir lord king prince sheikh sultan emir imam pope spokesman chairman congressman "
    "businessman brother father husband son uncle grandfather widower"
)
_FEMININE = word_set(
    "mrs ms miss mme lady dame queen princess spokeswoman chairwoman congresswoman businesswoman "
    "sister mother wife daughter aunt grandmother widow"
)
# A title is short; words further away belong to something else.
MAX_TITLE_WORDS = 10
MIN_SHARED_STEM = 4


@dataclass(frozen=True, slots=True)
class Role:
    """What a phrase says of a person: `nouns` (minister), `portfolio` (foreign, deputy) and
    `modifiers`, its capitalised words (Russian, Kremlin)."""

    nouns: frozenset[str]
    portfolio: frozenset[str]
    modifiers: frozenset[str]
    words: frozenset[str]


def role_of(words: Sequence[Word]) -> Role:
    """The role that a phrase's words name; its `nouns` are empty if it names none."""
    lowered: set[str] = set()
    modifiers: set[str] = set()
    for word in words:
        forms = _ABBREVIATED.get(word.lower, (_SPELLINGS.get(word.lower, word.lower),))
        lowered.update(forms)
        plain = not any(form in ROLES | _PORTFOLIO | _NO_MODIFIERS | ARTICLES for form in forms)
        if plain and word.text[0].isupper():
            modifiers.add(word.lower)
    return Role(
        nouns=frozenset(lowered & ROLES),
        portfolio=frozenset(lowered & _PORTFOLIO),
        modifiers=frozenset(modifiers),
        words=frozenset(lowered),
    )


def is_role_noun(word: str) -> bool:
    """Whether a lower-case word names a role ("minister", "gen")."""
    return word in ROLES or word in _ABBREVIATED


def is_title(word: str) -> bool:
    """Whether a lower-case word can stand in a title before a name."""
    return (
        is_role_noun(word) or word in _PORTFOLIO or word in _SPELLINGS or word in _GENDERED_TITLES
    )


_GENDERED_TITLES = word_set("mr mrs ms miss sir lady lord dr sheikh")


def fits(noun: str, wanted: Role, person: Role) -> bool:
    """Whether a phrase with head `noun` and role `wanted` can mean a person of role `person`."""
    nouns = person.nouns
    match = noun in nouns or bool(_NARROWER.get(noun, frozenset()) & nouns)
    if noun == "diplomat":
        match = match or ("minister" in nouns and "foreign" in person.portfolio)
        at_ministry = {"ministry", "foreign", "embassy", "mission"} & person.words
        match = match or bool(nouns & _SPOKES and at_ministry)
    if noun == "leader":
        match = match or ("minister" in nouns and "prime" in person.portfolio)
    if not match or not wanted.portfolio <= person.portfolio:
        return False
    if not person.modifiers:
        return True
    return all(
        any(_same_stem(modifier, own) for own in person.modifiers) for modifier in wanted.modifiers
    )


def _same_stem(one: str, other: str) -> bool:
    """A country and its demonym mostly share their first letters (Syria, Syrian)."""
    return one == other or (
        min(len(one), len(other)) >= MIN_SHARED_STEM
        and one[:MIN_SHARED_STEM] == other[:MIN_SHARED_STEM]
    )


def gender_before(text: str, start: int) -> str | None:
    """The gender of the word next to a name: "Mrs.", "his wife", "King"; `None` if it has none."""
    words = words_of(text, max(0, start - 24), start)
    if words and words[-1].text == ",":
        words.pop()
    return gender_of(words[-1:])


def title_gender(name: str) -> str | None:
    """The gender of a title inside a name ("Mrs. Lee"), if it begins with one."""
    return gender_of(words_of(name, 0, min(len(name), 24))[:1])


def gender_of(words: Sequence[Word]) -> str | None:
    """ "m" or "f" where a title or a role noun tells, else `None`."""
    lowered = {word.lower for word in words}
    if lowered & _MASCULINE:
        return "m"
    return "f" if lowered & _FEMININE else None


def title_before(text: str, start: int, sentence_start: int) -> list[Word]:
    """The words of the title in front of a name: "Syrian Deputy Foreign Minister", "Mr."

    Empty unless the word next to the name is a title. "Minister of Foreign Affairs" is one; a
    comma may part an office and its complement from the name ("the envoy to the region, Ms X").
    """
    words = words_of(text, max(sentence_start, start - 160), start)
    if words and words[-1].text == ",":
        return _office_before_comma(words[:-1])
    words = words[-MAX_TITLE_WORDS:]
    if not words:
        return []
    if not is_title(words[-1].lower):
        return _office_with_of(words)
    return _back_to_boundary(words)


def _back_to_boundary(words: Sequence[Word]) -> list[Word]:
    taken: list[Word] = []
    for word in reversed(words):
        if word.is_punctuation or word.lower in PREPOSITIONS | RELATIVES | CONJUNCTIONS | ARTICLES:
            break
        taken.append(word)
    return taken[::-1]


def _office_with_of(words: Sequence[Word]) -> list[Word]:
    """ "… Minister of Foreign Affairs" directly before a name."""
    at = len(words) - 1
    while at > 0 and words[at].text[0].isupper():
        at -= 1
    if 0 < at < len(words) - 1 and words[at].lower == "of" and is_role_noun(words[at - 1].lower):
        return [*_back_to_boundary(words[:at]), *words[at + 1 :]]
    return []


def _office_before_comma(words: Sequence[Word]) -> list[Word]:
    taken: list[Word] = []
    for word in reversed(words):
        if word.is_punctuation or word.lower in RELATIVES | CONJUNCTIONS:
            return []
        if is_role_noun(word.lower) and (not taken or taken[-1].lower in PREPOSITIONS):
            head = words[: words.index(word) + 1]
            return _back_to_boundary(head)
        taken.append(word)
    return []


def apposition_after(text: str, end: int, sentence_end: int) -> list[Word]:
    """The words of the role behind a name: "X, the Russian foreign minister, …"."""
    words = words_of(text, end, min(sentence_end, end + 120))
    if not words or words[0].text != ",":
        return []
    taken: list[Word] = []
    for word in words[1 : MAX_TITLE_WORDS + 1]:
        if word.is_punctuation or word.lower in RELATIVES | PREPOSITIONS:
            break
        taken.append(word)
        if is_role_noun(word.lower):
            following = words[len(taken) + 1 : len(taken) + 2]
            if following and is_role_noun(following[0].lower):
                continue
            return (
                taken
                if taken[0].lower in ARTICLES or taken[0].text[0].isupper() or (len(taken) <= 3)
                else []
            )
    return []
