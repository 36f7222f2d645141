"""Every route of the contract, asked by one tenant for what is another's, over real databases."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.app import create_app
from service.domain.job import JobFailure
from service.domain.key import KeyGrant, Scope, Token
from service.openapi import contract
from service.settings import Settings
from service.store import SqlStore
from tests.fakes import FakeDoorbell, FakeLimiter
from tests.unit.api_support import assert_problem, body

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
HOOK = "https://hooks.example/tiger"
METHODS = {"get", "post", "put", "patch", "delete"}
OPERATIONS = [
    (method.upper(), path)
    for path, item in contract()["paths"].items()
    for method in item
    if method in METHODS
]
WITH_IDS = [one for one in OPERATIONS if "{" in one[1]]
LISTS = [one for one in OPERATIONS if one[0] == "GET" and "{" not in one[1]]


class Tenant:
    """What a tenant sees of the service."""

    def __init__(self, client: FlaskClient, store: SqlStore, name: str) -> None:
        _, self.token = store.create_key(KeyGrant(name, name, frozenset(Scope)))
        self._client = client

    def ask(self, method: str, path: str, **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token.text}", **more.pop("headers", {})}
        return self._client.open(path, method=method, headers=headers, **more)


@pytest.fixture
def client(settings: Settings, store: SqlStore) -> FlaskClient:
    app = create_app(
        replace(settings, webhook_secret=SECRET), store, FakeDoorbell(), limiter=FakeLimiter()
    )
    return app.test_client()


def ids_of(owner: Tenant, store: SqlStore) -> dict[str, str]:
    """An article whose job has failed, and what belongs to it."""
    wished = {"text": "The tiger is out.", "source": "Tiger", "options": {"callback_url": HOOK}}
    receipt = body(owner.ask("POST", "/v1/articles", json=wished))
    claim = store.claim(receipt["job_id"], worker_id="w", lease=60)
    assert claim is not None
    store.fail(claim, JobFailure("tiger", "a tiger"), retryable=False)
    [delivery] = body(owner.ask("GET", "/v1/webhook_deliveries"))["webhook_deliveries"]
    return {
        "article_id": receipt["article_id"],
        "job_id": receipt["job_id"],
        "delivery_id": delivery["id"],
    }


def fill(path: str, ids: dict[str, str]) -> str:
    # A KeyError here means: a new kind of id, which `ids_of` must make.
    return re.sub(r"{(\w+)}", lambda found: ids[found.group(1)], path)


def test_there_is_something_to_walk() -> None:
    assert len(WITH_IDS) >= 8
    assert len(LISTS) >= 4


@pytest.mark.parametrize("deleted", [False, True], ids=["there", "deleted"])
def test_every_route_answers_404_to_another_tenants_ids(
    client: FlaskClient, store: SqlStore, deleted: bool
) -> None:
    owner, other = Tenant(client, store, "owner"), Tenant(client, store, "other")
    ids = ids_of(owner, store)
    if deleted:
        assert owner.ask("DELETE", fill("/v1/articles/{article_id}", ids)).status_code == 204
    for method, path in WITH_IDS:
        strange = other.ask(method, fill(path, ids))
        assert_problem(strange, 404, "not-found")
        assert "tiger" not in strange.text.lower(), (method, path)
    # To its owner each of them says something else, and nothing has changed it meanwhile.
    for method, path in sorted(WITH_IDS, key=lambda one: one[0] == "DELETE"):
        own = owner.ask(method, fill(path, ids))
        assert own.status_code != 404, (method, path)
        assert (own.status_code == 410) == deleted, (method, path)


def test_no_list_shows_anothers_rows_whatever_it_is_asked(
    client: FlaskClient, store: SqlStore
) -> None:
    owner, other = Tenant(client, store, "owner"), Tenant(client, store, "other")
    ids = ids_of(owner, store)
    filters = {
        "": "",
        "job_id": ids["job_id"],
        "article_id": ids["article_id"],
        "source": "Tiger",
        "url": HOOK,
        "subject": owner.token.key_id,
        "cursor": "ffffffff-ffff-7fff-bfff-ffffffffffff",
    }
    seen = 0
    for _, path in LISTS:
        for name, value in filters.items():
            asked = f"{path}?{name}={value}" if name else path
            answers = {who: client_.ask("GET", asked) for who, client_ in pair(owner, other)}
            if answers["owner"].status_code == 422 or path in {"/metrics", "/readyz"}:
                continue
            shown = answers["other"].text
            for word in (*ids.values(), owner.token.key_id, HOOK, "Tiger"):
                assert word not in shown, asked
                seen += word in answers["owner"].text
    # The same questions show the owner a good deal.
    assert seen > 10


def pair(owner: Tenant, other: Tenant) -> list[tuple[str, Tenant]]:
    return [("owner", owner), ("other", other)]


def test_an_idempotency_key_of_another_tenant_is_a_new_one(
    client: FlaskClient, store: SqlStore
) -> None:
    sent = {"json": {"text": "The same."}, "headers": {"Idempotency-Key": "the-same"}}
    owner, other = Tenant(client, store, "owner"), Tenant(client, store, "other")
    first, second = (who.ask("POST", "/v1/articles", **sent) for who in (owner, other))
    assert body(first)["job_id"] != body(second)["job_id"]
    assert "Idempotency-Replayed" not in second.headers
    again = owner.ask("POST", "/v1/articles", **sent)
    assert body(again) == body(first)
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_quota_is_one_for_articles_and_batches(client: FlaskClient, store: SqlStore) -> None:
    owner = Tenant(client, store, "owner")
    _, token = store.create_key(
        KeyGrant("owner", "few", frozenset({Scope.WRITE}), articles_per_day=3)
    )
    owner.token = token
    batch = "\n".join(json.dumps({"text": text}) for text in ("One.", "Two.", ""))
    kind = {"Content-Type": "application/x-ndjson"}
    # A refused line is no article.
    assert owner.ask("POST", "/v1/batches", data=batch, headers=kind).status_code == 207
    again = owner.ask("POST", "/v1/batches", data=batch, headers=kind)
    refused = assert_problem(again, 429, "quota-exceeded")
    assert "1 of the key's 3 articles are left" in refused["detail"]
    assert owner.ask("POST", "/v1/articles", json={"text": "Three."}).status_code == 202
    over = owner.ask("POST", "/v1/articles", json={"text": "Four."})
    assert_problem(over, 429, "quota-exceeded")
    assert 0 < int(over.headers["Retry-After"]) <= 86400


def test_a_key_ends_for_the_running_service_at_once(client: FlaskClient, store: SqlStore) -> None:
    owner = Tenant(client, store, "owner")
    assert owner.ask("GET", "/v1/jobs").status_code == 200
    old: Token = owner.token
    _, owner.token = store.rotate_key(old.key_id, grace=timedelta())
    assert owner.ask("GET", "/v1/jobs").status_code == 200
    store.revoke_key(old.key_id)
    for token in (owner.token, old):
        owner.token = token
        assert_problem(owner.ask("GET", "/v1/jobs"), 401, "unauthorized")
    _, owner.token = store.create_key(KeyGrant("owner", "new", frozenset(Scope)))
    events = body(owner.ask("GET", "/v1/audit_events"))["audit_events"]
    told = [(event["kind"], event["subject"]) for event in events]
    new, ended = owner.token.key_id, old.key_id
    assert told == [
        ("key.created", new),
        ("key.refused", ended),
        ("key.revoked", ended),
        ("key.rotated", ended),
        ("key.created", ended),
    ]
