"""API keys: who may do what, and how a key proves itself.

A key is `sw_<id>_<secret>`. The secret is 256 random bits, so its plain SHA-256 is enough at rest:
a slow hash protects what people choose and others can guess, and would cost every request tens of
milliseconds here for nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

_ID_CHARACTERS = "abcdefghijklmnopqrstuvwxyz234567"
_ID_LENGTH = 12
_SECRET_BYTES = 32

_FORM = re.compile(r"sw_([a-z2-7]{12})_([A-Za-z0-9_-]{43})\Z", re.ASCII)


class Scope(StrEnum):
    """What a key may do. None includes another."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Token:
    """A key as its holder has it. Shown once; only its digest is kept."""

    key_id: str
    secret: str = field(repr=False)

    @classmethod
    def new(cls, key_id: str | None = None) -> Token:
        """A token with a new secret, for a new key unless `key_id` names one."""
        if key_id is None:
            key_id = "".join(secrets.choice(_ID_CHARACTERS) for _ in range(_ID_LENGTH))
        return cls(key_id, secrets.token_urlsafe(_SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> Token | None:
        """The token that `text` is, or `None` when it has not the form of one."""
        found = _FORM.match(text)
        return cls(found.group(1), found.group(2)) if found else None

    @property
    def text(self) -> str:
        """The whole key, for its holder's eyes only."""
        return f"sw_{self.key_id}_{self.secret}"

    @property
    def digest(self) -> str:
        """What is kept: the hex SHA-256 of the secret."""
        return hashlib.sha256(self.secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """What a new key is given; `None` sets no limit."""

    tenant: str
    name: str
    scopes: frozenset[Scope]
    requests_per_minute: int | None = None
    articles_per_day: int | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key, without its secret."""

    id: str
    grant: KeyGrant
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def ended(self, now: datetime) -> str | None:
        """`revoked` or `expired` when the key is good no more, else `None`."""
        if self.revoked_at is not None:
            return "revoked"
        if self.grant.expires_at is not None and self.grant.expires_at <= now:
            return "expired"
        return None


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key and the digests that prove it: of its secret, and of the one before its last rotation
    while that is still good."""

    key: ApiKey
    digest: str = field(repr=False)
    previous_digest: str | None = field(default=None, repr=False)
    previous_until: datetime | None = None

    def proved_by(self, token: Token, now: datetime) -> bool:
        """Whether `token` has the key's secret. Takes the same time whatever is wrong with it."""
        given = token.digest
        current = hmac.compare_digest(given, self.digest)
        previous = hmac.compare_digest(given, self.previous_digest or self.digest)
        in_grace = self.previous_until is not None and now < self.previous_until
        return current or (previous and in_grace)


@dataclass(frozen=True, slots=True)
class Quota:
    """How many articles a key may submit a day (in UTC)."""

    key_id: str
    articles_per_day: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a tenant, by one of its keys unless the service has none."""

    tenant: str
    key: ApiKey | None = None

    @property
    def quota(self) -> Quota | None:
        """What its submissions count against."""
        if self.key is None or self.key.grant.articles_per_day is None:
            return None
        return Quota(self.key.id, self.key.grant.articles_per_day)
