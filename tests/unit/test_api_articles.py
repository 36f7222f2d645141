"""Submit, read and delete articles; wait for results; send requests twice."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from api_support import UNKNOWN, Api, assert_problem, body

from service.domain.documents import to_document
from service.domain.job import JobFailure, Priority, Stage
from service.schemas.example_analysis import EXAMPLE, TEXT

DOCUMENT = to_document(EXAMPLE)

PAGE = """<!doctype html><html lang="en"><head><title>Port strike ends | The Courier</title>
<meta property="og:title" content="Port strike ends"><meta property="og:site_name"
content="The Courier"><meta property="article:published_time" content="2026-01-05T08:00:00Z">
<meta charset="{charset}"></head><body><nav><a href="/">Home</a> <a href="/x">More</a></nav>
<article><h1>Port strike ends</h1>
<p>Dock workers in the café district ended their strike on Monday after the union accepted a pay
offer that its leader called “fair but late”.</p>
<p>The port authority said that ships would move again within a day, and thanked both sides.</p>
</article><footer>Follow us</footer></body></html>"""


@pytest.fixture
def api() -> Api:
    return Api()


def test_an_article_is_accepted_stored_and_announced(api: Api) -> None:
    response = api.client.post("/v1/articles", json={"text": "Some news."})
    assert response.status_code == 202
    receipt = body(response)
    assert receipt["state"] == "queued"
    assert response.headers["Location"] == receipt["links"]["job"]
    assert response.headers["Retry-After"] == "1"
    assert api.doorbell.rings == [(receipt["job_id"], Priority.INTERACTIVE)]
    assert api.store.rung_ids == [receipt["job_id"]]
    assert body(api.client.get(receipt["links"]["job"]))["state"] == "queued"


def test_what_is_submitted_comes_back(api: Api) -> None:
    given = {
        "text": TEXT,
        "title": "A title",
        "source": "The Courier",
        "url": "https://courier.example/a?b=c#d",
        "language": "en-GB",
        "metadata": {"desk": {"id": 3, "tags": ["a", None, True, 0.5]}},
    }
    receipt = api.submit(**given, published_at="2026-01-05T10:00:00.25+02:00")
    article = body(api.client.get(receipt["links"]["article"]))
    assert {name: article[name] for name in given} == given
    assert article["published_at"] == "2026-01-05T08:00:00.250000Z"
    assert article["job_id"] == receipt["job_id"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2026-01-05", "2026-01-05T00:00:00Z"),
        ("2026-01-05t10:00:00z", "2026-01-05T10:00:00Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
        ("2026-01-05T10:00:00.123456789-05:30", "2026-01-05T15:30:00.123456Z"),
    ],
)
def test_dates(api: Api, given: str, kept: str) -> None:
    receipt = api.submit(published_at=given)
    assert body(api.client.get(receipt["links"]["article"]))["published_at"] == kept


def test_options_reach_the_job(api: Api) -> None:
    targets = ["  tax ", "tax", "Tax", "the new law"]
    receipt = api.submit(options={"targets": targets, "offsets": "utf16"})
    options = body(api.client.get(receipt["links"]["job"]))["options"]
    wanted = {"targets": ["tax", "Tax", "the new law"], "offsets": "utf16", "callback_url": None}
    assert options == wanted


def test_plain_text_takes_its_fields_from_the_query(api: Api) -> None:
    response = api.client.post(
        "/v1/articles?title=A+title&source=Courier&targets=tax&targets=war&offsets=utf8",
        data="Some news.",
        content_type="text/plain",
    )
    receipt = body(response)
    article = body(api.client.get(receipt["links"]["article"]))
    assert (article["title"], article["source"]) == ("A title", "Courier")
    options = body(api.client.get(receipt["links"]["job"]))["options"]
    assert options == {"targets": ["tax", "war"], "offsets": "utf8", "callback_url": None}


def test_the_body_comes_before_the_query(api: Api) -> None:
    response = api.client.post(
        "/v1/articles?title=query&source=query", json={"text": "a", "title": "body"}
    )
    article = body(api.client.get(body(response)["links"]["article"]))
    assert (article["title"], article["source"]) == ("body", "query")


@pytest.mark.parametrize(
    ("charset", "kind"),
    [
        ("utf-8", "text/html"),
        ("utf-8", "text/html; charset=utf-8"),
        ("windows-1252", "text/html"),
        ("utf-8", "text/html; charset=windows-1252"),
    ],
)
def test_the_article_in_a_page(api: Api, charset: str, kind: str) -> None:
    encoding = "windows-1252" if "1252" in charset + kind else "utf-8"
    page = PAGE.format(charset=charset).encode(encoding)
    response = api.client.post("/v1/articles?title=Mine", data=page, content_type=kind)
    assert response.status_code == 202, response.text
    article = body(api.client.get(body(response)["links"]["article"]))
    assert "Dock workers in the café district" in article["text"]
    assert "“fair but late”" in article["text"]
    assert "Home" not in article["text"]
    assert article["title"] == "Mine"
    assert article["source"] == "The Courier"
    assert article["published_at"] == "2026-01-05T00:00:00Z"


def test_a_broker_that_is_away_does_not_refuse_articles(api: Api) -> None:
    api.doorbell.away = True
    receipt = api.submit()
    assert api.store.rung_ids == []
    assert body(api.client.get(receipt["links"]["job"]))["state"] == "queued"


def test_a_database_that_is_away_is_said(api: Api) -> None:
    api.store.away = True
    for response in (
        api.client.post("/v1/articles", json={"text": "a"}),
        api.client.get(f"/v1/articles/{UNKNOWN}"),
        api.client.get("/v1/jobs"),
        api.client.get("/v1/models"),
    ):
        assert_problem(response, 503, "store-unavailable")
        assert response.headers["Retry-After"] == "5"
    assert api.doorbell.tries == 0


def test_a_full_queue_is_said(api: Api) -> None:
    api.store.full = True
    for response in (
        api.client.post("/v1/articles", json={"text": "a"}),
        api.client.post("/v1/batches", json=[{"text": "a"}]),
    ):
        assert_problem(response, 503, "queue-full")
        assert response.headers["Retry-After"] == "30"
    assert api.doorbell.tries == 0


def test_waiting_answers_with_the_result(api: Api) -> None:
    api.store.document = DOCUMENT
    response = api.client.post(
        "/v1/articles", json={"text": TEXT}, headers={"Prefer": "respond-async, wait=30"}
    )
    assert response.status_code == 200
    assert response.headers["Preference-Applied"] == "wait=1", "the setting caps the wait"
    analysis = body(response)
    same = api.client.get(response.headers["Content-Location"])
    assert analysis == body(same)
    assert response.headers["Location"].endswith(analysis["job_id"])


def test_waiting_in_vain_answers_202(api: Api) -> None:
    response = api.client.post("/v1/articles", json={"text": TEXT}, headers={"Prefer": "wait=0"})
    assert response.status_code == 202
    assert response.headers["Preference-Applied"] == "wait=0"
    assert body(response)["state"] == "queued"


@pytest.mark.parametrize("prefer", ["wait=soon", "wait", "wait=-1", "waiting=5", "return=minimal"])
def test_other_preferences_are_ignored(api: Api, prefer: str) -> None:
    response = api.client.post("/v1/articles", json={"text": "a"}, headers={"Prefer": prefer})
    assert response.status_code == 202
    assert "Preference-Applied" not in response.headers


def test_the_same_key_gets_the_same_answer(api: Api) -> None:
    send: dict[str, Any] = {"json": {"text": "a"}, "headers": {"Idempotency-Key": "k1"}}
    first = api.client.post("/v1/articles", **send)
    again = api.client.post("/v1/articles", **send)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, body(again)) == (202, body(first))
    assert again.headers["Location"] == first.headers["Location"]
    assert len(api.doorbell.rings) == 1

    other = api.client.post("/v1/articles", json={"text": "b"}, headers=send["headers"])
    assert_problem(other, 422, "idempotency-mismatch")
    elsewhere = api.client.post("/v1/articles?title=x", **send)
    assert_problem(elsewhere, 422, "idempotency-mismatch")


def test_a_key_in_flight(api: Api) -> None:
    api.store.in_flight.add("k1")
    send: dict[str, Any] = {"json": {"text": "a"}, "headers": {"Idempotency-Key": "k1"}}
    response = api.client.post("/v1/articles", **send)
    assert_problem(response, 409, "idempotency-in-flight")
    assert response.headers["Retry-After"] == "1"


def test_an_analysis_before_it_is_there(api: Api) -> None:
    receipt = api.submit()
    response = api.client.get(receipt["links"]["analysis"])
    problem = assert_problem(response, 404, "analysis-not-ready")
    assert problem["state"] == "queued"
    assert problem["links"]["job"] == receipt["links"]["job"]
    assert response.headers["Retry-After"] == "1"

    api.store.run(receipt["job_id"], Stage.STANCE)
    problem = assert_problem(
        api.client.get(receipt["links"]["analysis"]), 404, "analysis-not-ready"
    )
    assert problem["state"] == "running"


def test_an_analysis_that_will_not_come(api: Api) -> None:
    receipt = api.submit()
    api.store.fail(receipt["job_id"], JobFailure("too_slow", "It took too long."))
    problem = assert_problem(api.client.get(receipt["links"]["analysis"]), 409, "analysis-failed")
    assert problem["detail"] == "It took too long."
    assert problem["failure"]["code"] == "too_slow"
    assert api.client.post(problem["links"]["retry"]).status_code == 202

    receipt = api.submit()
    api.client.post(f"/v1/jobs/{receipt['job_id']}/cancel")
    assert_problem(api.client.get(receipt["links"]["analysis"]), 409, "analysis-cancelled")


def _spans(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        own = [value] if {"start", "end", "text"} <= value.keys() else []
        return own + [span for item in value.values() for span in _spans(item)]
    return [span for item in value for span in _spans(item)] if isinstance(value, list) else []


@pytest.mark.parametrize(
    ("unit", "codec", "width"),
    [("codepoint", "utf-32-le", 4), ("utf16", "utf-16-le", 2), ("utf8", "utf-8", 1)],
)
def test_offsets_count_in_the_unit_asked_for(api: Api, unit: str, codec: str, width: int) -> None:
    receipt = api.submit(text=TEXT, options={"offsets": unit})
    api.store.finish(receipt["job_id"], DOCUMENT)
    by_default = body(api.client.get(receipt["links"]["analysis"]))
    asked = body(api.client.get(f"{receipt['links']['analysis']}?offsets={unit}"))
    assert asked == by_default
    assert asked["offsets"] == unit
    encoded = TEXT.encode(codec)
    spans = _spans(asked)
    assert len(spans) > 10
    for span in spans:
        cut = encoded[span["start"] * width : span["end"] * width]
        assert cut.decode(codec) == span["text"]


def test_wrong_unit(api: Api) -> None:
    receipt = api.submit()
    response = api.client.get(receipt["links"]["analysis"] + "?offsets=lines")
    assert_problem(response, 422, "validation", "offsets")


def test_the_analysis_says_what_it_is_of(api: Api) -> None:
    receipt = api.submit(text=TEXT, title="T", source="S", url="https://a.example/")
    api.store.finish(receipt["job_id"], DOCUMENT)
    response = api.client.get(receipt["links"]["analysis"])
    analysis = body(response)
    assert analysis["article_id"] == receipt["article_id"]
    assert analysis["job_id"] == receipt["job_id"]
    assert analysis["text_sha256"] == receipt["text_sha256"]
    assert (analysis["title"], analysis["source"]) == ("T", "S")
    assert datetime.fromisoformat(analysis["created_at"]).tzinfo is not None
    etag = response.headers["ETag"]
    unchanged = api.client.get(receipt["links"]["analysis"], headers={"If-None-Match": etag})
    assert (unchanged.status_code, unchanged.data) == (304, b"")


def test_a_deleted_article_is_gone_with_all_that_was_made_of_it(api: Api) -> None:
    receipt = api.submit()
    assert api.client.delete(receipt["links"]["article"]).status_code == 204
    for link in receipt["links"].values():
        assert_problem(api.client.get(link), 410, "gone")
    assert_problem(api.client.delete(receipt["links"]["article"]), 410, "gone")
    assert_problem(api.client.delete(f"/v1/articles/{UNKNOWN}"), 404, "not-found")
