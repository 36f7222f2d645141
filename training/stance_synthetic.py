"""Invented news sentences whose stances are known, for what the data sets hardly contain.

Negation, denial, speech reported inside speech, passive voice, coordination, hypotheses,
idioms, topics and claims, each asked in several directions: the swapped question and the
question about a bystander are neutral unless the sentence says otherwise. After the
"counterfactually augmented" rows of Kaushik et al. 2020. Names are drawn from many cultures.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from training import stance_phrases as phrases
from training.stance_data import LABELS, Example
from workers.models.stance_inputs import StanceQuestion

FAVOR, AGAINST, NEUTRAL = range(len(LABELS))

_BODY = re.compile(rf"\b((?:{'|'.join(phrases.ADJECTIVES)}) (?:{'|'.join(phrases.BODIES)}))\b")

Row = tuple[str, str | None, str, int]


@dataclass(frozen=True)
class _Verb:
    base: str
    past: str
    participle: str
    gerund: str
    label: int

    @property
    def present(self) -> str:
        """Third person."""
        first, *rest = self.base.split()
        if first.endswith(("s", "sh", "ch", "x")):
            first += "es"
        elif first.endswith("y") and first[-2] not in "aeiou":
            first = first[:-1] + "ies"
        else:
            first += "s"
        return " ".join([first, *rest])


def _verbs(label: int, regular: list[str], *tables: str) -> list[_Verb]:
    found = phrases.regular(" ".join(regular))
    for table in tables:
        found += phrases.forms(table)
    return [_Verb(*forms, label) for forms in found]


_PRAISES = _verbs(FAVOR, phrases.PRAISE_REGULAR, phrases.PRAISE)
_BACKS = _verbs(FAVOR, phrases.BACK_REGULAR, phrases.BACK, phrases.BACK_MORE)
_BLAMES = _verbs(AGAINST, phrases.BLAME_REGULAR, phrases.BLAME, phrases.BLAME_MORE)
_CONTACTS = _verbs(NEUTRAL, phrases.CONTACT_REGULAR, phrases.CONTACT, phrases.CONTACT_MORE)
# As many questions about each side, however long its list of verbs is.
_SIDES = (_PRAISES + _BACKS, _BLAMES)


def synthetic(count: int, rng: random.Random) -> Iterator[Example]:
    """`count` questions at least, in the order in which their sentences were drawn."""
    made = 0
    while made < count:
        for text, holder, target, label in rng.choice(_KINDS)(rng):
            made += 1
            topic = target in _TOPICS or target not in text
            question = StanceQuestion(text, target, holder=holder, topic=topic)
            yield Example(question, label, "synthetic")


def _name(rng: random.Random) -> str:
    draw = rng.random()
    if draw < 0.45:
        return f"{rng.choice(phrases.FIRST)} {rng.choice(phrases.LAST)}"
    if draw < 0.55:
        return rng.choice(phrases.LAST)
    if draw < 0.8:
        return rng.choice(phrases.COUNTRIES)
    return f"{rng.choice(phrases.ADJECTIVES)} {rng.choice(phrases.BODIES)}"


def _names(rng: random.Random, count: int) -> list[str]:
    """Names that share no word, so that a mention is found where it is meant."""
    found: list[str] = []
    while len(found) < count:
        name = _name(rng)
        taken = {word for other in found for word in other.split()}
        if not taken & set(name.split()):
            found.append(name)
    return found


def _told(rng: random.Random, sentence: str, aside: str) -> str:
    """One sentence with, at times, another before or after it."""
    if sentence.rstrip('"\u201d')[-1] not in ".!?":
        sentence = f"{sentence} {rng.choice(phrases.entries(phrases.TAILS))}".rstrip() + "."
    parts = [sentence]
    draw = rng.random()
    if draw < 0.5:
        parts.insert(
            int(draw < 0.25), rng.choice(phrases.entries(phrases.ASIDES)).replace("{C}", aside)
        )
    return " ".join(_capitalised(_BODY.sub(r"the \1", part)) for part in parts)


def _capitalised(sentence: str) -> str:
    start = 1 if sentence[0] in '"\u201c' else 0
    return sentence[:start] + sentence[start].upper() + sentence[start + 1 :]


def _directions(text: str, a: str, b: str, c: str, label: int, rng: random.Random) -> list[Row]:
    """A towards B as labelled; the swapped question and one about a bystander are neutral."""
    rows: list[Row] = [(text, a, b, label)]
    if rng.random() < 0.6:
        rows.append((text, b, a, NEUTRAL))
    if c in text and rng.random() < 0.5:
        rows.append((text, *rng.choice([(a, c), (c, b), (c, a), (b, c)]), NEUTRAL))
    return rows


def _taken(rng: random.Random) -> _Verb:
    """A verb that takes a side."""
    return rng.choice(rng.choice(_SIDES))


def _plain(rng: random.Random) -> list[Row]:
    a, b, c = _names(rng, 3)
    verb = rng.choice(rng.choice([*_SIDES, _CONTACTS]))
    lead, manner = "", ""
    if rng.random() < 0.25:
        lead = rng.choice(phrases.entries(phrases.LEADS)) + " "
    if rng.random() < 0.25:
        manner = rng.choice(phrases.MANNERS) + " "
    frame = rng.choice(
        [
            f"{a} {manner}{verb.past} {b}",
            f"{a} {manner}{verb.past} {b}",
            f"{a} has {manner}{verb.participle} {b}",
            f"{a} {manner}{verb.present} {b}",
            f"{a} is {manner}{verb.gerund} {b}",
            f"{b} was {manner}{verb.participle} by {a}",
        ]
    )
    return _directions(_told(rng, lead + frame, c), a, b, c, verb.label, rng)


def _distant(rng: random.Random) -> list[Row]:
    """Words between who takes a stance and the stance, and somebody else named before it."""
    a, b, c = _names(rng, 3)
    verb = rng.choice(rng.choice([*_SIDES, _CONTACTS]))
    if rng.random() < 0.3:
        frame = rng.choice(phrases.entries(phrases.TURNED))
        who = rng.choice(phrases.entries(phrases.WHO))
        sentence = frame.format(A=a, B=b, who=who, past=verb.past).replace(". the ", ". The ")
    elif rng.random() < 0.6:
        sentence = f"{a}, {rng.choice(phrases.entries(phrases.INSERTS))}, {verb.past} {b}"
    else:
        sentence = f"{a} {verb.past} {b}"
    sentence = _capitalised(_BODY.sub(r"the \1", sentence)) + "."
    around = [rng.choice(phrases.entries(phrases.FILLERS)) for _ in range(2)]
    if rng.random() < 0.6:
        other = rng.choice(phrases.entries(phrases.BYSTANDING)).replace("{C}", c)
        around[0] = _capitalised(_BODY.sub(r"the \1", other))
    text = " ".join([around[0], sentence, *around[1 : rng.randint(1, 2)]])
    rows: list[Row] = [(text, a, b, verb.label), (text, b, a, NEUTRAL)]
    if c in text:
        rows += [(text, c, b, NEUTRAL), (text, a, c, NEUTRAL)]
    return rows


def _idiom(rng: random.Random) -> list[Row]:
    a, b, c = _names(rng, 3)
    table, label = rng.choice(
        [
            (phrases.IDIOMS_FOR, FAVOR),
            (phrases.IDIOMS_AGAINST, AGAINST),
            (phrases.IDIOMS_NEUTRAL, NEUTRAL),
        ]
    )
    sentence = rng.choice(phrases.entries(table))
    sentence = sentence.replace("{A}", a).replace("{B}", b).replace("{C}", c)
    return _directions(_told(rng, sentence, c), a, b, c, label, rng)


def _negated(rng: random.Random) -> list[Row]:
    a, b, c = _names(rng, 3)
    verb, back = rng.choice(rng.choice([_PRAISES, _BLAMES])), rng.choice(_BACKS)
    blame = rng.choice(_BLAMES)
    sentence, label = rng.choice(
        [
            (f"{a} did not {verb.base} {b}", NEUTRAL),
            (f"{a} has never {verb.participle} {b}", NEUTRAL),
            (f"{a} stopped short of {verb.gerund} {b}", NEUTRAL),
            (f"{a} avoided {verb.gerund} {b}", NEUTRAL),
            (f"{a} refused to {blame.base} {b}", NEUTRAL),
            (f"{b} was not {verb.participle} by {a}", NEUTRAL),
            (f"{a} denied {_taken(rng).gerund} {b}", NEUTRAL),
            (f"{a} denied having {_taken(rng).participle} {b}", NEUTRAL),
            (f"{a} refused to {back.base} {b}", AGAINST),
            (f"{a} would never {back.base} {b}", AGAINST),
            (f"{a} no longer {back.present} {b}", AGAINST),
            (f"{a} regretted ever having {back.participle} {b}", AGAINST),
            (f"{a} did not only {verb.base} {b} but did so twice", verb.label),
            (f"{a} did not hesitate to {verb.base} {b}", verb.label),
            (f"{a} never tired of {verb.gerund} {b}", verb.label),
            (f"{a} continued to {back.base} {b}", FAVOR),
            (f"{a} regretted having {blame.participle} {b} and apologised", FAVOR),
        ]
    )
    return _directions(_told(rng, sentence, c), a, b, c, label, rng)


def _denied(rng: random.Random) -> list[Row]:
    a, b, c = _names(rng, 3)
    verb = _taken(rng)
    frame = rng.choice(
        [
            "{A} denied that {B} {past} {C}",
            "{A} dismissed reports that {B} {past} {C}",
            "There is no evidence that {B} {past} {C}, {A} said",
            "{A} said it was untrue that {B} {past} {C}",
            "It is false to say that {B} {past} {C}, according to {A}",
        ]
    )
    sentence = frame.format(A=a, B=b, C=c, past=verb.past)
    text = _told(rng, sentence, a)
    return [(text, b, c, NEUTRAL), (text, *rng.choice([(a, c), (c, b), (a, b)]), NEUTRAL)]


def _reported(rng: random.Random) -> list[Row]:
    a, b, c = _names(rng, 3)
    verb = _taken(rng)
    frame = rng.choice(
        [
            "{A} said that {B} {past} {C}",
            "{B} {past} {C}, according to {A}",
            "\u201c{B} {past} {C},\u201d {A} said",
            '"{B} {past} {C}," said {A}',
            "{A} told reporters that {C} was {part} by {B}",
            "{A} recalled how {B} {past} {C}",
        ]
    )
    sentence = frame.format(A=a, B=b, C=c, past=verb.past, part=verb.participle)
    text = _told(rng, sentence, a)
    return [(text, b, c, verb.label), (text, a, rng.choice([b, c]), NEUTRAL), (text, c, b, NEUTRAL)]


def _quoted(rng: random.Random) -> list[Row]:
    a, b, c = _names(rng, 3)
    table, label = rng.choice([(phrases.GOOD, FAVOR), (phrases.BAD, AGAINST)])
    words = rng.choice(phrases.entries(table))
    frame = rng.choice(
        [
            "\u201c{B} is {words},\u201d said {A}",
            "{A} called {B} \u201c{words}\u201d",
            '"{B} is {words}," {A} told the assembly',
            "{B}, said {A}, is {words}",
        ]
    )
    text = _told(rng, frame.format(A=a, B=b, words=words), c)
    rows = _directions(text, a, b, c, label, rng)
    if rng.random() < 0.5:
        plain = _told(rng, f"{b} is {words}", c)
        rows.append((plain, None, b, label))
    return rows


def _contrast(rng: random.Random) -> list[Row]:
    a, b, c = _names(rng, 3)
    good, bad = (rng.choice(side) for side in _SIDES)
    one, two = (good, bad) if rng.random() < 0.5 else (bad, good)
    draw = rng.random()
    if draw < 0.4:
        joint = rng.choice([" but ", " and ", ", but ", "; then it ", " before it "])
        text = _told(rng, f"{a} {one.past} {b}{joint}{two.past} {c}", a)
        return [(text, a, b, one.label), (text, a, c, two.label), (text, b, c, NEUTRAL)]
    if draw < 0.75:
        frame = rng.choice(
            [
                "While {A} {one} {B}, {C} {two} {B}",
                "Though {A} {one} {B}, {C} {two} {B}",
                "{A} {one} {B}, whereas {C} {two} {B}",
                "{A} {one} {B}; {C}, by contrast, {two} {B}",
                "{A} {one} {B}, but {C} {two} {B}",
                "{A} {one} {B} and {C} {two} {B}",
            ]
        )
        sentence = frame.format(A=a, B=b, C=c, one=one.past, two=two.past)
        text = _told(rng, sentence, a)
        return [(text, a, b, one.label), (text, c, b, two.label), (text, a, c, NEUTRAL)]
    text = _told(rng, f"{a} and {c} both {one.past} {b}", b)
    return [(text, a, b, one.label), (text, c, b, one.label), (text, a, c, NEUTRAL)]


def _chained(rng: random.Random) -> list[Row]:
    """Two stances of which one stands in a clause about somebody: nothing is passed on."""
    a, b, c = _names(rng, 3)
    one, two = _taken(rng), _taken(rng)
    frame, asked = rng.choice(
        [
            ("{A}, who {two} {C}, {one} {B}", "ab ac"),
            ("{A}, which {one} {B}, also {two} {C}", "ab ac"),
            ("{A} {one} {B} days after {B} {two} {C}", "ab bc"),
            ("{B}, {part} by {A}, {two} {C}", "ab bc"),
            ("{A} {one} {B}, an institution that {two} {C}", "ab bc"),
            ("{A} {one} {B}, which {two} {C}", "ab bc"),
            ("{A} {one} {B}, who had {two_part} {C}", "ab bc"),
            ("Unlike {C}, which {two} {B}, {A} {one} {B}", "ab cb"),
            ("{A} {one} {B}. {C} {two} {B}", "ab cb"),
            ("{B} was {part} by {A} and {two_part} by {C}", "ab cb"),
        ]
    )
    sentence = frame.format(
        A=a, B=b, C=c, one=one.past, part=one.participle, two=two.past, two_part=two.participle
    )
    text = _told(rng, sentence, a)
    who = {"a": a, "b": b, "c": c}
    first, second = asked.split()
    rows: list[Row] = [(text, a, b, one.label), (text, who[second[0]], who[second[1]], two.label)]
    silent = [pair for pair in ("ac", "ca", "ba", "bc", "cb") if pair not in (first, second)]
    return [*rows, *((text, who[p[0]], who[p[1]], NEUTRAL) for p in rng.sample(silent, 2))]


def _own_voice(rng: random.Random) -> list[Row]:
    """A verdict that somebody else speaks is not the text's own."""
    a, b, c = _names(rng, 3)
    good = rng.random() < 0.5
    label = FAVOR if good else AGAINST
    if rng.random() < 0.3:
        deed = rng.choice(phrases.entries(phrases.DEEDS_GOOD if good else phrases.DEEDS_BAD))
        if rng.random() < 0.35:
            frame = rng.choice(phrases.entries(phrases.DEEDS_OWN))
            return [(_told(rng, frame.format(B=b, deed=deed), c), None, b, label)]
        frame = rng.choice(phrases.entries(phrases.DEEDS_TOLD))
        text = _told(rng, frame.format(A=a, B=b, deed=deed), c)
        return [(text, None, b, NEUTRAL), (text, a, b, label), (text, None, a, NEUTRAL)]
    verdict = rng.choice(phrases.entries(phrases.GOOD if good else phrases.BAD))
    if rng.random() < 0.4:
        frame = rng.choice(phrases.entries(phrases.VERDICTS))
        return [(_told(rng, frame.format(B=b, words=verdict), c), None, b, label)]
    if rng.random() < 0.7:
        frame = rng.choice(phrases.entries(phrases.VERDICTS_TOLD))
        text = _told(rng, frame.format(A=a, B=b, words=verdict), c)
    else:
        verb = _taken(rng)
        text, label = _told(rng, f"{a} {verb.past} {b}", c), verb.label
    return [(text, None, b, NEUTRAL), (text, a, b, label), (text, None, a, NEUTRAL)]


