"""Who may ask for what: API keys as bearer tokens (RFC 6750), scopes, requests a minute."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import Flask, Response, g

from service.domain.errors import StoreUnavailableError
from service.domain.key import ApiKey, Caller, Scope, Token
from service.domain.ports import Limiter, ServiceStore, Window
from service.domain.tenant import DEFAULT_TENANT
from service.problems import ProblemError
from service.settings import Settings, SettingsError, is_loopback

log = logging.getLogger(__name__)

_REALM = 'Bearer realm="stancewire"'
_BEARER = re.compile(r"Bearer +(\S+)\Z", re.IGNORECASE)
_USED_EVERY = timedelta(minutes=1)
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Admission:
    """A caller who was let in, and where its key stands in its minute if it has a limit."""

    caller: Caller
    window: Window | None = None


class Access:
    """Decides for one application. Safe to share between threads."""

    def __init__(
        self,
        settings: Settings,
        store: ServiceStore,
        limiter: Limiter,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._limiter = limiter
        self._now = clock
        self._loopback = is_loopback(settings.bind)
        self._keyless = self._loopback or settings.allow_keyless_bind
        # Once there is a key there is one for ever: the last can be revoked, but not removed.
        self._keys_exist = False
        self._keyless_before = False
        self._scrapers: set[tuple[str, str]] = set()

    def admit(self, authorization: str | None, scope: Scope) -> Admission:
        """Let in whoever sent this header, if `scope` is theirs.

        Raises the problems 401 `unauthorized`, 403 `insufficient-scope`, 429 `rate-limited`.
        """
        if authorization is None:
            if not self._is_open():
                raise _unauthorized("This service wants an API key.")
            return Admission(Caller(DEFAULT_TENANT))
        key = self._key_of(authorization)
        window = self._hit(key)
        if scope not in key.grant.scopes:
            challenge = f'{_REALM}, error="insufficient_scope", scope="{scope}"'
            raise ProblemError(
                "insufficient-scope",
                f"The key {key.id} has not the scope `{scope}`.",
                headers={"WWW-Authenticate": challenge},
            )
        return Admission(Caller(key.grant.tenant, key), window)

    def admit_scraper(self, authorization: str | None) -> None:
        """Let in whoever may see the figures, which are those of all tenants: on loopback
        everybody, elsewhere the tenant `default` with the scope `admin`.

        While the database is away the last answer holds: that is when figures are wanted most.
        """
        if self._loopback:
            return
        token = _token(authorization) if authorization is not None else None
        remembered = (token.key_id, token.digest) if token is not None else None
        try:
            caller = self.admit(authorization, Scope.ADMIN).caller
        except StoreUnavailableError:
            if remembered in self._scrapers or (authorization is None and self._keyless_before):
                return
            raise
        if caller.tenant != DEFAULT_TENANT:
            raise ProblemError("insufficient-scope", "The figures are those of all tenants.")
        if remembered is None:
            self._keyless_before = True
        else:
            self._scrapers.add(remembered)

    def check_bind(self) -> None:
        """Raise `SettingsError` when strangers could reach a service that has no key.

        A database that does not answer yet is no reason to stay away: until it does, and while
        it has no key, every request is refused.
        """
        if self._keyless:
            return
        try:
            found = self._store.has_keys()
        except StoreUnavailableError as err:
            log.warning("cannot tell yet whether there are API keys: %s", err)
            return
        if not found:
            raise SettingsError(
                "wrong settings:\n  STANCEWIRE_BIND: must be a loopback address while there is no "
                "API key: create one (stancewire keys create), or say that something else decides "
                "who gets in (STANCEWIRE_ALLOW_KEYLESS_BIND)."
            )

    def _is_open(self) -> bool:
        if not self._keyless or self._keys_exist:
            return False
        self._keys_exist = self._store.has_keys()
        if self._keys_exist:
            self._keyless_before = False
        return not self._keys_exist

    def _key_of(self, authorization: str) -> ApiKey:
        token = _token(authorization)
        if token is None:
            raise _unauthorized("The Authorization header is not `Bearer` and an API key.", True)
        now = self._now()
        stored = self._store.find_key(token.key_id)
        if stored is None or not stored.proved_by(token, now):
            raise _unauthorized("There is no such API key.", True)
        ended = stored.key.ended(now)
        if ended is not None:
            log.warning("the key %s is %s and was used", token.key_id, ended)
            self._note(lambda: self._store.key_refused(token.key_id, ended))
            raise _unauthorized(f"The API key is {ended}.", True)
        last = stored.key.last_used_at
        if last is None or now - last >= _USED_EVERY:
            self._note(lambda: self._store.key_used(token.key_id))
        return stored.key

    def _note(self, write: Callable[[], None]) -> None:
        try:
            write()
        except StoreUnavailableError as err:
            # The answer is known, and the request may only read, which a database that takes no
            # writes still can.
            log.warning("could not note the use of a key: %s", err)

    def _hit(self, key: ApiKey) -> Window | None:
        limit = key.grant.requests_per_minute
        if limit is None:
            return None
        window = self._limiter.hit(key.id, limit)
        if not window.allowed:
            raise ProblemError(
                "rate-limited",
                f"The key {key.id} may make {limit} requests a minute.",
                headers={"Retry-After": str(window.seconds), **rate_headers(limit, window)},
            )
        return window


def rate_headers(limit: int, window: Window) -> dict[str, str]:
    """The headers of draft-ietf-httpapi-ratelimit-headers."""
    return {
        "RateLimit-Policy": f'"requests";q={limit};w={_MINUTE}',
        "RateLimit": f'"requests";r={window.left};t={window.seconds}',
    }


def register(app: Flask) -> None:
    """Tell each caller who has a limit how much of it is left."""

    @app.after_request
    def tell(response: Response) -> Response:
        admission = g.get("admission")
        if admission is not None and admission.window is not None:
            limit = admission.caller.key.grant.requests_per_minute
            for name, value in rate_headers(limit, admission.window).items():
                response.headers.setdefault(name, value)
        return response


def _token(authorization: str) -> Token | None:
    found = _BEARER.match(authorization.strip())
    return Token.parse(found.group(1)) if found else None


def _unauthorized(detail: str, invalid: bool = False) -> ProblemError:
    challenge = f'{_REALM}, error="invalid_token"' if invalid else _REALM
    return ProblemError("unauthorized", detail, headers={"WWW-Authenticate": challenge})
