"""`stancewire analyze`: articles in, reports or JSON lines out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console

from client.analyse import Outcome, analyse
from client.comparison import print_comparison
from client.exit_codes import ExitCode
from client.http import OffsetUnit, StancewireClient
from client.inputs import Inputs, read_inputs
from client.local_stack import LocalStack
from client.options import (
    check_offsets,
    json_option,
    key_option,
    offsets_option,
    target_option,
    url_option,
)
from client.progress import Display, LineDisplay, LiveDisplay, SilentDisplay
from client.report import print_report
from client.resources import Analysis
from client.terminal import console


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH…")
@json_option
@offsets_option
@target_option
@click.option("--quiet", "-q", is_flag=True, help="No progress, only failures.")
@click.option(
    "--timeout",
    "patience",
    type=click.FloatRange(min=1),
    default=600.0,
    show_default=True,
    help="Seconds without any progress after which to give up.",
)
@url_option
@key_option
def analyze(
    paths: tuple[str, ...],
    as_json: bool,
    offsets: OffsetUnit,
    targets: tuple[str, ...],
    quiet: bool,
    patience: float,
    url: str | None,
    api_key: str | None,
) -> int:
    """Analyse articles: text files, folders of *.txt, or - for standard input.

    A manifest.json in the folder of a file tells its outlet, title, date, url and language.
    Without --url, an embedded service is started for this run and stopped after it.

    The report goes to standard output, progress to standard error. With --json, standard output
    has one analysis a line, in the order of the articles, and nothing else.
    """
    check_offsets(offsets, as_json)
    inputs = read_inputs(paths, sys.stdin.buffer, targets)
    for fault in inputs.faults:
        click.echo(f"stancewire: {fault}", err=True)
    if not inputs.articles:
        return ExitCode.INPUT
    output = console(sys.stdout)
    display = _display(console(sys.stderr), quiet=quiet, shared=as_json and sys.stdout.isatty())
    finished: list[Outcome] = []
    with display, _service(url, api_key, display) as (client, check):
        for outcome in analyse(
            client, inputs.articles, display, offsets=offsets, patience=patience, check=check
        ):
            finished.append(outcome)
            if as_json and outcome.analysis is not None:
                print_json_line(outcome.analysis)
    if not as_json:
        _print_all(output, finished)
    return _exit_code(inputs, finished)


def print_json_line(document: Analysis) -> None:
    """One JSON document on one line of standard output, in UTF-8 whatever the locale says."""
    line = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    sys.stdout.buffer.write(line.encode() + b"\n")
    sys.stdout.buffer.flush()


def _display(err: Console, *, quiet: bool, shared: bool) -> Display:
    if quiet:
        return SilentDisplay(err)
    # A live display would be drawn over JSON lines that go to the same terminal.
    return LiveDisplay(err) if err.is_terminal and not shared else LineDisplay(err)


@contextmanager
def _service(
    url: str | None, api_key: str | None, display: Display
) -> Iterator[tuple[StancewireClient, Callable[[], None]]]:
    """A client, and what tells whether the service behind it is still alive."""
    if url:
        with StancewireClient(url, api_key) as client:
            yield client, lambda: None
        return
    with (
        LocalStack(on_step=display.step) as stack,
        StancewireClient(stack.url, trust_env=False) as client,
    ):
        yield client, stack.check


def _print_all(output: Console, finished: list[Outcome]) -> None:
    given, analyses = [], []
    for outcome in finished:
        if outcome.analysis is not None:
            given.append(outcome.given)
            analyses.append(outcome.analysis)
            print_report(output, outcome.given, outcome.analysis)
    if len(analyses) > 1:
        print_comparison(output, given, analyses)


def _exit_code(inputs: Inputs, finished: list[Outcome]) -> ExitCode:
    if inputs.faults:
        return ExitCode.INPUT
    failed = any(outcome.analysis is None for outcome in finished)
    return ExitCode.ARTICLE_FAILED if failed else ExitCode.OK