def _mutual(rng: random.Random) -> list[Row]:
    a, b, c = _names(rng, 3)
    sentence, label = rng.choice(
        [
            (f"{a} and {b} praised each other", FAVOR),
            (f"{a} and {b} are close allies", FAVOR),
            (f"{a} and {b} accused each other of lying", AGAINST),
            (f"{a} and {b} are at war with each other", AGAINST),
            (f"{a} and {b} traded insults", AGAINST),
        ]
    )
    text = _told(rng, sentence, c)
    return [(text, a, b, label), (text, b, a, label)]


def _hypothetical(rng: random.Random) -> list[Row]:
    a, b, c = _names(rng, 3)
    verb = _taken(rng)
    frame = rng.choice(phrases.entries(phrases.HYPOTHESES))
    sentence = frame.format(
        A=a,
        B=b,
        past=verb.past,
        base=verb.base,
        present=verb.present,
        gerund=verb.gerund,
        part=verb.participle,
    )
    text = _told(rng, sentence, c)
    return [(text, a, b, NEUTRAL)]


def _topical(rng: random.Random) -> list[Row]:
    a, b = _names(rng, 2)
    topic, other = rng.sample(_TOPICS, 2)
    table, label = rng.choice(
        [
            (phrases.SIDES_FOR, FAVOR),
            (phrases.SIDES_AGAINST, AGAINST),
            (phrases.SIDES_NEUTRAL, NEUTRAL),
        ]
    )
    sentence = rng.choice(phrases.entries(table)).replace("{A}", a).replace("{T}", topic)
    text = _told(rng, sentence, b)
    rows: list[Row] = [(text, a, topic, label)]
    if rng.random() < 0.3:
        rows.append((text, a, other, NEUTRAL))
    if b in text and rng.random() < 0.5:
        rows.append((text, b, topic, NEUTRAL))
    return rows


