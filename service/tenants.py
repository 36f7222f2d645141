"""`python -m service.tenants list|delete`: tenants, from the command line."""

from __future__ import annotations

import argparse
import sys

from service.domain.errors import NotFoundError, StateConflictError, StoreUnavailableError
from service.settings import SettingsError, load_settings
from service.store import open_store


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: done; 1: it could not be done; 2: wrong usage or settings."""
    parser = argparse.ArgumentParser(prog="stancewire tenants", description="Tenants.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("list", help="show all tenants, one a line")
    delete = commands.add_parser(
        "delete", help="delete a tenant's articles, analyses, keys and everything else, for ever"
    )
    delete.add_argument("name", help="as `list` shows it")
    delete.add_argument(
        "--yes", action="store_true", required=True, help="really: there is no way back"
    )
    chosen = parser.parse_args(arguments)
    try:
        store = open_store(load_settings())
        try:
            if chosen.command == "delete":
                store.delete_tenant(chosen.name)
                print(f"{chosen.name} is deleted", file=sys.stderr)
            else:
                print("\n".join(store.tenants()))
        finally:
            store.close()
    except SettingsError as err:
        print(err, file=sys.stderr)
        return 2
    except (NotFoundError, StateConflictError) as err:
        print(err, file=sys.stderr)
        return 1
    except StoreUnavailableError as err:
        print(f"{err}: {err.__cause__}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
