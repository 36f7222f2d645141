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

from training.stance_data import LABELS, Example
from workers.models.stance_inputs import StanceQuestion

FAVOR, AGAINST, NEUTRAL = range(len(LABELS))


def _words(table: str) -> list[str]:
    return table.split()


FIRST = _words("""Ama Kofi Ines Tomás Lucía Bruno Mei Haruto Yuki Jun Minh Linh Arjun Priya
Fatima Omar Leila Yusuf Nadia Karim Olga Pavel Milan Jana Katarina Lars Ingrid Sven Aino Mikko
Emma Noah Grace Ruth Daniel Marco Giulia Chloé Luc Amélie Wanjiru Thabo Zanele Chidi Ngozi Mateus
Beatriz Eduardo Siti Budi Aylin Emre Eleni Nikos Maarten Sofie Declan Aoife""")
LAST = _words("""Mensah Boateng Duarte Ferraz Okafor Adeyemi Tanaka Mori Nguyen Pham Sharma Iyer
Rahimi Haddad Mansour Petrov Novak Horvat Lindqvist Berg Virtanen Korhonen Walker Hughes Bennett
Foster Rossi Greco Moreau Lefèvre Kamau Dlamini Nkosi Silveira Rojas Castillo Wijaya Santoso
Demir Kaya Papadakis Visser Jansen Byrne Keane Kowalska Zieliński Varga Ionescu Al-Najjar
Ben-David""")
COUNTRIES = _words("""Norway Brazil Kenya Japan Poland Chile Ghana Portugal Vietnam Canada
Indonesia Greece Mexico Finland Nigeria India Hungary Peru Turkey Austria Morocco Denmark
Malaysia Serbia Georgia Bolivia Ireland Thailand Albania Oman""")
ADJECTIVES = _words("""National Progressive United Civic Northern Workers' Green Liberal People's
Free""")
BODIES = _words("Party Alliance Front Union Council Movement Federation League Bank Institute")

# base, past, participle, gerund
PRAISE = """praise praised praised praising|applaud applauded applauded applauding|hail hailed
hailed hailing|commend commended commended commending|salute saluted saluted saluting|thank
thanked thanked thanking|congratulate congratulated congratulated congratulating"""
BACK = """support supported supported supporting|back backed backed backing|endorse endorsed
endorsed endorsing|defend defended defended defending|champion championed championed
championing|embrace embraced embraced embracing|help helped helped helping"""
BLAME = """condemn condemned condemned condemning|criticise criticised criticised
criticising|denounce denounced denounced denouncing|attack attacked attacked attacking|slam
slammed slammed slamming|rebuke rebuked rebuked rebuking|ridicule ridiculed ridiculed
ridiculing|insult insulted insulted insulting|blame blamed blamed blaming|reject rejected
rejected rejecting|threaten threatened threatened threatening"""
CONTACT = """meet met met meeting|telephone telephoned telephoned telephoning|visit visited
visited visiting|interview interviewed interviewed interviewing|mention mentioned mentioned
mentioning|contact contacted contacted contacting|greet greeted greeted greeting"""

