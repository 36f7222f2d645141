"""`python -m service.store upgrade|downgrade|check`: the schema, from the command line."""

from __future__ import annotations

import argparse
import sys

from service.domain.errors import StoreUnavailableError
from service.settings import SettingsError, load_settings
from service.store.migrate import SchemaError, check_schema, migrate


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: done; 1: it could not be done; 2: wrong settings."""
    parser = argparse.ArgumentParser(prog="python -m service.store", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("upgrade", help="create or upgrade the schema")
    downgrade = commands.add_parser("downgrade", help="go back to an older revision")
    downgrade.add_argument("revision", help="a revision, or `base` for none: drops every table")
    commands.add_parser("check", help="exit 1 unless the schema is the newest")
    chosen = parser.parse_args(arguments)
    try:
        settings = load_settings()
        if chosen.command == "check":
            check_schema(settings)
        else:
            migrate(settings, "head" if chosen.command == "upgrade" else chosen.revision)
    except SettingsError as err:
        print(err, file=sys.stderr)
        return 2
    except (SchemaError, StoreUnavailableError) as err:
        print(f"{err}: {err.__cause__}" if err.__cause__ else err, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
