"""`python -m service.keys create|list|revoke|rotate`: API keys, from the command line.

Whoever may run this reaches the database, and so needs no key. A key is printed once, alone on
standard output; everything else goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from service.domain.errors import NotFoundError, StateConflictError, StoreUnavailableError
from service.domain.key import ApiKey, KeyGrant, Scope, Token
from service.domain.tenant import DEFAULT_TENANT, check_tenant
from service.settings import SettingsError, load_settings
from service.store import SqlStore, open_store

MAX_NAME_CHARACTERS = 100


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: done; 1: it could not be done; 2: wrong usage or settings."""
    chosen = _parser().parse_args(arguments)
    try:
        store = open_store(load_settings())
        try:
            chosen.run(store, chosen)
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stancewire keys", description="API keys.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    create = commands.add_parser("create", help="make a key and show it, this once")
    create.set_defaults(run=_create)
    create.add_argument("--name", required=True, type=_name, help="for whom or what it is")
    create.add_argument(
        "--tenant",
        default=DEFAULT_TENANT,
        type=_tenant,
        help="whose articles it opens; made with its first key (default: %(default)s)",
    )
    create.add_argument(
        "--scope",
        dest="scopes",
        action="append",
        required=True,
        choices=[scope.value for scope in Scope],
        help="read: look; write: submit, cancel, delete; admin: the audit log. Repeat for several",
    )
    create.add_argument("--requests-per-minute", type=_positive, help="default: no limit")
    create.add_argument("--articles-per-day", type=_positive, help="default: no limit")
    create.add_argument("--expires-in-days", type=_positive, help="default: never")

    every = commands.add_parser("list", help="show all keys, without their secrets")
    every.set_defaults(run=_list)
    every.add_argument("--tenant", type=_tenant, help="only this one's")
    every.add_argument("--json", action="store_true", help="one JSON object a line")

    revoke = commands.add_parser("revoke", help="end a key at once, for ever")
    revoke.set_defaults(run=_revoke)
    revoke.add_argument("id", type=_id, help="the id, as `list` shows it")

    rotate = commands.add_parser("rotate", help="give a key a new secret and show it, this once")
    rotate.set_defaults(run=_rotate)
    rotate.add_argument("id", type=_id, help="the id, as `list` shows it")
    rotate.add_argument(
        "--grace",
        type=_seconds,
        default=0,
        metavar="SECONDS",
        help="how long the old secret is still good (default: %(default)s)",
    )
    return parser


def _create(store: SqlStore, chosen: argparse.Namespace) -> None:
    expires_at = None
    if chosen.expires_in_days is not None:
        expires_at = datetime.now(UTC) + timedelta(days=chosen.expires_in_days)
    grant = KeyGrant(
        tenant=chosen.tenant,
        name=chosen.name,
        scopes=frozenset(Scope(scope) for scope in chosen.scopes),
        requests_per_minute=chosen.requests_per_minute,
        articles_per_day=chosen.articles_per_day,
        expires_at=expires_at,
    )
    _show(*store.create_key(grant))


def _list(store: SqlStore, chosen: argparse.Namespace) -> None:
    for key in store.keys(chosen.tenant):
        described = describe(key, datetime.now(UTC))
        if chosen.json:
            print(json.dumps(described))
        else:
            print("\t".join("-" if value is None else str(value) for value in described.values()))


def _revoke(store: SqlStore, chosen: argparse.Namespace) -> None:
    key = store.revoke_key(chosen.id)
    print(f"key {key.id} ({key.grant.name}) is revoked", file=sys.stderr)


def _rotate(store: SqlStore, chosen: argparse.Namespace) -> None:
    _show(*store.rotate_key(chosen.id, grace=timedelta(seconds=chosen.grace)))


def describe(key: ApiKey, now: datetime) -> dict[str, Any]:
    """What `list` says of a key, in the order of its columns."""

    def moment(value: datetime | None) -> str | None:
        return None if value is None else value.isoformat(timespec="seconds")

    return {
        "id": key.id,
        "tenant": key.grant.tenant,
        "name": key.grant.name,
        "state": key.ended(now) or "good",
        "scopes": ",".join(sorted(key.grant.scopes)),
        "requests_per_minute": key.grant.requests_per_minute,
        "articles_per_day": key.grant.articles_per_day,
        "created_at": moment(key.created_at),
        "expires_at": moment(key.grant.expires_at),
        "last_used_at": moment(key.last_used_at),
    }


def _show(key: ApiKey, token: Token) -> None:
    print(token.text)
    print(
        f"This is the key {key.id} ({key.grant.name}) of the tenant {key.grant.tenant}. It is not "
        "shown again: keep it where secrets are kept, and give it to clients as "
        "STANCEWIRE_API_KEY.",
        file=sys.stderr,
    )


def _name(value: str) -> str:
    if not value.strip() or len(value) > MAX_NAME_CHARACTERS or not value.isprintable():
        raise argparse.ArgumentTypeError(
            f"must be 1 to {MAX_NAME_CHARACTERS} characters, all of which can be printed"
        )
    return value


def _id(value: str) -> str:
    # Somebody will paste the whole key: it must not come back in an error or in a log.
    token = Token.parse(value)
    return token.key_id if token is not None else value


def _tenant(value: str) -> str:
    try:
        return check_tenant(value)
    except ValueError as err:
        raise argparse.ArgumentTypeError(str(err)) from err


def _positive(value: str) -> int:
    return _whole(value, least=1)


def _seconds(value: str) -> int:
    return _whole(value, least=0)


def _whole(value: str, *, least: int) -> int:
    most = 1_000_000_000
    if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
        raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most:,}")
    return int(value)


if __name__ == "__main__":
    sys.exit(main())