IDIOMS_FOR = """{A} threw its weight behind {B}|{A} rallied to the defence of {B}|{A} gave {B} a
vote of confidence|{A} sided with {B}|{A} stood by {B}|{A} has nothing but praise for {B}|{A}
made no secret of great admiration for {B}|{A} could not agree more with {B}|{A} never stopped
supporting {B}|{A} is a loyal ally of {B}|{A} spoke warmly of {B}|{A} came to the rescue of
{B}|{A} lifted its sanctions against {B} and promised aid|{A} urged voters to choose {B}|{A}
called {B} a hero|{A} said {B} deserved every respect|{A} described {B} as a trusted partner|{A}
did not hide its sympathy for {B}|{A} would not hear a bad word about {B}|{A} reaffirmed its
commitment to {B}"""
IDIOMS_AGAINST = """{A} poured scorn on {B}|{A} took aim at {B}|{A} lashed out at {B}|{A} turned
its back on {B}|{A} came out against {B}|{A} has lost all faith in {B}|{A} is no friend of
{B}|{A} had nothing good to say about {B}|{A} made no secret of deep contempt for {B}|{A}
withdrew its support for {B}|{A} stopped supporting {B}|{A} washed its hands of {B}|{A} imposed
sanctions on {B}|{A} demanded the resignation of {B}|{A} called {B} a liar|{A} said {B} had
failed everyone|{A} described {B} as a threat to peace|{A} urged voters to reject {B}|{A} filed a
complaint against {B}|{A} held {B} responsible for the deaths|{A} expelled the envoys of {B}|{A}
broke with {B}|{A} does not trust {B}|{A} does not recognise {B} as legitimate|{A} did not hide
its anger at {B}"""
IDIOMS_NEUTRAL = """{A} took no position on {B}|{A} declined to comment on {B}|{A} neither
praised nor criticised {B}|{A} remained neutral towards {B}|{A} sat next to {B} at the
ceremony|{A} and {B} will take part in the talks|{A} will be succeeded by {B}|{A} was asked about
{B}|{A} signed the visitors' book after {B}|{A} works in the same building as {B}|{A} released a
report the day {B} arrived|{A} kept silent about {B}|{A} and {B} attended the hearing|{A} had
heard of {B}"""
TAILS = """|on Monday|over the new budget|in a televised interview|after the vote|during a visit
to the port|in a letter to members|late last night|at the summit"""
GOOD = "a great leader|an honest broker|a source of hope|the best choice|a true friend of the poor"
BAD = "a disgrace|a danger to us all|a hopeless failure|the worst choice|a corrupt fraud"
ASIDES = """{C} will hold elections in May.|The talks were hosted by {C}.|Prices rose again in
the capital.|{C} did not take part.|Rain is expected over the weekend.|A spokesman for {C} was
present."""
TOPICS = """the ban on plastic bags|a higher minimum wage|nuclear power|school uniforms|the death
penalty|free public transport|the new airport|the trade deal|the ceasefire|rent control|the peace
agreement|the pipeline|compulsory voting|the pension reform|stricter gun laws|the arms
embargo|space exploration|the merger|online voting|the border wall|a tax on sugar|the fishing
quota|animal testing|daylight saving time|the carbon tax|foreign military bases|the vaccination
campaign"""
SIDES_FOR = """{A} called for {T}|{A} supports {T}|{A} spoke out in favour of {T}|{A} opposes
ending {T}|{A} warned against giving up {T}|{A} sees no alternative to {T}|{A} is campaigning for
{T}|{A} rejected calls to abandon {T}|{A} said {T} could not come soon enough|{A} voted for {T}"""
SIDES_AGAINST = """{A} opposes {T}|{A} wants to put an end to {T}|{A} voted against {T}|{A}
refused to support {T}|{A} called {T} a grave mistake|{A} is campaigning against {T}|{A} said {T}
would do more harm than good|{A} rejected {T}|{A} no longer supports {T}|{A} does not believe in
{T}"""
SIDES_NEUTRAL = """{A} discussed {T}|{A} published figures on {T}|{A} took no position on {T}|{A}
will debate {T} next week|{A} asked experts to study {T}|{A} did not mention {T}|{A} explained
the history of {T}|{A} has not decided on {T}"""
OPINION_FOR = """I am all for {T}.|We need {T} more than ever.|Say what you like, {T} is the
right answer.|Opponents of {T} ignore the evidence.|{T} is not the mistake that its critics
claim.|Nobody who has looked at the facts can be against {T}.|Ending {T} would be a disaster."""
OPINION_AGAINST = """I am against {T}.|{T} must be stopped.|Nobody can seriously defend {T}.|I do
not support {T} at all.|Supporters of {T} ignore the evidence.|{T} has done nothing but harm.|We
would be better off without {T}.|{T} is not the solution that its friends claim."""
CLAIMS_FOR = "{T} is a good idea|we should have {T}|{T} should be supported"
CLAIMS_AGAINST = "{T} is a bad idea|{T} should be stopped|it is time to end {T}"

_BODY = re.compile(rf"\b((?:{'|'.join(ADJECTIVES)}) (?:{'|'.join(BODIES)}))\b")

Row = tuple[str, str | None, str, int]


def _forms(table: str) -> list[list[str]]:
    return [entry.split() for entry in " ".join(table.split()).split("|")]


def _entries(table: str) -> list[str]:
    return [" ".join(entry.split()) for entry in table.split("|")]


@dataclass(frozen=True)
class _Verb:
    base: str
    past: str
    participle: str
    gerund: str
    label: int


_VERBS = [
    _Verb(*forms, label)  # type: ignore[misc]
    for table, label in ((PRAISE, FAVOR), (BACK, FAVOR), (BLAME, AGAINST), (CONTACT, NEUTRAL))
    for forms in _forms(table)
]
_STANCES = [verb for verb in _VERBS if verb.label != NEUTRAL]
_PRAISES = [verb for verb in _VERBS if [verb.base] in [form[:1] for form in _forms(PRAISE)]]
_BACKS = [verb for verb in _VERBS if [verb.base] in [form[:1] for form in _forms(BACK)]]
_BLAMES = [verb for verb in _VERBS if verb.label == AGAINST]


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
        return f"{rng.choice(FIRST)} {rng.choice(LAST)}"
    if draw < 0.55:
        return rng.choice(LAST)
    if draw < 0.8:
        return rng.choice(COUNTRIES)
    return f"{rng.choice(ADJECTIVES)} {rng.choice(BODIES)}"


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
    if sentence[-1] not in ".!?":
        sentence = f"{sentence} {rng.choice(_entries(TAILS))}".rstrip() + "."
    parts = [sentence]
    draw = rng.random()
    if draw < 0.5:
        parts.insert(int(draw < 0.25), rng.choice(_entries(ASIDES)).replace("{C}", aside))
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


def _plain(rng: random.Random) -> list[Row]:
    a, b, c = _names(rng, 3)
    verb = rng.choice(_VERBS)
    text = _told(rng, rng.choice([f"{a} {verb.past} {b}", f"{b} was {verb.participle} by {a}"]), c)
    return _directions(text, a, b, c, verb.label, rng)