def _opinion(rng: random.Random) -> list[Row]:
    topic, other = rng.sample(_TOPICS, 2)
    table, label = rng.choice([(phrases.OPINION_FOR, FAVOR), (phrases.OPINION_AGAINST, AGAINST)])
    text = rng.choice(phrases.entries(table)).replace("{T}", topic)
    text = text[0].upper() + text[1:]
    claims, turned = rng.choice(
        [(phrases.CLAIMS_FOR, label), (phrases.CLAIMS_AGAINST, AGAINST - label)]
    )
    claim = rng.choice(phrases.entries(claims)).replace("{T}", topic)
    unrelated = rng.choice(phrases.entries(claims)).replace("{T}", other)
    return [
        (text, None, topic, label),
        (text, None, claim, turned),
        (text, None, rng.choice([other, unrelated]), NEUTRAL),
    ]


_TOPICS = phrases.entries(phrases.TOPICS)
_KINDS: tuple[Callable[[random.Random], list[Row]], ...] = (
    _plain,
    _plain,
    _idiom,
    _idiom,
    _idiom,
    _idiom,
    _negated,
    _negated,
    _denied,
    _reported,
    _quoted,
    _contrast,
    _contrast,
    _contrast,
    _chained,
    _distant,
    _own_voice,
    _own_voice,
    _mutual,
    _hypothetical,
    _topical,
    _opinion,
    _opinion,
)
