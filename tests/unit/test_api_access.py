"""Who is let in, who is not, and what each is told."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from service.app import create_app
from service.domain.audit import AuditEvent
from service.domain.errors import QuotaExceededError, StoreUnavailableError, UnknownTenantError
from service.domain.key import Quota, Scope, Token
from service.openapi import contract
from service.settings import SettingsError, load_settings
from tests.fakes import FakeDoorbell, FakeLimiter, FakeStore
from tests.unit.api_support import UNKNOWN, assert_problem, body

ALL = (Scope.READ, Scope.WRITE, Scope.ADMIN)
OPEN = ("/", "/docs", "/openapi.json", "/livez", "/readyz")
METHODS = {"get", "post", "delete"}


class Api:
    """An application with keys."""

    def __init__(self, **settings: Any) -> None:
        self.store = FakeStore()
        self.limiter = FakeLimiter()
        self.settings = replace(load_settings(), **settings)
        self.owner = self.store.add_key(*ALL)
        self.app = create_app(self.settings, self.store, FakeDoorbell(), limiter=self.limiter)
        self.client = self.app.test_client()

    def get(self, path: str, key: Token | str | None) -> TestResponse:
        return self.ask("GET", path, key)

    def ask(self, method: str, path: str, key: Token | str | None, **more: Any) -> TestResponse:
        value = f"Bearer {key.text}" if isinstance(key, Token) else key
        headers = {} if value is None else {"Authorization": value}
        return self.client.open(path, method=method, headers=headers, **more)


@pytest.fixture
def api() -> Api:
    return Api()


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, item in contract()["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def address(path: str) -> str:
    for name in ("job_id", "article_id", "delivery_id"):
        path = path.replace(f"{{{name}}}", UNKNOWN)
    assert "{" not in path
    return path


def test_every_operation_of_the_contract_wants_a_key_and_its_scope(api: Api) -> None:
    """Walks the document, so that no route that is added later is forgotten."""
    guarded = 0
    for method, path, operation in operations():
        if path in OPEN or path == "/metrics":
            continue
        guarded += 1
        [[scope]] = [next(iter(needs.values())) for needs in operation["security"]]
        asked = (method.upper(), address(path))
        found = assert_problem(api.ask(*asked, None), 401, "unauthorized")
        assert found["detail"] == "This service wants an API key."
        without = api.store.add_key(*(one for one in ALL if one != scope))
        answer = api.ask(*asked, without)
        assert_problem(answer, 403, "insufficient-scope")
        assert f'error="insufficient_scope", scope="{scope}"' in answer.headers["WWW-Authenticate"]
        with_scope = api.store.add_key(Scope(scope))
        assert api.ask(*asked, with_scope).status_code not in {401, 403}, asked
    assert guarded >= 11


def test_reading_writing_and_the_audit_log_are_three_scopes() -> None:
    needed = {
        operation["operationId"]: operation["security"][0]["api_key"][0]
        for _, _, operation in operations()
        if operation.get("security") and {} not in operation["security"]
    }
    assert needed["submitArticle"] == needed["cancelJob"] == needed["deleteArticle"] == "write"
    assert needed["getAnalysis"] == needed["listJobs"] == "read"
    assert needed["listAuditEvents"] == "admin"


@pytest.mark.parametrize("path", OPEN)
def test_health_and_documentation_need_no_key(api: Api, path: str) -> None:
    assert api.get(path, None).status_code in {200, 503}


def test_what_is_wrong_with_a_key_is_said(api: Api) -> None:
    now = datetime.now(UTC)
    revoked = api.store.add_key(*ALL, revoked_at=now)
    expired = api.store.add_key(*ALL, expires_at=now - timedelta(seconds=1))
    wrong = replace(api.owner, secret=Token.new().secret)
    for key, detail in (
        (Token.new(), "There is no such API key."),
        (wrong, "There is no such API key."),
        (revoked, "The API key is revoked."),
        (expired, "The API key is expired."),
        ("Bearer", "The Authorization header is not `Bearer` and an API key."),
        ("Basic dXNlcjpwYXNz", "The Authorization header is not `Bearer` and an API key."),
        (f"Token {api.owner.text}", "The Authorization header is not `Bearer` and an API key."),
        (f"Bearer {api.owner.text} x", "The Authorization header is not `Bearer` and an API key."),
    ):
        answer = api.get("/v1/jobs", key)
        assert assert_problem(answer, 401, "unauthorized")["detail"] == detail
        told = 'Bearer realm="stancewire", error="invalid_token"'
        assert answer.headers["WWW-Authenticate"] == told
    # RFC 6750, 3.1: nothing about an error when nothing was tried.
    assert api.get("/v1/jobs", None).headers["WWW-Authenticate"] == 'Bearer realm="stancewire"'
    assert api.store.refused_keys == [(revoked.key_id, "revoked"), (expired.key_id, "expired")]
    assert api.get("/v1/jobs", f"bearer  {api.owner.text}").status_code == 200


def test_a_key_opens_what_is_its_tenants_alone(api: Api) -> None:
    theirs = api.store.add_key(*ALL, tenant="theirs")
    accepted = api.ask("POST", "/v1/articles", theirs, json={"text": "Some news."})
    article = body(accepted)["links"]["article"]
    assert api.get(article, theirs).status_code == 200
    assert_problem(api.get(article, api.owner), 404, "not-found")


def test_revoking_the_last_key_does_not_open_the_service(api: Api) -> None:
    api.store.stored_keys.clear()
    api.store.add_key(*ALL, revoked_at=datetime.now(UTC))
    assert_problem(api.get("/v1/jobs", None), 401, "unauthorized")


def test_without_any_key_the_service_is_open_on_loopback() -> None:
    store = FakeStore()
    client = create_app(load_settings(), store, FakeDoorbell()).test_client()
    assert client.get("/v1/jobs").status_code == 200
    assert client.get("/v1/audit_events").status_code == 200
    # A key that is sent is looked at all the same.
    sent = {"Authorization": f"Bearer {Token.new().text}"}
    assert_problem(client.get("/v1/jobs", headers=sent), 401, "unauthorized")
    store.add_key(Scope.READ)
    assert_problem(client.get("/v1/jobs"), 401, "unauthorized")
    # And closed it stays, even if somebody empties the table by hand.
    store.stored_keys.clear()
    assert_problem(client.get("/v1/jobs"), 401, "unauthorized")


def test_elsewhere_a_service_without_keys_does_not_start() -> None:
    settings = replace(load_settings(), bind="0.0.0.0:8080")
    with pytest.raises(SettingsError, match="STANCEWIRE_BIND: must be a loopback address"):
        create_app(settings, FakeStore(), FakeDoorbell())
    allowed = replace(settings, allow_keyless_bind=True)
    client = create_app(allowed, FakeStore(), FakeDoorbell()).test_client()
    assert client.get("/v1/jobs").status_code == 200


def test_elsewhere_and_before_the_database_answers_nobody_is_let_in() -> None:
    store = FakeStore(away=True)
    settings = replace(load_settings(), bind="0.0.0.0:8080")
    client = create_app(settings, store, FakeDoorbell()).test_client()
    store.away = False
    assert not store.has_keys()
    assert_problem(client.get("/v1/jobs"), 401, "unauthorized")


def test_while_the_database_is_away_a_key_gets_503(api: Api) -> None:
    api.store.away = True
    assert_problem(api.get("/v1/jobs", api.owner), 503, "store-unavailable")


def test_requests_a_minute_are_limited_and_told(api: Api) -> None:
    key = api.store.add_key(Scope.READ, requests_per_minute=2)
    for left in (1, 0):
        answer = api.get("/v1/jobs", key)
        assert answer.status_code == 200
        assert answer.headers["RateLimit-Policy"] == '"requests";q=2;w=60'
        assert answer.headers["RateLimit"] == f'"requests";r={left};t=42'
    answer = api.get("/v1/jobs", key)
    found = assert_problem(answer, 429, "rate-limited")
    assert found["detail"] == f"The key {key.key_id} may make 2 requests a minute."
    assert answer.headers["Retry-After"] == "42"
    assert answer.headers["RateLimit"] == '"requests";r=0;t=42'
    # Errors count and carry the headers too; a key without a limit is not counted.
    other = api.store.add_key(Scope.READ, requests_per_minute=5)
    assert "RateLimit" in api.get(f"/v1/jobs/{UNKNOWN}", other).headers
    assert "RateLimit" not in api.get("/v1/jobs", api.owner).headers
    assert set(api.limiter.hits) == {key.key_id, other.key_id}


def test_a_quota_goes_with_every_submission(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    key = api.store.add_key(Scope.WRITE, articles_per_day=5)
    api.ask("POST", "/v1/articles", key, json={"text": "Some news."})
    assert api.store.quotas[-1] == Quota(key.key_id, 5)

    def refuse(*_: Any, **__: Any) -> None:
        raise QuotaExceededError(5, 3, 3600)

    monkeypatch.setattr(api.store, "submit", refuse)
    answer = api.ask("POST", "/v1/batches", key, json=[{"text": "Some news."}] * 4)
    found = assert_problem(answer, 429, "quota-exceeded")
    assert found["detail"].startswith("3 of the key's 5 articles are left today")
    assert answer.headers["Retry-After"] == "3600"
    assert answer.headers["RateLimit-Policy"] == '"articles";q=5;w=86400'
    assert answer.headers["RateLimit"] == '"articles";r=3;t=3600'


def test_a_tenant_that_is_deleted_meanwhile_takes_nothing_more(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise UnknownTenantError("default")

    monkeypatch.setattr(api.store, "submit", refuse)
    answer = api.ask("POST", "/v1/articles", api.owner, json={"text": "Some news."})
    assert_problem(answer, 401, "unauthorized")


def test_the_use_of_a_key_is_noted_once_a_minute(api: Api) -> None:
    api.get("/v1/jobs", api.owner)
    assert api.store.used_keys == [api.owner.key_id]
    stored = api.store.stored_keys[api.owner.key_id]
    for ago, noted in ((59, 1), (61, 2)):
        used = datetime.now(UTC) - timedelta(seconds=ago)
        key = replace(stored.key, last_used_at=used)
        api.store.stored_keys[api.owner.key_id] = replace(stored, key=key)
        api.get("/v1/jobs", api.owner)
        assert len(api.store.used_keys) == noted


def test_a_database_that_only_reads_does_not_hinder_reading(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise StoreUnavailableError("read only")

    monkeypatch.setattr(api.store, "key_used", refuse)
    monkeypatch.setattr(api.store, "key_refused", refuse)
    assert api.get("/v1/jobs", api.owner).status_code == 200
    revoked = api.store.add_key(*ALL, revoked_at=datetime.now(UTC))
    assert_problem(api.get("/v1/jobs", revoked), 401, "unauthorized")


def test_the_figures_are_open_on_loopback_and_the_operators_elsewhere() -> None:
    assert Api().get("/metrics", None).status_code == 200
    api = Api(bind="0.0.0.0:8080")
    theirs = api.store.add_key(*ALL, tenant="theirs")
    reader = api.store.add_key(Scope.READ, Scope.WRITE)
    assert_problem(api.get("/metrics", None), 401, "unauthorized")
    assert_problem(api.get("/metrics", reader), 403, "insufficient-scope")
    assert_problem(api.get("/metrics", theirs), 403, "insufficient-scope")
    assert api.get("/metrics", api.owner).status_code == 200


def test_the_figures_can_be_read_while_the_database_is_away_by_who_could_before() -> None:
    api = Api(bind="0.0.0.0:8080")
    newcomer = api.store.add_key(*ALL)
    api.get("/metrics", api.owner)
    api.store.away = True
    answer = api.get("/metrics", api.owner)
    assert answer.status_code == 200
    assert "stancewire_database_up 0.0" in answer.text
    for key in (None, newcomer, replace(api.owner, secret=newcomer.secret)):
        expected = (401, "unauthorized") if key is None else (503, "store-unavailable")
        assert_problem(api.get("/metrics", key), *expected)


def test_the_figures_of_a_service_without_keys_stay_open_while_the_database_is_away() -> None:
    store = FakeStore()
    settings = replace(load_settings(), bind="0.0.0.0:8080", allow_keyless_bind=True)
    client = create_app(settings, store, FakeDoorbell()).test_client()
    store.away = True
    assert_problem(client.get("/metrics"), 503, "store-unavailable")
    store.away = False
    assert client.get("/metrics").status_code == 200
    store.away = True
    assert client.get("/metrics").status_code == 200


def test_a_key_is_never_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    revoked = api.store.add_key(*ALL, revoked_at=datetime.now(UTC))
    wrong = replace(api.owner, secret=Token.new().secret)
    for key in (api.owner, revoked, wrong, f"Basic {api.owner.text}"):
        api.get("/v1/jobs", key)
        api.get(f"/v1/jobs/{UNKNOWN}", key)
    logged = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert api.owner.key_id in logged
    for token in (api.owner, revoked, wrong):
        assert token.secret not in logged
        assert token.digest not in logged


def test_the_audit_log_is_listed_by_pages(api: Api) -> None:
    now = datetime.now(UTC)
    api.store.events += [
        AuditEvent(str(number) * 8 + UNKNOWN[8:], "default", now, "operator", "key.created", "k")
        for number in range(3)
    ]
    first = api.get("/v1/audit_events?limit=2", api.owner)
    assert [event["id"][0] for event in body(first)["audit_events"]] == ["2", "1"]
    following = first.headers["Link"].partition(">")[0].removeprefix("<")
    last = body(api.get(following, api.owner))
    assert [event["id"][0] for event in last["audit_events"]] == ["0"]
    assert last["next_cursor"] is None
    assert body(api.get("/v1/audit_events?kind=x", api.owner))["audit_events"] == []
    assert_problem(api.get("/v1/audit_events?limit=0", api.owner), 422, "validation", "limit")
