"""The report of one article: who is named, who said what, who stands where, and the evidence."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from client.inputs import ArticleInput
from client.resources import Analysis
from client.terminal import (
    NO_LABEL,
    columns_that_fit,
    indented,
    matrix,
    printable,
    stance_text,
)

AUTHOR = "the article itself"

_HOLDER_WIDTH = 20
_MOST_SENTENCES_A_CELL = 3
_Named = Mapping[str, Any]


def print_report(console: Console, given: ArticleInput, analysis: Analysis) -> None:
    """Print the report of one article. Numbers in square brackets are sentences of the article."""
    numbers = {
        sentence["id"]: number for number, sentence in enumerate(analysis["sentences"], start=1)
    }
    _print_heading(console, given, analysis)
    _print_entities(console, analysis)
    _print_statements(console, analysis, numbers)
    cited = _print_stances(console, analysis["stances"], numbers)
    _print_sentences(console, given.article.text, analysis["sentences"], numbers, cited)
    console.print()


def holder_name(stance: Mapping[str, Any]) -> str:
    """The holder's name; the article's own voice has a fixed one."""
    holder = stance["holder"]
    return AUTHOR if holder["kind"] == "author" else printable(holder["name"])


def _print_heading(console: Console, given: ArticleInput, analysis: Analysis) -> None:
    article = given.article
    title = " — ".join(printable(part) for part in (article.source, article.title) if part)
    console.print(Rule(Text(title or printable(given.name), style="bold"), align="left"))
    coverage = analysis["coverage"]
    facts = [printable(given.name)] if title else []
    if article.published_at:
        facts.append(article.published_at[:10])
    facts.append(
        f"{coverage['analysed_characters']:,} of {coverage['characters']:,} characters analysed"
    )
    console.print(Text(" · ".join(facts), style="dim"))
    for warning in analysis["warnings"]:
        console.print(Text(f"Note: {printable(warning['detail'])}", style="yellow"))


def _print_entities(console: Console, analysis: Analysis) -> None:
    _print_section(console, "Who and what is named")
    if not analysis["entities"]:
        console.print("  nobody")
        return
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(ratio=2, overflow="fold")
    table.add_column(ratio=3, overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    entities = sorted(analysis["entities"], key=lambda entity: -len(entity["mention_ids"]))
    passing: dict[str, list[str]] = {}
    for entity in entities:
        name = printable(entity["name"])
        aliases = [printable(alias) for alias in entity["aliases"] if alias != entity["name"]]
        if len(entity["mention_ids"]) == 1 and not aliases:
            passing.setdefault(entity["type"], []).append(name)
            continue
        table.add_row(
            Text(entity["type"], style="dim"),
            Text(name, style="bold"),
            Text(f"also {', '.join(aliases)}" if aliases else ""),
            Text(f"{len(entity['mention_ids'])}×", style="dim"),
        )
    if table.row_count:
        console.print(indented(table))
    for kind, names in passing.items():
        console.print(indented(Text(f"{kind} once: {', '.join(names)}", style="dim")))


def _print_statements(console: Console, analysis: Analysis, numbers: Mapping[str, int]) -> None:
    """Print the attributions by speaker."""
    _print_section(console, "Who said what")
    if not analysis["attributions"]:
        console.print("  no attributed statement")
    names = {entity["id"]: printable(entity["name"]) for entity in analysis["entities"]}
    by_speaker: dict[str, list[_Named]] = {}
    for attribution in analysis["attributions"]:
        by_speaker.setdefault(_speaker(attribution, names), []).append(attribution)
    for speaker, attributions in by_speaker.items():
        console.print(indented(Text(speaker, style="bold")))
        for attribution in attributions:
            places = attribution["sentence_ids"]
            line = Text.assemble(
                (f"[{_places(places[:1], numbers)}] ", "cyan"),
                (f"{attribution['kind']} · ", "dim"),
                (f"{_framing(attribution, speaker)}: ", "italic"),
                _joined(attribution["content"]),
            )
            console.print(indented(line, 4))


def _speaker(attribution: _Named, names: Mapping[str, str]) -> str:
    source = attribution["source"]
    if source["entity_id"] in names:
        return names[source["entity_id"]]
    if source["spans"]:
        return f"“{_joined(source['spans'])}” (not tied to a name)"
    return "(the text names no source)"


def _framing(attribution: _Named, speaker: str) -> str:
    """Source and cue in the article's words; the source is left out where it is the heading."""
    source = attribution["source"]
    if source["resolution"] == "carried":
        return "goes on"
    words = _joined(source["spans"])
    cue = _joined(attribution["cue"])
    if words in {speaker, ""} or source["entity_id"] is None:
        return cue
    return f"{words} {NO_LABEL} {cue}"


