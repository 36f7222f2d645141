"""What a terminal needs: labels in words and colour, and text that cannot drive it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

NO_LABEL = "–"
_LABEL_STYLES = {"favor": "bold green", "against": "bold red", "neutral": "yellow"}
_WIDTH_WITHOUT_TERMINAL = 100
_CELL_WIDTH = len("against 100 %")
_GAP = 2
_INDENT = 2


class _PlainConsole(Console):
    """A console that lets the caller decide what a closed pipe means."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        raise BrokenPipeError


def console(stream: TextIO) -> Console:
    """A console on `stream`: colour on terminals only and never under NO_COLOR."""
    terminal = stream.isatty()
    return _PlainConsole(
        file=stream,
        width=None if terminal else _WIDTH_WITHOUT_TERMINAL,
        # FORCE_COLOR and the like must not colour what a script reads.
        force_terminal=terminal,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
    )


def printable(text: str) -> str:
    """`text` on one line, without the characters that could steer or garble a terminal."""
    return "".join(char for char in " ".join(text.split()) if not _steers(char))


def _steers(char: str) -> bool:
    # Cc: escape sequences. Cf: bidi overrides and the like. Cs: lone surrogates cannot be written.
    return unicodedata.category(char) in {"Cc", "Cf", "Cs"}


def label_text(label: str) -> Text:
    """The label as a word in its colour, so that neither is needed to understand the other."""
    return Text.assemble((label, _LABEL_STYLES.get(label, "")))


def stance_text(stance: Mapping[str, Any] | None) -> Text:
    """`against 91 %`, or a dash for a stance that was abstained from or not asked."""
    label = None if stance is None else stance.get("label")
    if stance is None or not isinstance(label, str):
        return Text(NO_LABEL, style="dim")
    text = label_text(label)
    probabilities = stance.get("probabilities")
    if isinstance(probabilities, Mapping) and label in probabilities:
        text.append(f" {round(100 * probabilities[label])} %")
    return text


def indented(content: RenderableType, by: int = _INDENT) -> Padding:
    """`content` moved to the right, without filling its lines up with blanks."""
    return Padding(content, (0, 0, 0, by), expand=False)


def columns_that_fit(console: Console, first_width: int) -> int:
    """How many stance cells fit beside a first column of `first_width`."""
    return max(1, (console.width - _INDENT - first_width) // (_CELL_WIDTH + _GAP))


def matrix(corner: str, first_width: int, columns: Sequence[str]) -> Table:
    """An empty table whose first column names the rows and whose others hold stance cells."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, _GAP, 0, 0))
    table.add_column(corner, width=first_width, overflow="fold")
    for column in columns:
        table.add_column(Text(column), width=_CELL_WIDTH, overflow="fold")
    return table
