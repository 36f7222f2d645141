"""canonicalise: whom an attribution's source means, or why that stays open."""

from __future__ import annotations

import re

import pytest

from service.domain.analysis import (
    AttributionKind,
    Block,
    EntityType,
    Mention,
    SourceResolution,
    TextSpan,
)
from workers.stages.canonicalise.stage import canonicalise
from workers.stages.segment.stage import segment
from workers.stages.types import CleanText, RawAttribution

# `[PER:Ann Lee]` is a mention, `<…>` a source, `{…}` what that source says; the n-th source goes
# with the n-th content, and `<>` is a content whose source the text does not name.
_MARKS = re.compile(r"\[(PER|ORG|LOC|MISC):|[\]<>{}]")


class _Marked:
    """A text and the spans that were marked in it."""

    def __init__(self, marked: str) -> None:
        self.text = ""
        self.spans: dict[str, list[tuple[int, int]]] = {"source": [], "content": []}
        self.mentions: list[tuple[int, int, str]] = []
        opened: list[tuple[str, int, str]] = []
        at = 0
        for found in _MARKS.finditer(marked):
            self.text += marked[at : found.start()]
            at = found.end()
            mark = found.group()
            if mark in "]>}":
                kind, start, name = opened.pop()
                if kind == "mention":
                    self.mentions.append((start, len(self.text), name))
                else:
                    self.spans[kind].append((start, len(self.text)))
            else:
                kind = {"<": "source", "{": "content"}.get(mark, "mention")
                opened.append((kind, len(self.text), found[1] or ""))
        self.text += marked[at:]


def sources(marked: str, carried: dict[int, int] | None = None) -> list[tuple[str | None, str]]:
    """(entity's name, or the reason's code when there is none; resolution) for each source."""
    page = _Marked(marked)
    text = page.text
    sentences = segment(CleanText(text, (Block(0, len(text), "body", True),)))
    mentions = [
        Mention("?", start, end, text[start:end], EntityType(kind), 0.9, "s1")
        for start, end, kind in sorted(page.mentions)
    ]

    def spans(start: int, end: int) -> tuple[TextSpan, ...]:
        return (TextSpan(start, end, text[start:end]),) if end > start else ()

    raws = [
        RawAttribution(
            spans(*source), (), spans(*content), AttributionKind.DIRECT, 0.9, (),
            (carried or {}).get(at),
        )
        for at, (source, content) in enumerate(
            zip(sorted(page.spans["source"]), sorted(page.spans["content"]), strict=True)
        )
    ]  # fmt: skip
    found = canonicalise(text, sentences, mentions, raws)
    names = {entity.id: entity.name for entity in found.entities}
    answers: list[tuple[str | None, str]] = []
    for attribution in found.attributions:
        source = attribution.source
        if source.resolution is SourceResolution.UNRESOLVED:
            assert source.reason
            code, sentence = source.reason.split(": ", 1)
            assert sentence.endswith(".")
            answers.append((code, source.resolution.value))
        else:
            answers.append((names[source.entity_id or ""], source.resolution.value))
    return answers


