"""`python -m service.store upgrade|downgrade|check|backup|restore`: the schema and copies of a
SQLite file, from the command line."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from service.domain.errors import StoreUnavailableError
from service.settings import Settings, SettingsError, load_settings
from service.store.backup import BackupError, backup, restore
from service.store.migrate import SchemaError, check_schema, migrate, revisions


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: done; 1: it could not be done; 2: wrong settings."""
    parser = argparse.ArgumentParser(prog="python -m service.store", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("upgrade", help="create or upgrade the schema")
    downgrade = commands.add_parser("downgrade", help="go back to an older revision")
    downgrade.add_argument("revision", help="a revision, or `base` for none: drops every table")
    commands.add_parser("check", help="exit 1 unless the schema is the newest")
    saving = commands.add_parser("backup", help="copy a SQLite database while it is in use")
    saving.add_argument("file", type=Path, help="the copy, which must not exist yet")
    putting_back = commands.add_parser("restore", help="put a copy in the database's place")
    putting_back.add_argument("file", type=Path, help="what `backup` wrote")
    putting_back.add_argument("--replace", action="store_true", help="overwrite what is there")
    chosen = parser.parse_args(arguments)
    try:
        settings = load_settings()
        match chosen.command:
            case "check":
                check_schema(settings)
            case "backup":
                backup(settings, chosen.file)
            case "restore":
                _restore(settings, chosen.file, replace=chosen.replace)
            case "upgrade":
                migrate(settings)
            case "downgrade":
                migrate(settings, chosen.revision)
    except SettingsError as err:
        print(err, file=sys.stderr)
        return 2
    except (BackupError, SchemaError, StoreUnavailableError) as err:
        print(f"{err}: {err.__cause__}" if err.__cause__ else err, file=sys.stderr)
        return 1
    return 0


def _restore(settings: Settings, file: Path, *, replace: bool) -> None:
    revision = restore(settings, file, replace=replace)
    if revision != revisions()[0]:
        print(
            f"restored at revision {revision}: run `python -m service.store upgrade`",
            file=sys.stderr,
        )


if __name__ == "__main__":
    sys.exit(main())
