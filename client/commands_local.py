"""Commands that run the service on this machine: the whole of it, or one part."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import NoReturn

import click

from client.exit_codes import ExitCode
from client.local_stack import (
    CODE_FOLDER,
    LocalStack,
    LocalStackError,
    administration_command,
    api_command,
    backup_command,
    restore_command,
    upgrade_command,
    worker_command,
)

DEFAULT_BIND = "127.0.0.1:8080"
_CHECK_SECONDS = 0.5
# A worker that dies this often in so short a time will not get well by another start.
_MOST_RESTARTS = 5
_RESTART_WINDOW = 60.0


@click.command()
@click.option("--bind", envvar="STANCEWIRE_BIND", default=DEFAULT_BIND, show_default=True)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keeps the database and the logs; without it both are gone at the end.",
)
def up(bind: str, data_dir: Path | None) -> int:
    """Run the whole service on this machine until Ctrl-C: broker, API and one worker.

    It starts a Valkey of its own and keeps its data in SQLite. To use another broker or
    database, run `stancewire migrate`, `stancewire api` and `stancewire worker`.
    """
    stack = LocalStack(data_dir, address=_address(bind), grace=10.0, on_step=_say)
    try:
        with stack:
            click.echo(f"Stancewire answers at {stack.url} (documentation: {stack.url}/docs)")
            sys.stdout.flush()
            _keep_up(stack)
    except (KeyboardInterrupt, SystemExit):
        # Being told to stop is how this command ends well.
        _say("stopped")
    return ExitCode.OK


@click.command()
def api() -> NoReturn:
    """Run the API alone, with the settings of the environment (STANCEWIRE_…)."""
    _replace_by(api_command())


@click.command()
def worker() -> NoReturn:
    """Run a worker alone, with the settings of the environment (STANCEWIRE_…)."""
    _replace_by(worker_command())


@click.command()
def migrate() -> NoReturn:
    """Bring the database of the environment's settings to the newest schema."""
    _replace_by(upgrade_command())


@click.command()
@click.argument("file", type=click.Path())
def backup(file: str) -> NoReturn:
    """Copy the SQLite database of the environment's settings to FILE, while it is in use.

    FILE must not exist yet. For PostgreSQL use pg_dump.
    """
    _replace_by(backup_command(file))


@click.command()
@click.argument("file", type=click.Path())
@click.option("--replace", is_flag=True, help="Overwrite the database that is there.")
def restore(file: str, replace: bool) -> NoReturn:
    """Put the copy FILE in the place of the SQLite database of the environment's settings.

    Stop API and workers first. For PostgreSQL use pg_restore.
    """
    _replace_by(restore_command(file, replace=replace))


# Their options are those of the service's own commands, `--help` among them.
_PASSED_ON = {"ignore_unknown_options": True}


@click.command(context_settings=_PASSED_ON, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def keys(arguments: tuple[str, ...]) -> NoReturn:
    """Create, list, revoke and rotate API keys, in the database of the environment's settings."""
    _replace_by(administration_command("service.keys", arguments))


@click.command(context_settings=_PASSED_ON, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def tenants(arguments: tuple[str, ...]) -> NoReturn:
    """List tenants, or delete one with all that is its own."""
    _replace_by(administration_command("service.tenants", arguments))


def _keep_up(stack: LocalStack) -> None:
    restarts: list[float] = []
    while True:
        time.sleep(_CHECK_SECONDS)
        if stack.child("worker").process.poll() is not None:
            now = time.monotonic()
            restarts = [at for at in restarts if now - at < _RESTART_WINDOW] + [now]
            if len(restarts) > _MOST_RESTARTS:
                stack.check()
            _say("the worker died; starting another")
            stack.restart_worker()
        stack.check()


def _address(bind: str) -> tuple[str, int]:
    host, _, port = bind.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise click.UsageError(f"--bind must be HOST:PORT, not {bind!r}")
    return host.strip("[]"), int(port)


def _replace_by(command: list[str]) -> NoReturn:
    """Become the command, so that signals and exit codes are its own."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(CODE_FOLDER),
        "TOKENIZERS_PARALLELISM": "false",
    }
    try:
        os.execve(command[0], command, environment)  # noqa: S606 - no shell is wanted here
    except OSError as err:
        raise LocalStackError(f"cannot start {command[0]}: {err.strerror}") from err


def _say(line: str) -> None:
    click.echo(f"stancewire: {line}", err=True)