@pytest.mark.parametrize(
    ("marked", "name"),
    [
        ("<[PER:Ann Lee]> said {yes}.", "Ann Lee"),
        ("<[PER:Ann Lee] herself> said {yes}.", "Ann Lee"),
        ("<[MISC:Ruritanian] Foreign Minister [PER:Ann Lee]> said {yes}.", "Ann Lee"),
        ("<[LOC:Ruritania]'s Foreign Minister [PER:Ann Lee]> said {yes}.", "Ann Lee"),
        ("{Yes}, said <the [ORG:Ministry]’s spokesman [PER:Tom Holt]>.", "Tom Holt"),
        ("<[PER:Lee]'s spokesman [PER:Tom Holt]> said {yes}.", "Tom Holt"),
        ("<[PER:Lee's] spokesman [PER:Tom Holt]> said {yes}.", "Tom Holt"),
        ("<A spokesman for President [PER:Lee], [PER:Tom Holt],> said {yes}.", "Tom Holt"),
        ("<The head of the [ORG:Arrow Institute], [PER:Tom Holt]>, said {yes}.", "Tom Holt"),
        ("<Secretary of State [PER:Tom Holt]> said {yes}.", "Tom Holt"),
        ("<[PER:Tom Holt], an aide to President [PER:Lee],> said {yes}.", "Tom Holt"),
        ("<[PER:Tom Holt], who met [PER:Ann Lee],> said {yes}.", "Tom Holt"),
        ("<[LOC:Ruritania]> said {yes}.", "Ruritania"),
        ("{Yes}, according to <the [ORG:United Nations]>.", "United Nations"),
        ("<The [ORG:Arrow] news agency> said {yes}.", "Arrow"),
        ("<A [MISC:Ruritanian] news agency [ORG:Arrow] report> said {yes}.", "Arrow"),
        ("<The [MISC:Ruritanians]> said {yes}.", "Ruritanians"),
    ],
)
def test_the_head_of_a_source_that_names_is_the_entity(marked: str, name: str) -> None:
    assert sources(marked) == [(name, "named")]


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("[PER:Ann Lee]'s spokesman", "of_another_person"),
        ("An aide to President [PER:Ann Lee]", "of_another_person"),
        ("The [PER:Lee] campaign", "of_another_person"),
        ("The diplomat, who met [PER:Ann Lee],", "no_antecedent"),
        ("[MISC:Ruritanian] officials", "plural_or_generic"),
        ("Some analysts", "plural_or_generic"),
        ("A spokesman for the [ORG:Arrow Council]", "indefinite"),
        ("The [MISC:Ruritanian] minister", "no_antecedent"),
        ("The group", "no_antecedent"),
        ("He", "no_antecedent"),
        ("They", "plural_or_generic"),
        ("I", "first_person"),
        ("", "no_source"),
        ("...", "not_a_name_role_or_pronoun"),
    ],
)
def test_a_source_that_nobody_named_fits_is_left_open(source: str, code: str) -> None:
    assert sources(f"<{source}> said {{yes}}.") == [(code, "unresolved")]


def test_a_pronoun_is_the_last_speaker() -> None:
    found = sources(
        "<[PER:Ann Lee]> said {the bridge to [PER:Tom Holt] is open}. {It is safe}, <she> added. "
        "The road is long. {It will rain}, <she> said."
    )
    assert found == [("Ann Lee", "named"), ("Ann Lee", "pronoun"), ("Ann Lee", "pronoun")]


def test_a_pronoun_is_the_newer_subject() -> None:
    found = sources(
        "<[PER:Ann Lee]> said {yes}. [PER:Tom Holt] arrived on Monday with [PER:Eve Marsh]. "
        "<He> said {no}."
    )
    assert found[1] == ("Tom Holt", "pronoun")


def test_a_title_tells_whom_he_and_she_can_mean() -> None:
    found = sources(
        "Mr. [PER:Holt] met Ms. [PER:Lee]. <Ms. [PER:Lee]> said {yes}. <He> said {no}. "
        "<She> said {perhaps}."
    )
    assert [name for name, _ in found] == ["Lee", "Holt", "Lee"]


def test_pronouns_tell_whom_he_and_she_can_mean() -> None:
    found = sources(
        "[PER:Ann Lee] took her dog and her cat. [PER:Tom Holt] sat in his chair in his house. "
        "<[PER:Tom Holt]> said {yes}. <She> said {no}."
    )
    assert found[1] == ("Ann Lee", "pronoun")


def test_who_is_the_name_before_it() -> None:
    assert sources("[PER:Ann Lee], <who> said {yes}, left.") == [("Ann Lee", "pronoun")]
    assert sources("[PER:Ann Lee] met a man <who> said {yes}.") == [("no_antecedent", "unresolved")]


def test_a_possessive_is_the_pronoun_that_it_comes_from() -> None:
    found = sources("<[PER:Ann Lee]> said {yes}. <Her> claim {that it rains} is new.")
    assert found[1] == ("Ann Lee", "pronoun")
    found = sources("Lawyer [PER:Ann Lee] met [PER:Tom Holt]. <His lawyer> said {yes}.")
    assert found == [("of_another_person", "unresolved")]


