"""Asking for webhooks, and looking at what became of them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from api_support import UNKNOWN, Api, assert_problem, body

from service.app import create_app
from service.domain.documents import to_document
from service.schemas.example_analysis import EXAMPLE
from service.settings import load_settings
from tests.fakes import FakeDoorbell, FakeStore

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
URL = "https://hooks.example/stancewire"
OTHER = "https://other.example/"


@pytest.fixture
def api() -> Api:
    return with_settings(webhook_secret=SECRET)


def with_settings(**changes: Any) -> Api:
    api = Api()
    api.app = create_app(replace(load_settings(), **changes), api.store, api.doorbell)
    api.client = api.app.test_client()
    return api


def callback(api: Api, receipt: dict[str, Any]) -> str | None:
    options = body(api.client.get(receipt["links"]["job"]))["options"]
    found: str | None = options["callback_url"]
    return found


def test_one_article_names_its_callback(api: Api) -> None:
    assert callback(api, api.submit(options={"callback_url": URL})) == URL
    assert callback(api, api.submit(options={"callback_url": None})) is None
    assert callback(api, api.submit()) is None


@pytest.mark.parametrize("kind", ["text/plain", "application/json"])
def test_the_query_names_the_callback(api: Api, kind: str) -> None:
    data = "News." if kind == "text/plain" else json.dumps({"text": "News."})
    response = api.client.post(
        "/v1/articles", query_string={"callback_url": URL}, data=data, content_type=kind
    )
    assert callback(api, body(response)) == URL


def test_the_body_comes_before_the_query(api: Api) -> None:
    response = api.client.post(
        "/v1/articles",
        query_string={"callback_url": OTHER},
        json={"text": "a", "options": {"callback_url": URL}},
    )
    assert callback(api, body(response)) == URL


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
def test_a_batch_names_one_callback_for_all(api: Api, kind: str) -> None:
    articles: list[dict[str, Any]] = [
        {"text": "a"},
        {"text": "b", "options": {"callback_url": OTHER}},
        {"text": "c", "options": {"callback_url": "https://10.0.0.1/"}},
    ]
    whole = kind == "application/json"
    data = json.dumps(articles) if whole else "\n".join(map(json.dumps, articles))
    response = api.client.post(
        "/v1/batches", query_string={"callback_url": URL}, data=data, content_type=kind
    )
    assert response.status_code == 207
    first, second, third = body(response)["items"]
    assert (callback(api, first), callback(api, second)) == (URL, OTHER)
    assert third["status"] == 422
    assert third["problem"]["errors"][0]["pointer"] == "/options/callback_url"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks",
        "ftp://hooks.example/",
        "http://hooks.example/",
        "https://localhost/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://[::ffff:7f00:1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://user:password@hooks.example/",
        "https://hooks.example/" + "a" * 2048,
        "https://hooks.example/\u00fc",
        5,
    ],
)
def test_bad_callbacks_are_refused_at_once(api: Api, url: Any) -> None:
    response = api.client.post("/v1/articles", json={"text": "a", "options": {"callback_url": url}})
    assert_problem(response, 422, "validation", "/options/callback_url")
    sent: dict[str, Any] = {"/v1/articles": {"text": "a"}, "/v1/batches": [{"text": "a"}]}
    for path, document in sent.items():
        response = api.client.post(path, query_string={"callback_url": url}, json=document)
        assert_problem(response, 422, "validation", "callback_url")
    assert body(api.client.get("/v1/jobs"))["jobs"] == []


def test_without_a_secret_callbacks_are_refused() -> None:
    api = Api()
    wished = {"text": "a", "options": {"callback_url": URL}}
    response = api.client.post("/v1/articles", json=wished)
    document = assert_problem(response, 422, "webhooks-off", "/options/callback_url")
    assert "STANCEWIRE_WEBHOOK_SECRET" in document["detail"]
    query = {"callback_url": URL}
    response = api.client.post("/v1/batches", query_string=query, json=[{"text": "a"}])
    assert_problem(response, 422, "webhooks-off", "callback_url")
    batch = body(api.client.post("/v1/batches", json=[wished, {"text": "b"}]))
    assert (batch["accepted"], batch["rejected"]) == (1, 1)
    assert batch["items"][0]["problem"]["type"].endswith(":webhooks-off")


def test_the_allow_list_lets_inside_urls_in() -> None:
    api = with_settings(
        webhook_secret=SECRET, webhook_allow=("10.0.0.0/8", "hooks"), webhook_allow_http=True
    )
    for url in ("http://hooks/", "https://10.1.2.3/"):
        assert callback(api, api.submit(options={"callback_url": url})) == url


def deliveries(api: Api, **query: Any) -> list[dict[str, Any]]:
    page = body(api.client.get("/v1/webhook_deliveries", query_string=query))
    found: list[dict[str, Any]] = page["webhook_deliveries"]
    return found


def test_deliveries_are_listed_and_read(api: Api) -> None:
    api.store.document = to_document(EXAMPLE)
    receipts = [api.submit(options={"callback_url": url}) for url in (URL, OTHER, URL)]
    api.submit()
    listed = deliveries(api)
    assert [one["job_id"] for one in listed] == [one["job_id"] for one in reversed(receipts)]
    newest = listed[0]
    assert (newest["type"], newest["state"], newest["attempts"]) == ("job.succeeded", "pending", 0)
    assert newest["max_attempts"] == 7
    assert body(api.client.get(newest["links"]["delivery"])) == newest
    assert len(deliveries(api, url=URL)) == 2
    assert len(deliveries(api, url=OTHER, state="pending", type="job.succeeded")) == 1
    assert deliveries(api, state="failed") == []
    assert [one["job_id"] for one in deliveries(api, job_id=receipts[1]["job_id"])] == [
        receipts[1]["job_id"]
    ]
    assert deliveries(api, created_after="2999-01-01T00:00:00Z") == []


def test_deliveries_come_in_pages(api: Api) -> None:
    api.store.document = to_document(EXAMPLE)
    for _ in range(3):
        api.submit(options={"callback_url": URL})
    first = api.client.get("/v1/webhook_deliveries", query_string={"limit": 2, "url": URL})
    assert len(body(first)["webhook_deliveries"]) == 2
    address = first.headers["Link"].split(">")[0].removeprefix("<")
    second = api.client.get(address)
    assert len(body(second)["webhook_deliveries"]) == 1
    assert body(second)["next_cursor"] is None
    assert "Link" not in second.headers


def test_a_delivery_is_sent_again(api: Api) -> None:
    receipt = api.submit(options={"callback_url": URL})
    api.client.post(receipt["links"]["job"] + "/cancel")
    [delivery] = deliveries(api)
    assert delivery["type"] == "job.cancelled"
    response = api.client.post(delivery["links"]["redeliver"])
    assert response.status_code == 202
    assert body(response)["state"] == "pending"
    off = create_app(load_settings(), api.store, FakeDoorbell()).test_client()
    assert_problem(off.post(delivery["links"]["redeliver"]), 422, "webhooks-off")
    assert off.get(delivery["links"]["delivery"]).status_code == 200


@pytest.mark.parametrize(("method", "path"), [("get", ""), ("post", "/redeliver")])
def test_unknown_and_deleted_deliveries(api: Api, method: str, path: str) -> None:
    for unknown in (UNKNOWN, "none"):
        response = api.client.open(f"/v1/webhook_deliveries/{unknown}{path}", method=method)
        assert_problem(response, 404, "not-found")
    api.store.document = to_document(EXAMPLE)
    receipt = api.submit(options={"callback_url": URL})
    [delivery] = deliveries(api)
    api.client.delete(receipt["links"]["article"])
    response = api.client.open(delivery["links"]["delivery"] + path, method=method)
    assert_problem(response, 410, "gone")


@pytest.mark.parametrize(
    "query",
    [
        {"state": "lost"},
        {"type": "job.started"},
        {"job_id": "x"},
        {"limit": "0"},
        {"url": "ftp://a.example/"},
        {"cursor": "x"},
        {"created_after": "yesterday"},
        {"nonsense": "1"},
    ],
)
def test_bad_filters(api: Api, query: dict[str, str]) -> None:
    response = api.client.get("/v1/webhook_deliveries", query_string=query)
    assert_problem(response, 422, "validation", *query)


def test_a_store_that_is_away() -> None:
    api = Api(store=FakeStore(away=True))
    assert_problem(api.client.get("/v1/webhook_deliveries"), 503, "store-unavailable")
