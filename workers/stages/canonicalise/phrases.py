"""What kind of phrase a source is: a name, a role, a pronoun; and which word is its head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.analysis import EntityType, Mention, TextSpan
from workers.stages.canonicalise.roles import Role, is_role_noun, is_title, role_of
from workers.stages.canonicalise.words import (
    ARTICLES,
    CONJUNCTIONS,
    INDEFINITE,
    PREPOSITIONS,
    RELATIVES,
    Word,
    word_set,
    words_of,
)

# Also as possessives: "his claim that …" has the source "his".
_PRONOUNS = {
    "he": "he", "him": "he", "his": "he", "she": "she", "her": "she", "they": "they",
    "them": "they", "their": "they", "it": "it", "its": "it", "i": "i", "me": "i", "my": "i",
    "we": "we", "us": "we", "our": "we", "who": "who", "which": "who", "that": "who",
}  # fmt: skip
# Behind a name these only say what kind of thing it names ("the Acme news agency").
_CLASS_NOUNS = word_set(
    "group organization organisation agency newspaper daily channel website network television tv "
    "radio news party movement company magazine ministry militia militants fighters report "
    "statement survey poll study terrorist militant rebel"
)
_BEHIND_NAMES = word_set("himself herself also too then later now today yesterday jr sr alone")
# A source longer than this is no noun phrase; only its beginning is looked at.
MAX_PHRASE_CHARACTERS = 400


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """A source without a name at its head. `of_person`: a person named as its possessor or
    complement ("Lee's lawyer", "an aide to Lee"). `is_owned`: by a pronoun ("his lawyer")."""

    head: str
    role: Role
    is_indefinite: bool
    is_owned: bool
    of_person: Mention | None


def phrase_words(text: str, span: TextSpan) -> list[Word]:
    """The words of a source up to the first relative clause."""
    words = words_of(text, span.start, min(span.end, span.start + MAX_PHRASE_CHARACTERS))
    for at, word in enumerate(words):
        if at and word.lower in RELATIVES:
            return words[:at]
    return words


def pronoun_of(words: Sequence[Word]) -> str | None:
    """The pronoun that a source consists of, as a subject ("he", "she herself", "his"); "who" for
    relative ones."""
    plain = [word.lower for word in words if not word.is_punctuation]
    is_alone = len(plain) == 1 or (len(plain) == 2 and plain[1].endswith(("self", "selves")))
    return _PRONOUNS.get(plain[0]) if is_alone else None


def named_head(words: Sequence[Word], mentions: Sequence[Mention]) -> Mention | None:
    """The mention that a source's head is: a person before all, else the name that ends it."""
    if not words:
        return None
    inside = [
        mention
        for mention in mentions
        if mention.start < words[-1].end and mention.end > words[0].start
    ]
    for mention in inside:
        if mention.type is EntityType.PER and _is_person_head(words, mention):
            return mention
    for mention in inside:
        if mention.type is not EntityType.PER and _is_thing_head(words, mention):
            return mention
    return None


def _parts(words: Sequence[Word], mention: Mention) -> tuple[list[Word], list[Word]]:
    before = [word for word in words if word.end <= mention.start]
    after = [word for word in words if word.start >= mention.end]
    return before, after


def _is_owner(mention: Mention, after: Sequence[Word]) -> bool:
    """Whether something else of the phrase belongs to the name: "Lee's lawyer"."""
    if mention.text.endswith(("'s", "’s", "s'", "s’")):
        return any(not word.is_punctuation for word in after[:1])
    if not after or not after[0].is_possessive:
        return False
    return len(after) > 1 and not after[1].is_punctuation


def _modifies(after: Sequence[Word]) -> bool:
    """Whether a noun follows the name at once: "the Lee campaign" is not Lee."""
    if not after or not after[0].text[0].islower():
        return False
    word = after[0].lower
    return word not in PREPOSITIONS | CONJUNCTIONS | _BEHIND_NAMES and not word.endswith("ly")


def _is_person_head(words: Sequence[Word], mention: Mention) -> bool:
    before, after = _parts(words, mention)
    if _is_owner(mention, after) or _modifies(after):
        return False
    at = len(before) - 1
    absorbed: list[Word] = []
    while at >= 0:
        word = before[at]
        if word.is_punctuation or word.lower in CONJUNCTIONS:
            return True
        if word.lower in PREPOSITIONS:
            # "Secretary of State Lee" is Lee, "an aide to President Lee" is not.
            has_complement = any(not is_title(one.lower) for one in absorbed)
            if not (word.lower in ("of", "for") and at and has_complement):
                return False
            if not is_role_noun(before[at - 1].lower):
                return False
            absorbed = []
            at -= 1
        else:
            if word.lower not in ARTICLES:
                absorbed.append(word)
            elif absorbed and at and before[at - 1].lower in PREPOSITIONS:
                # "the lawyer of the accused Lee": an article opens a phrase of its own.
                return False
        at -= 1
    return True


def _is_thing_head(words: Sequence[Word], mention: Mention) -> bool:
    before, after = _parts(words, mention)
    if _is_owner(mention, after):
        return False
    if any(word.lower in PREPOSITIONS or word.text == "," for word in before):
        return False
    for word in after:
        if word.is_punctuation or word.lower in PREPOSITIONS | CONJUNCTIONS:
            return True
        if word.is_possessive:
            continue
        if word.lower not in _CLASS_NOUNS or mention.type not in (EntityType.ORG, EntityType.MISC):
            return False
        if mention.type is EntityType.MISC and word.lower != "group":
            return False
    return True


def noun_phrase(words: Sequence[Word], mentions: Sequence[Mention]) -> NounPhrase | None:
    """The role phrase of a source without a name at its head, or `None`."""
    if not words:
        return None
    end = next(
        (
            at
            for at, word in enumerate(words)
            if (word.is_punctuation and word.text not in '"“”')
            or (at and word.lower in PREPOSITIONS)
        ),
        len(words),
    )
    core = [word for word in words[:end] if word.text[0].isalnum()]
    if not core:
        return None
    head = core[-1]
    complement = _complement(words[end:])
    owner = next((word for word in words[:end] if word.is_possessive), None)
    described = [*core, *complement]
    people = [
        mention
        for mention in mentions
        if mention.type is EntityType.PER
        and words[0].start <= mention.start
        and mention.end <= words[-1].end
    ]
    of_person = next(
        (one for one in people if one.start >= head.end or (owner and one.start < owner.start)),
        None,
    )
    if of_person is None:
        of_person = next((one for one in people if one.end <= head.start), None)
    bare_lower = core[0].text[0].islower() and core[0].lower not in ARTICLES
    is_indefinite = core[0].lower in INDEFINITE or (bare_lower and owner is None)
    # The first word of a sentence is capitalised whatever it is.
    role = role_of([word for word in described if word is not core[0] or not _is_filler(word)])
    is_owned = core[0].lower in ("his", "her", "their", "my", "our") and len(core) > 1
    return NounPhrase(head.lower, role, is_indefinite, is_owned, of_person)


def _is_filler(word: Word) -> bool:
    return word.lower in ARTICLES or word.lower in INDEFINITE


def _complement(words: Sequence[Word]) -> list[Word]:
    """Capitalised words of "of Russia", "for the Kremlin" behind the head."""
    taken: list[Word] = []
    if not words or words[0].lower not in ("of", "for"):
        return taken
    for word in words[1:6]:
        if word.is_punctuation or word.lower in PREPOSITIONS | CONJUNCTIONS:
            break
        if word.text[0].isupper():
            taken.append(word)
    return taken