def test_a_pronoun_does_not_reach_far() -> None:
    filler = "The bridge is old. " * 8
    found = sources(f"<[PER:Ann Lee]> said {{yes}}. {filler}<She> said {{no}}.")
    assert found[1] == ("no_antecedent", "unresolved")


def test_it_is_the_organisation_that_spoke() -> None:
    found = sources(
        "<The [ORG:Arrow Council]> said {yes}. <It> said {no}. "
        "[LOC:Ruritania] voted, <it> said {so}."
    )
    assert [name for name, _ in found] == ["Arrow Council", "Arrow Council", "Arrow Council"]


def test_we_is_the_one_who_is_quoted() -> None:
    found = sources("<[PER:Ann Lee]> said: {“Yes, <we> say {no}.”}")
    assert sorted(found) == [("Ann Lee", "named"), ("Ann Lee", "pronoun")]


@pytest.mark.parametrize(
    "noun",
    [
        "The diplomat",
        "The minister",
        "The foreign minister",
        "The [MISC:Ruritanian] diplomat",
        "The top [MISC:Ruritanian] official",
        "[LOC:Ruritania]'s foreign minister",
        "The foreign minister of [LOC:Ruritania]",
    ],
)
@pytest.mark.parametrize(
    "introduction",
    [
        "[MISC:Ruritanian] Foreign Minister [PER:Ann Lee] met the king.",
        "[PER:Ann Lee], the [MISC:Ruritanian] foreign minister, met the king.",
        "The [MISC:Ruritanian] minister of Foreign Affairs [PER:Ann Lee] met the king.",
    ],
)
def test_a_role_is_the_person_who_was_introduced_by_it(noun: str, introduction: str) -> None:
    found = sources(f"{introduction} [PER:Tom Holt] slept. <{noun}> said {{yes}}.")
    assert found == [("Ann Lee", "nominal")]


@pytest.mark.parametrize(
    "noun",
    [
        "The president",
        "The [MISC:Syldavian] minister",
        "The deputy minister",
        "The finance minister",
    ],
)
def test_a_role_that_does_not_fit_is_left_open(noun: str) -> None:
    found = sources(f"[MISC:Ruritanian] Foreign Minister [PER:Ann Lee] left. <{noun}> said {{no}}.")
    assert found == [("no_antecedent", "unresolved")]


def test_of_two_who_fit_the_one_named_last_is_meant() -> None:
    found = sources(
        "Minister [PER:Ann Lee] came. Minister [PER:Tom Holt] left. <The minister> said {yes}. "
        "[PER:Lee] sat. <The minister> said {no}."
    )
    assert [name for name, _ in found] == ["Tom Holt", "Ann Lee"]


def test_an_office_may_come_before_the_name_of_its_holder() -> None:
    found = sources(
        "<[LOC:Ruritania]'s foreign minister> said {yes}. "
        "{No}, <[MISC:Ruritanian] Foreign Minister [PER:Ann Lee]> said."
    )
    assert found == [("Ann Lee", "nominal"), ("Ann Lee", "named")]


def test_the_ministry_is_the_ministry_that_was_named() -> None:
    found = sources("The [ORG:Foreign Ministry] has read it. <The ministry> said {no}.")
    assert found == [("Foreign Ministry", "nominal")]
    found = sources("The [ORG:Supreme Court] has read it. <The appeals court> said {no}.")
    assert found == [("no_antecedent", "unresolved")]


def test_a_quote_that_runs_on_keeps_its_source() -> None:
    found = sources("{“Yes,”} <[PER:Ann Lee]> said. <>{“No.”} <>{“So.”}", carried={1: 0, 2: 1})
    assert found == [("Ann Lee", "named"), ("Ann Lee", "carried"), ("Ann Lee", "carried")]
    found = sources("{“Yes,”} <somebody> said. <>{“No.”}", carried={1: 0})
    assert found[1] == ("carried_source_open", "unresolved")
