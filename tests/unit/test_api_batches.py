"""Batches: an answer per article, in order."""

from __future__ import annotations

import json
from typing import Any

import pytest
from api_support import Api, assert_problem, body
from werkzeug.test import TestResponse

from service.domain.job import Priority

NDJSON = "application/x-ndjson"


@pytest.fixture
def api() -> Api:
    return Api()


def post_lines(api: Api, data: bytes) -> TestResponse:
    return api.client.post("/v1/batches", data=data, content_type=NDJSON)


def test_all_good(api: Api) -> None:
    response = api.client.post("/v1/batches", json=[{"text": f"News {n}."} for n in range(3)])
    assert response.status_code == 202
    batch = body(response)
    assert (batch["accepted"], batch["rejected"]) == (3, 0)
    assert [item["index"] for item in batch["items"]] == [0, 1, 2]
    texts = [body(api.client.get(item["links"]["article"]))["text"] for item in batch["items"]]
    assert texts == ["News 0.", "News 1.", "News 2."]
    assert api.doorbell.rings == [(item["job_id"], Priority.BULK) for item in batch["items"]]
    listed = body(api.client.get(batch["links"]["jobs"]))["jobs"]
    assert {job["id"] for job in listed} == {item["job_id"] for item in batch["items"]}
    assert {job["batch_id"] for job in listed} == {batch["batch_id"]}


def test_a_bad_article_does_not_hold_up_the_others(api: Api) -> None:
    articles: list[Any] = [{"text": "a"}, {"text": ""}, 7, {"text": "b", "x": 1}, {"text": "c"}]
    response = api.client.post("/v1/batches", json=articles)
    assert response.status_code == 207
    batch = body(response)
    assert [item["status"] for item in batch["items"]] == [202, 422, 422, 422, 202]
    assert (batch["accepted"], batch["rejected"]) == (2, 3)
    problem = batch["items"][3]["problem"]
    assert problem["type"] == "urn:stancewire:problem:validation"
    assert problem["errors"][0]["pointer"] == "/x"
    last = body(api.client.get(batch["items"][4]["links"]["article"]))
    assert last["text"] == "c"


def test_lines(api: Api) -> None:
    lines = [
        b'\xef\xbb\xbf{"text": "a"}\r',
        b"",
        b"{",
        b'{"text": "caf\xe9"}',
        b'{"text": "\\ud800"}',
        b"[" * 50_000,
        '{"text": "b\u2028\u0085c"}'.encode(),
    ]
    response = post_lines(api, b"\n".join(lines) + b"\n")
    assert response.status_code == 207
    items = body(response)["items"]
    assert [item["status"] for item in items] == [202, 400, 400, 422, 400, 202]
    kinds = [item["problem"]["type"].rsplit(":", 1)[1] for item in items if "problem" in item]
    assert kinds == ["malformed-json", "invalid-encoding", "validation", "malformed-json"]
    text = body(api.client.get(items[5]["links"]["article"]))["text"]
    assert text == "b\u2028\u0085c"


def test_none_good(api: Api) -> None:
    response = api.client.post("/v1/batches", json=[None, {}])
    assert response.status_code == 207
    assert body(response)["accepted"] == 0
    assert "Location" not in response.headers
    assert api.doorbell.tries == 0


def test_limits(api: Api) -> None:
    for articles in ([], {}, {"text": "a"}, "a"):
        response = api.client.post("/v1/batches", json=articles)
        assert_problem(response, 422, "validation", "")
    assert_problem(post_lines(api, b" \n\n"), 422, "validation", "")
    assert_problem(
        api.client.post("/v1/batches", data=b"[", content_type="application/json"),
        400,
        "malformed-json",
    )
    too_many = [{"text": "a"}] * 1001
    assert_problem(api.client.post("/v1/batches", json=too_many), 422, "validation", "")
    assert_problem(post_lines(api, b'{"text": "a"}\n' * 1001), 422, "validation", "")
    assert not api.store._articles
    assert api.client.post("/v1/batches", json=too_many[:1000]).status_code == 202
    response = api.client.post("/v1/batches", data=b"a", content_type="text/plain")
    assert_problem(response, 415, "unsupported-media-type")


def test_a_broker_that_is_away_is_asked_once(api: Api) -> None:
    api.doorbell.away = True
    response = api.client.post("/v1/batches", json=[{"text": "a"}] * 50)
    assert response.status_code == 202
    assert api.doorbell.tries == 1


def test_the_same_key_gets_the_same_answer(api: Api) -> None:
    send: dict[str, Any] = {
        "data": json.dumps([{"text": "a"}, {}]),
        "content_type": "application/json",
        "headers": {"Idempotency-Key": "k"},
    }
    first = api.client.post("/v1/batches", **send)
    again = api.client.post("/v1/batches", **send)
    assert (again.status_code, body(again)) == (207, body(first))
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(api.doorbell.rings) == 1