def _print_stances(
    console: Console, stances: Sequence[_Named], numbers: Mapping[str, int]
) -> set[str]:
    """Print the holder × target table; the ids of the sentences that were cited as evidence."""
    _print_section(console, "Who stands where")
    cells = {(holder_name(stance), _target_name(stance)): stance for stance in stances}
    telling = [stance for stance in stances if _is_telling(stance)]
    if not telling:
        console.print(f"  nobody takes a side ({_neutral_count(stances)})")
        return set()
    holders = _by_count(holder_name(stance) for stance in telling)
    holders.sort(key=lambda holder: holder == AUTHOR)  # stable: the article's own voice is last
    targets = _by_count(_target_name(stance) for stance in telling)
    columns = columns_that_fit(console, _HOLDER_WIDTH)
    cited: set[str] = set()
    for first in range(0, len(targets), columns):
        chosen = targets[first : first + columns]
        if first:
            console.print()
        table = matrix("holder → target", _HOLDER_WIDTH, chosen)
        for holder in holders:
            found = [cells.get((holder, target)) for target in chosen]
            if any(stance is not None and _is_telling(stance) for stance in found):
                table.add_row(Text(holder, style="bold"), *(_cell(s, numbers) for s in found))
                cited.update(place for stance in found for place in _evidence_ids(stance))
        console.print(indented(table))
    console.print(
        indented(
            Text(
                f"{NO_LABEL} no stance found. Shown are rows and columns where a side is taken, "
                f"and what was asked ({_neutral_count(stances)}).",
                style="dim",
            )
        )
    )
    return cited


def _neutral_count(stances: Sequence[_Named]) -> str:
    count = sum(stance["label"] == "neutral" for stance in stances)
    return f"{count} pairs of holder and target are neutral"


def _is_telling(stance: _Named) -> bool:
    """Whether a reader must see it: a side is taken, or the caller asked about the topic."""
    return stance["label"] in {"favor", "against"} or stance["target"]["kind"] == "topic"


def _target_name(stance: _Named) -> str:
    return printable(stance["target"]["name"])


def _by_count(names: Iterable[str]) -> list[str]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return sorted(counts, key=lambda name: -counts[name])


def _cell(stance: _Named | None, numbers: Mapping[str, int]) -> Text:
    text = stance_text(stance)
    places = _evidence_ids(stance)[:_MOST_SENTENCES_A_CELL]
    if places:
        text.append(f"\n[{_places(places, numbers)}]", style="cyan")
    return text


def _evidence_ids(stance: _Named | None) -> list[str]:
    if stance is None or stance["label"] is None:
        return []
    return list(dict.fromkeys(evidence["sentence_id"] for evidence in stance["evidence"]))


def _print_sentences(
    console: Console,
    text: str,
    sentences: Sequence[_Named],
    numbers: Mapping[str, int],
    cited: set[str],
) -> None:
    if not cited:
        return
    _print_section(console, "Evidence")
    line_starts = [0, *(at + 1 for at, char in enumerate(text) if char == "\n")]
    for sentence in sentences:
        if sentence["id"] in cited:
            line = bisect_right(line_starts, sentence["start"])
            entry = Text.assemble(
                (f"[{numbers[sentence['id']]}] ", "cyan"),
                (f"line {line}: ", "dim"),
                printable(sentence["text"]),
            )
            console.print(indented(entry))


def _print_section(console: Console, title: str) -> None:
    console.print()
    console.print(Text(title, style="bold underline"))


def _joined(spans: Sequence[_Named]) -> str:
    return " … ".join(printable(span["text"]) for span in spans)


def _places(sentence_ids: Sequence[str], numbers: Mapping[str, int]) -> str:
    return ", ".join(str(numbers[place]) for place in sentence_ids if place in numbers)
