"""The `stancewire` command."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import click

from client.commands_analyze import analyze
from client.commands_local import api, backup, keys, migrate, restore, tenants, up, worker
from client.commands_remote import cancel, delete, result, status, submit
from client.errors import ProblemError, ServiceUnreachableError, StancewireClientError
from client.exit_codes import ExitCode
from client.local_stack import LocalStackError


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 all well; 1 an article failed; 2 wrong usage or unreadable input; "
    "3 the service is unreachable or the local stack did not start; 128 + N ended by signal N.",
)
@click.version_option(package_name="stancewire", message="%(version)s")
def stancewire() -> None:
    """Who is named in a news article, who said what, and who stands where towards whom."""


for command in (
    *(analyze, up, api, worker, migrate, backup, restore, keys, tenants),
    *(submit, status, result, cancel, delete),
):
    stancewire.add_command(command)


def main() -> NoReturn:
    """Run the command and exit with its code; no fault of the user's ends in a stack trace."""
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _end)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character shows "?", which beats no report at all.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    sys.exit(_run())


def _run() -> int:
    try:
        # Not stancewire.main(): it turns a closed pipe into exit code 1, an article's failure.
        with stancewire.make_context("stancewire", sys.argv[1:]) as context:
            code = stancewire.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as asked:
        return asked.exit_code
    except click.ClickException as err:
        err.show()
        return err.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _say("interrupted", ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The interpreter flushes standard output at exit: give it something that takes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.BROKEN_PIPE
    except (ServiceUnreachableError, LocalStackError) as err:
        return _say(str(err), ExitCode.UNREACHABLE)
    except (ProblemError, StancewireClientError) as err:
        return _say(str(err), ExitCode.ARTICLE_FAILED)
    return code if isinstance(code, int) else ExitCode.OK


def _say(line: str, code: ExitCode) -> int:
    click.echo(f"stancewire: {line}", err=True)
    return code


def _end(number: int, frame: FrameType | None) -> None:
    """Leave through every `finally`, so that no child process and no temporary folder stays."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
