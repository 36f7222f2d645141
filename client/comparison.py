"""How the articles differ: each shared target across the outlets, and each article's own voice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from client.crossref import match_entities, name_words
from client.inputs import ArticleInput
from client.report import AUTHOR, holder_name
from client.resources import Analysis
from client.terminal import columns_that_fit, indented, label_text, matrix, printable, stance_text

_NAME_WIDTH = 20


@dataclass(frozen=True, slots=True)
class Voice:
    """One stance of one article, its holder and target named the same across the articles."""

    article: int
    holder: str
    target: str
    stance: Mapping[str, Any]


def collect_voices(analyses: Sequence[Analysis]) -> list[Voice]:
    """Every labelled stance of every article under names that hold across the articles."""
    groups = match_entities([analysis["entities"] for analysis in analyses])
    names: dict[int, str] = {}
    for at, analysis in enumerate(analyses):
        for entity in analysis["entities"]:
            group = groups[at, entity["id"]]
            names[group] = max(names.get(group, ""), printable(entity["name"]), key=len)
    # A topic is one by its words, whatever their case, and is shown as it was first written.
    topics: dict[tuple[str, ...], str] = {}

    def shared_name(at: int, party: Mapping[str, Any]) -> str:
        entity_id = party.get("entity_id")
        if entity_id is not None and (at, entity_id) in groups:
            return names[groups[at, entity_id]]
        name = printable(party["name"])
        return topics.setdefault(name_words(name), name)

    voices = []
    for at, analysis in enumerate(analyses):
        for stance in analysis["stances"]:
            if stance["label"] is None:
                continue
            is_author = stance["holder"]["kind"] == "author"
            holder = holder_name(stance) if is_author else shared_name(at, stance["holder"])
            voices.append(Voice(at, holder, shared_name(at, stance["target"]), stance))
    return voices


def outlet_names(given: Sequence[ArticleInput]) -> list[str]:
    """A short name for each article: its outlet, else its file; numbered where two are equal."""
    names = [printable(one.article.source or one.name.rsplit("/", maxsplit=1)[-1]) for one in given]
    return [
        f"{name} ({names[: at + 1].count(name)})" if names.count(name) > 1 else name
        for at, name in enumerate(names)
    ]


def print_comparison(
    console: Console, given: Sequence[ArticleInput], analyses: Sequence[Analysis]
) -> None:
    """Print the comparison of two or more articles."""
    outlets = outlet_names(given)
    voices = collect_voices(analyses)
    console.print(Rule(Text("Across the articles", style="bold"), align="left"))
    shared = _shared_targets(voices)
    if not shared:
        console.print("No target that two of these articles judge has a side taken on it.")
        return
    _print_disagreements(console, outlets, voices)
    _print_targets(console, outlets, voices, shared)
    _print_own_voices(console, outlets, voices, shared)


def _shared_targets(voices: Sequence[Voice]) -> list[str]:
    """Targets that two articles judge and one takes a side on, the most contested first."""
    judged: dict[str, set[int]] = {}
    sided: dict[str, set[int]] = {}
    for voice in voices:
        judged.setdefault(voice.target, set()).add(voice.article)
        if voice.stance["label"] != "neutral":
            sided.setdefault(voice.target, set()).add(voice.article)
    shared = [target for target in sided if len(judged[target]) > 1]
    return sorted(shared, key=lambda target: (-len(sided[target]), -len(judged[target])))


def _print_disagreements(console: Console, outlets: Sequence[str], voices: Sequence[Voice]) -> None:
    pairs: dict[tuple[str, str], list[Voice]] = {}
    for voice in voices:
        pairs.setdefault((voice.holder, voice.target), []).append(voice)
    opposed = {
        pair: found
        for pair, found in pairs.items()
        if {"favor", "against"} <= {voice.stance["label"] for voice in found}
    }
    console.print()
    console.print(Text("Where the articles contradict each other", style="bold underline"))
    if not opposed:
        console.print("  nowhere: no holder is in favor of a target here and against it there")
    for (holder, target), found in opposed.items():
        console.print(indented(Text(f"{holder} → {target}", style="bold")))
        for voice in found:
            line = Text(f"{outlets[voice.article]}: ")
            line.append_text(stance_text(voice.stance))
            console.print(indented(line, 4))


def _print_targets(
    console: Console, outlets: Sequence[str], voices: Sequence[Voice], shared: Sequence[str]
) -> None:
    console.print()
    console.print(Text("Each target, outlet by outlet", style="bold underline"))
    for target in shared:
        console.print(indented(Text(target, style="bold")))
        for at, outlet in enumerate(outlets):
            here = [voice for voice in voices if (voice.article, voice.target) == (at, target)]
            sides = [voice for voice in here if voice.stance["label"] != "neutral"]
            if not here:
                continue
            line = Text.assemble((f"{outlet}: ", "dim"))
            for number, voice in enumerate(sides):
                line.append("; " if number else "")
                line.append(f"{voice.holder} ")
                line.append_text(stance_text(voice.stance))
            if not sides:
                line.append_text(label_text("neutral"))
            console.print(indented(line, 4))


def _print_own_voices(
    console: Console, outlets: Sequence[str], voices: Sequence[Voice], shared: Sequence[str]
) -> None:
    own = {
        (voice.target, voice.article): voice.stance
        for voice in voices
        if voice.holder == AUTHOR and voice.target in shared
    }
    targets = [target for target in shared if any(found == target for found, _ in own)]
    console.print()
    console.print(Text("The articles' own voices", style="bold underline"))
    if not targets:
        console.print("  none of them takes a side on a shared target in its own voice")
        return
    columns = columns_that_fit(console, _NAME_WIDTH)
    for first in range(0, len(outlets), columns):
        chosen = range(first, min(first + columns, len(outlets)))
        table = matrix("target", _NAME_WIDTH, [outlets[at] for at in chosen])
        for target in targets:
            table.add_row(Text(target), *(stance_text(own.get((target, at))) for at in chosen))
        console.print(indented(table))
