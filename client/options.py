"""Options that several commands share, and the client that they describe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from client.http import StancewireClient

DEFAULT_URL = "http://127.0.0.1:8080"

url_option = click.option(
    "--url", envvar="STANCEWIRE_URL", metavar="URL", help="The service. [STANCEWIRE_URL]"
)
key_option = click.option(
    "--api-key", envvar="STANCEWIRE_API_KEY", metavar="KEY", help="Its key. [STANCEWIRE_API_KEY]"
)
json_option = click.option("--json", "as_json", is_flag=True, help="JSON lines for programs.")
target_option = click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="TEXT",
    help="A topic or claim to judge stances towards, too; may be given up to 20 times.",
)
offsets_option = click.option(
    "--offsets",
    type=click.Choice(["codepoint", "utf16", "utf8"]),
    default="codepoint",
    show_default=True,
    help="What offsets count in; with --json only.",
)


def service_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--url` and `--api-key` of a running service."""
    return url_option(key_option(command))


def connect(url: str | None, api_key: str | None) -> StancewireClient:
    """A client of the service that the options name."""
    return StancewireClient(url or DEFAULT_URL, api_key)


def check_offsets(offsets: str, as_json: bool) -> None:
    """The report counts in lines and sentences, so a unit would be silently ignored there."""
    if offsets != "codepoint" and not as_json:
        raise click.UsageError("--offsets goes with --json: the report shows no offsets.")
