"""The stance stage with a scorer that answers by rule."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import permutations
from typing import ClassVar

import pytest

from service.domain.analysis import (
    Abstention,
    Attribution,
    AttributionKind,
    AttributionSource,
    Entity,
    EntityType,
    Mention,
    Probabilities,
    Sentence,
    SourceResolution,
    Stance,
    StanceLabel,
    TextSpan,
)
from workers.models.stance import Answer
from workers.models.stance_inputs import QuestionKind, StanceQuestion
from workers.stages.stance import stance
from workers.stages.stance.layout import Layout
from workers.stages.stance.pairs import PASSAGE_CHARACTERS, entity_pairs
from workers.stages.stance.stage import QUESTIONS_PER_SENTENCE
from workers.stages.types import Canonical, Stances

FAVOR = Probabilities(0.9, 0.04, 0.06)
AGAINST = Probabilities(0.04, 0.9, 0.06)
NEUTRAL = Probabilities(0.05, 0.05, 0.9)


class Scorer:
    """Answers by `rule` and keeps what it was asked."""

    thresholds: ClassVar[dict[QuestionKind, float]] = {"relation": 0.6, "author": 0.6, "topic": 0.6}

    def __init__(self, rule: Callable[[StanceQuestion], Probabilities]) -> None:
        self.rule = rule
        self.asked: list[StanceQuestion] = []
        self.cut = False

    def score(self, questions: Sequence[StanceQuestion]) -> list[Answer]:
        self.asked += questions
        return [Answer(self.rule(question), self.cut) for question in questions]


def by_verbs(question: StanceQuestion) -> Probabilities:
    if "praise" in question.text:
        return FAVOR
    return AGAINST if "blame" in question.text else NEUTRAL


def article(
    text: str, names: dict[str, list[str]], sayings: Sequence[tuple[str, str]] = ()
) -> Canonical:
    """Entities by id with their aliases (type behind a slash), and (source, content) sayings."""
    entities, mentions = [], []
    parts = sentences_of(text)
    for identity, aliases in names.items():
        kind = EntityType(identity.split("/")[1]) if "/" in identity else EntityType.PER
        mine = []
        for alias in aliases:
            for match in re.finditer(rf"(?<!\w){re.escape(alias)}(?!\w)", text):
                place = next(part for part in parts if part.start <= match.start() < part.end)
                mine.append(
                    Mention(
                        f"m{match.start()}",
                        match.start(),
                        match.end(),
                        alias,
                        kind,
                        0.9,
                        place.id,
                        identity,
                    )
                )
        entities.append(
            Entity(identity, aliases[0], kind, tuple(aliases), tuple(m.id for m in mine))
        )
        mentions += mine
    said = []
    for number, (source, content) in enumerate(sayings):
        start = text.index(content)
        span = TextSpan(start, start + len(content), content)
        owner = next((key for key, aliases in names.items() if source in aliases), None)
        at = text.find(source)
        spans = (TextSpan(at, at + len(source), source),) if at >= 0 else ()
        said.append(
            Attribution(
                f"a{number}",
                AttributionSource(spans, owner, SourceResolution.NAMED),
                (),
                (span,),
                AttributionKind.INDIRECT,
                0.9,
                (),
            )
        )
    mentions.sort(key=lambda mention: mention.start)
    return Canonical(tuple(entities), tuple(mentions), tuple(said))


def sentences_of(text: str) -> tuple[Sentence, ...]:
    found = re.finditer(r"[^.\s][^.]*\.", text)
    return tuple(
        Sentence(f"s{number}", match.start(), match.end(), match.group(), 0)
        for number, match in enumerate(found)
    )


def run(
    text: str,
    canonical: Canonical,
    targets: Sequence[str] = (),
    scorer: Scorer | None = None,
) -> Stances:
    return stance(text, sentences_of(text), canonical, targets, scorer or Scorer(by_verbs))


def found(result: Stances, holder: str, target: str) -> Stance:
    return next(s for s in result.stances if (s.holder.name, s.target.name) == (holder, target))


def test_source_holds_a_stance_towards_whom_it_names() -> None:
    text = "Ann Lee said the crowd blames Bob. Bob slept."
    canonical = article(
        text, {"e1": ["Ann Lee"], "e2": ["Bob"]}, [("Ann Lee", "the crowd blames Bob")]
    )
    result = run(text, canonical)
    told = found(result, "Ann Lee", "Bob")
    assert told.label is StanceLabel.AGAINST
    assert [evidence.attribution_id for evidence in told.evidence] == ["a0"]
    evidence = told.evidence[0]
    assert (
        text[evidence.start : evidence.end] == evidence.text == "Ann Lee said the crowd blames Bob."
    )
    assert evidence.sentence_id == "s0"
    assert [s.id for s in result.stances] == [f"st{n + 1}" for n in range(len(result.stances))]


def test_own_voice_is_asked_outside_attributions_only() -> None:
    text = "Ann said the crowd blames Bob. Bob praises nobody."
    canonical = article(text, {"e1": ["Ann"], "e2": ["Bob"]}, [("Ann", "the crowd blames Bob")])
    scorer = Scorer(by_verbs)
    run(text, canonical, scorer=scorer)
    own = [question for question in scorer.asked if question.holder is None]
    assert [(question.target, question.text) for question in own] == [
        ("Bob", "Bob praises nobody."),
    ]


def test_nobody_is_asked_about_themselves_under_any_alias() -> None:
    text = "Ann Lee said that Ms Lee blames Lee. Lee praises Bob and Lee."
    canonical = article(
        text,
        {"e1": ["Ann Lee", "Ms Lee", "Lee"], "e2": ["Bob"]},
        [("Ann Lee", "Ms Lee blames Lee")],
    )
    result = run(text, canonical, targets=["Ms Lee"])
    for each in result.stances:
        assert each.holder.entity_id is None or each.holder.entity_id != each.target.entity_id


def test_who_only_passes_words_on_is_not_asked() -> None:
    text = "Wire reports that Ann said the crowd blames Bob."
    sayings = [("Wire", "Ann said the crowd blames Bob"), ("Ann", "the crowd blames Bob")]
    canonical = article(text, {"e1/ORG": ["Wire"], "e2": ["Ann"], "e3": ["Bob"]}, sayings)
    scorer = Scorer(by_verbs)
    run(text, canonical, targets=["the crowd"], scorer=scorer)
    holders = [question.holder for question in scorer.asked if question.target != "Ann"]
    assert sorted(name or "" for name in holders) == ["Ann", "Ann"]


def test_relations_need_words_between_the_names() -> None:
    text = "Bob and Carl met. Bob blames Carl."
    scorer = Scorer(by_verbs)
    run(text, article(text, {"e1": ["Bob"], "e2": ["Carl"]}), scorer=scorer)
    related = [question for question in scorer.asked if question.holder]
    assert {question.text for question in related} == {"Bob blames Carl."}
    assert {(question.holder, question.target) for question in related} == {("Bob", "Carl")}


def test_the_passive_voice_turns_the_question() -> None:
    text = "Bob was blamed by Carl."
    scorer = Scorer(by_verbs)
    run(text, article(text, {"e1": ["Bob"], "e2": ["Carl"]}), scorer=scorer)
    assert [(q.holder, q.target) for q in scorer.asked] == [("Bob", "Carl"), ("Carl", "Bob")]


def test_adjectives_and_mere_places_do_not_act() -> None:
    text = "In Rome critics blame Bob. The Roman mayor blames Bob. Rome blames Bob."
    canonical = article(text, {"e1/LOC": ["Rome"], "e2/MISC": ["Roman"], "e3": ["Bob"]})
    scorer = Scorer(by_verbs)
    run(text, canonical, scorer=scorer)
    assert {q.text for q in scorer.asked if q.holder == "Rome"} == {"Rome blames Bob."}
    assert not [q for q in scorer.asked if q.holder == "Roman"]


def test_a_quote_that_runs_on_keeps_its_speaker_in_the_question() -> None:
    text = "Ann spoke. They blame Bob."
    canonical = article(text, {"e1": ["Ann"], "e2": ["Bob"]}, [("Ann", "They blame Bob")])
    scorer = Scorer(by_verbs)
    result = run(text, canonical, scorer=scorer)
    question = next(q for q in scorer.asked if q.holder == "Ann" and q.target == "Bob")
    assert question.text == "Ann said : “They blame Bob.”"
    assert [question.text[a:b] for a, b in question.holder_spans or ()] == ["Ann"]
    assert [question.text[a:b] for a, b in question.target_spans or ()] == ["Bob"]
    assert found(result, "Ann", "Bob").evidence[0].text == "They blame Bob."


def test_passages_that_take_no_side_do_not_outvote() -> None:
    text = "Bob met Carl. Bob saw Carl. Bob heard Carl. Bob blames Carl. Bob called Carl."
    merged = found(run(text, article(text, {"e1": ["Bob"], "e2": ["Carl"]})), "Bob", "Carl")
    assert merged.label is StanceLabel.AGAINST
    assert len(merged.evidence) == 5
    assert [evidence.label for evidence in merged.evidence].count(StanceLabel.NEUTRAL) == 4


def test_opposed_passages_end_in_low_confidence() -> None:
    text = "Bob blames Carl. Bob praises Carl."
    merged = found(run(text, article(text, {"e1": ["Bob"], "e2": ["Carl"]})), "Bob", "Carl")
    assert merged.label is None
    assert merged.abstention is Abstention.LOW_CONFIDENCE
    assert merged.probabilities is not None
    assert merged.probabilities.favor == pytest.approx(merged.probabilities.against, abs=1e-3)


def test_topic_without_a_word_in_the_article_has_no_evidence() -> None:
    text = "Bob blames the new tax on sugar."
    result = run(text, article(text, {"e1": ["Bob"]}), targets=["space travel", "sugar taxes"])
    missing = found(result, "author", "space travel")
    assert (missing.label, missing.abstention) == (None, Abstention.NO_EVIDENCE)
    assert missing.probabilities is None
    assert missing.evidence == ()
    assert found(result, "Bob", "sugar taxes").label is StanceLabel.AGAINST
    assert found(result, "author", "sugar taxes").label is StanceLabel.AGAINST


def test_topic_in_reported_speech_is_asked_of_its_source_only() -> None:
    text = "Ann said they all praise the sugar tax."
    canonical = article(text, {"e1": ["Ann"]}, [("Ann", "they all praise the sugar tax")])
    result = run(text, canonical, targets=["sugar tax"])
    about = [s for s in result.stances if s.target.kind == "topic"]
    assert [(s.holder.name, s.label) for s in about] == [("Ann", StanceLabel.FAVOR)]


def test_half_a_topic_is_evidence_only_where_no_sentence_has_more() -> None:
    text = "Bob blames the city. Carl praises the city council."
    canonical = article(text, {"e1": ["Bob"], "e2": ["Carl"]})
    found_of = {}
    for topic in ("city council", "city hall"):
        stances = run(text, canonical, [topic]).stances
        found_of[topic] = {s.holder.name for s in stances if s.target.kind == "topic"}
    assert found_of == {
        "city council": {"author", "Carl"},
        "city hall": {"author", "Bob", "Carl"},
    }


def test_topic_that_names_an_entity_finds_its_other_names() -> None:
    text = "The United Club lost. Fans blame TUC."
    canonical = article(text, {"e1/ORG": ["The United Club", "TUC"]})
    result = run(text, canonical, targets=["the united club"])
    asked = found(result, "author", "the united club")
    assert asked.target.entity_id == "e1/ORG"
    assert len(asked.evidence) == 2


def test_what_is_left_unasked_is_counted() -> None:
    names = ["Ann", "Bob", "Carl", "Dora", "Emil"]
    triples = list(permutations(names, 3))
    text = " ".join(f"{one} blames {two} before {three}." for one, two, three in triples)
    canonical = article(text, {f"e{n}": [name] for n, name in enumerate(names)})
    scorer = Scorer(by_verbs)
    result = run(text, canonical, scorer=scorer)
    assert result.pairs == len(scorer.asked) == round(QUESTIONS_PER_SENTENCE * len(triples))
    # Each sentence relates three pairs of names, and the article's voice may mean any of the three.
    assert result.pairs_skipped == 6 * len(triples) - result.pairs
    # The limit leaves out what is less likely, not the end of the article.
    assert scorer.asked[-1].text == "Emil blames Dora before Carl."


def test_a_passage_that_was_cut_is_skipped_not_answered() -> None:
    text = "Bob blames Carl."
    scorer = Scorer(by_verbs)
    scorer.cut = True
    result = run(text, article(text, {"e1": ["Bob"], "e2": ["Carl"]}), scorer=scorer)
    assert (result.stances, result.pairs) == ((), 0)
    assert result.pairs_skipped == len(scorer.asked) > 0


def test_a_target_that_cannot_be_read_whole_is_answered_by_an_abstention() -> None:
    text = "Bob blames Carl for the harbour."
    scorer = Scorer(by_verbs)
    scorer.cut = True
    canonical = article(text, {"e1": ["Bob"], "e2": ["Carl"]})
    result = run(text, canonical, ["the harbour", "Carl", "nuts"], scorer=scorer)
    assert [(s.target.name, s.target.entity_id, s.abstention) for s in result.stances] == [
        ("the harbour", None, Abstention.NOT_READ),
        ("Carl", "e2", Abstention.NOT_READ),
        ("nuts", None, Abstention.NO_EVIDENCE),
    ]
    assert result.pairs_skipped == len(scorer.asked)


def test_monster_sentence_is_read_around_the_target() -> None:
    text = "word " * 400 + "Bob blames Carl " + "word " * 400 + "end."
    result = run(text, article(text, {"e1": ["Bob"], "e2": ["Carl"]}))
    evidence = found(result, "Bob", "Carl").evidence[0]
    assert evidence.text == text[evidence.start : evidence.end]
    assert len(evidence.text) <= PASSAGE_CHARACTERS
    assert "Bob blames Carl" in evidence.text
    assert set(evidence.text.split()) <= {"word", "Bob", "blames", "Carl"}


def test_a_topic_named_beyond_its_passage_is_marked_only_inside() -> None:
    text = "Bob praises peace " + "word " * 200 + "and Bob waits."
    scorer = Scorer(by_verbs)
    run(text, article(text, {"e1": ["Bob"]}), ["Bob"], scorer)
    (question,) = [question for question in scorer.asked if question.topic]
    assert len(question.text) <= PASSAGE_CHARACTERS
    assert question.target_spans == [(0, 3)]


def test_a_topic_whose_first_name_is_longer_than_its_passage_is_looked_up() -> None:
    name = "B" * (PASSAGE_CHARACTERS + 10)
    scorer = Scorer(by_verbs)
    run(f"{name} waits.", article(f"{name} waits.", {"e1": [name]}), [name], scorer)
    (question,) = [question for question in scorer.asked if question.topic]
    assert question.target_spans is None


def test_a_sentence_of_hundreds_of_names_is_read_a_few_times() -> None:
    """Each name with each would be 40,000 readings of the words in between."""
    text = "Bob and Carl " * 200 + "again."
    read: list[tuple[int, int]] = []

    class CountingLayout(Layout):
        def related(self, first: Mention, second: Mention) -> bool:
            read.append((first.start, second.start))
            return super().related(first, second)

    layout = CountingLayout(
        text, sentences_of(text), article(text, {"e1": ["Bob"], "e2": ["Carl"]})
    )
    assert all(pair.holder.kind == "author" for pair in entity_pairs(layout))
    assert 0 < len(read) <= 4


def test_an_article_without_names_or_sentences_is_fine() -> None:
    assert run("", article("", {})) == Stances((), 0, 0, 0)
    text = "It rained."
    assert run(text, article(text, {})).stances == ()