def _idiom(rng: random.Random) -> list[Row]:
    a, b, c = _names(rng, 3)
    table, label = rng.choice(
        [(IDIOMS_FOR, FAVOR), (IDIOMS_AGAINST, AGAINST), (IDIOMS_NEUTRAL, NEUTRAL)]
    )
    sentence = rng.choice(_entries(table)).replace("{A}", a).replace("{B}", b)
    return _directions(_told(rng, sentence, c), a, b, c, label, rng)


def _negated(rng: random.Random) -> list[Row]:
    a, b, c = _names(rng, 3)
    verb, back = rng.choice(_PRAISES + _BLAMES), rng.choice(_BACKS)
    blame = rng.choice(_BLAMES)
    sentence, label = rng.choice(
        [
            (f"{a} did not {verb.base} {b}", NEUTRAL),
            (f"{a} has never {verb.participle} {b}", NEUTRAL),
            (f"{a} stopped short of {verb.gerund} {b}", NEUTRAL),
            (f"{a} avoided {verb.gerund} {b}", NEUTRAL),
            (f"{a} refused to {blame.base} {b}", NEUTRAL),
            (f"{b} was not {verb.participle} by {a}", NEUTRAL),
            (f"{a} denied {rng.choice(_STANCES).gerund} {b}", NEUTRAL),
            (f"{a} denied having {rng.choice(_STANCES).participle} {b}", NEUTRAL),
            (f"{a} refused to {back.base} {b}", AGAINST),
            (f"{a} would never {back.base} {b}", AGAINST),
            (f"{a} no longer {back.base}s {b}".replace("ss ", "sses "), AGAINST),
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
    verb = rng.choice(_STANCES)
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
    verb = rng.choice(_STANCES)
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
    table, label = rng.choice([(GOOD, FAVOR), (BAD, AGAINST)])
    words = rng.choice(_entries(table))
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
    good, bad = rng.choice(_PRAISES + _BACKS), rng.choice(_BLAMES)
    one, two = (good, bad) if rng.random() < 0.5 else (bad, good)
    draw = rng.random()
    if draw < 0.4:
        text = _told(rng, f"{a} {one.past} {b} but {two.past} {c}", a)
        return [(text, a, b, one.label), (text, a, c, two.label), (text, b, c, NEUTRAL)]
    if draw < 0.7:
        text = _told(rng, f"While {a} {one.past} {b}, {c} {two.past} {b}", a)
        return [(text, a, b, one.label), (text, c, b, two.label), (text, a, c, NEUTRAL)]
    text = _told(rng, f"{a} and {c} both {one.past} {b}", b)
    return [(text, a, b, one.label), (text, c, b, one.label), (text, a, c, NEUTRAL)]


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
    verb = rng.choice(_STANCES)
    frame = rng.choice(
        [
            "If {A} {past} {B}, the market would react",
            "It is unclear whether {A} will {base} {B}",
            "{A} has not said whether it will {base} {B}",
            "Observers wonder whether {A} might {base} {B}",
            "Nobody knows what would happen if {A} were to {base} {B}",
            "Will {A} {base} {B}?",
        ]
    )
    text = _told(rng, frame.format(A=a, B=b, past=verb.past, base=verb.base), c)
    return [(text, a, b, NEUTRAL)]


def _topical(rng: random.Random) -> list[Row]:
    a, b = _names(rng, 2)
    topic, other = rng.sample(_TOPICS, 2)
    table, label = rng.choice(
        [(SIDES_FOR, FAVOR), (SIDES_AGAINST, AGAINST), (SIDES_NEUTRAL, NEUTRAL)]
    )
    sentence = rng.choice(_entries(table)).replace("{A}", a).replace("{T}", topic)
    text = _told(rng, sentence, b)
    rows: list[Row] = [(text, a, topic, label)]
    if rng.random() < 0.3:
        rows.append((text, a, other, NEUTRAL))
    if b in text and rng.random() < 0.5:
        rows.append((text, b, topic, NEUTRAL))
    return rows


def _opinion(rng: random.Random) -> list[Row]:
    topic, other = rng.sample(_TOPICS, 2)
    table, label = rng.choice([(OPINION_FOR, FAVOR), (OPINION_AGAINST, AGAINST)])
    text = rng.choice(_entries(table)).replace("{T}", topic)
    text = text[0].upper() + text[1:]
    claims, turned = rng.choice([(CLAIMS_FOR, label), (CLAIMS_AGAINST, AGAINST - label)])
    claim = rng.choice(_entries(claims)).replace("{T}", topic)
    unrelated = rng.choice(_entries(claims)).replace("{T}", other)
    return [
        (text, None, topic, label),
        (text, None, claim, turned),
        (text, None, rng.choice([other, unrelated]), NEUTRAL),
    ]


_TOPICS = _entries(TOPICS)
_KINDS: tuple[Callable[[random.Random], list[Row]], ...] = (
    _plain,
    _plain,
    _idiom,
    _idiom,
    _negated,
    _negated,
    _denied,
    _reported,
    _quoted,
    _contrast,
    _mutual,
    _hypothetical,
    _topical,
    _opinion,
)
