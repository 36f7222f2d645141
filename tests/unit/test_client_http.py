"""The HTTP client: what it sends, when it sends again, and what it raises."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from client import (
    ConflictError,
    GoneError,
    InvalidRequestError,
    JobNotFinishedError,
    NewArticle,
    NotFoundError,
    OverloadedError,
    ServerFaultError,
    ServiceUnreachableError,
    StancewireClient,
)

JOB = {"id": "j", "article_id": "a", "state": "queued", "stage": None, "progress": 0.0}
Answer = httpx.Response | Exception


class Script:
    """A transport that gives the scripted answers in turn and keeps the requests."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.pauses: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, **options: Any) -> StancewireClient:
        return StancewireClient(
            "http://service",
            transport=httpx.MockTransport(self),
            sleep=self.pauses.append,
            **options,
        )


def problem(status: int, headers: dict[str, str] | None = None, **members: Any) -> httpx.Response:
    document = {"type": "urn:x", "title": "T", "detail": "D", "request_id": "r", **members}
    return httpx.Response(status, json=document, headers=headers or {})


def job(state: str, **headers: str) -> httpx.Response:
    return httpx.Response(200, json={**JOB, "state": state}, headers=headers)


def test_a_submission_sends_only_what_is_set_and_a_key_to_repeat_it_by() -> None:
    script = Script(httpx.Response(202, json={"article_id": "a", "job_id": "j"}))

    receipt = script.client(api_key="secret").submit(NewArticle("Text.", title="T", targets=("x",)))

    assert (receipt.article_id, receipt.job_id) == ("a", "j")
    request = script.requests[0]
    expected = {"text": "Text.", "title": "T", "options": {"targets": ["x"]}}
    assert json.loads(request.content) == expected
    assert request.headers["Authorization"] == "Bearer secret"
    assert len(request.headers["Idempotency-Key"]) > 20


def test_a_lost_answer_is_asked_for_again_with_the_same_idempotency_key() -> None:
    script = Script(
        httpx.ReadError("cut off"),
        problem(503, {"Retry-After": "3"}),
        httpx.Response(202, json={"article_id": "a", "job_id": "j"}),
    )

    script.client().submit(NewArticle("Text."))

    keys = {request.headers["Idempotency-Key"] for request in script.requests}
    assert len(script.requests) == 3
    assert len(keys) == 1
    assert 0 < script.pauses[0] <= 0.2
    assert script.pauses[1] == 3


def test_a_request_that_is_still_being_answered_is_waited_for() -> None:
    in_flight = problem(409, {"Retry-After": "1"})
    script = Script(in_flight, httpx.Response(202, json={"article_id": "a", "job_id": "j"}))

    assert script.client().submit(NewArticle("Text.")).job_id == "j"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, NotFoundError),
        (409, ConflictError),
        (410, GoneError),
        (422, InvalidRequestError),
        (429, OverloadedError),
        (500, ServerFaultError),
        (503, OverloadedError),
    ],
)
def test_each_problem_raises_its_error(status: int, error: type[Exception]) -> None:
    script = Script(problem(status, errors=[{"pointer": "/text", "detail": "too long"}]))

    with pytest.raises(error) as raised:
        script.client(retries=0).job("j")

    found = raised.value.problem  # type: ignore[attr-defined]
    assert (found.status, found.type, found.request_id) == (status, "urn:x", "r")
    assert str(raised.value) == "D; /text: too long"


def test_an_error_that_is_no_problem_document_is_still_told() -> None:
    script = Script(httpx.Response(500, text="<h1>oops</h1>"))

    with pytest.raises(ServerFaultError, match="HTTP 500"):
        script.client().job("j")


def test_a_service_that_is_not_there_is_unreachable_after_the_retries() -> None:
    script = Script(*[httpx.ConnectError("refused")] * 3)

    with pytest.raises(ServiceUnreachableError, match="refused"):
        script.client(retries=2).job("j")
    assert len(script.pauses) == 2


def test_a_url_that_is_none_is_unreachable_at_once() -> None:
    with pytest.raises(ServiceUnreachableError):
        StancewireClient("ftp://service").job("j")


def test_waiting_polls_by_etag_at_the_pace_that_the_service_asks_for() -> None:
    script = Script(
        job("queued", **{"ETag": '"1"', "Retry-After": "2"}),
        httpx.Response(304, headers={"ETag": '"1"', "Retry-After": "2"}),
        job("running", ETag='"2"'),
        job("succeeded", ETag='"3"'),
    )
    seen: list[str] = []

    final = script.client().wait("j", on_change=lambda found: seen.append(found.state))

    assert final.state == "succeeded"
    assert seen == ["queued", "running", "succeeded"]
    assert script.requests[1].headers["If-None-Match"] == '"1"'
    assert script.requests[3].headers["If-None-Match"] == '"2"'
    assert script.pauses[:2] == [2, 2]


def test_waiting_gives_up_in_time() -> None:
    script = Script(job("queued", **{"Retry-After": "1"}))

    with pytest.raises(JobNotFinishedError, match="still queued"):
        script.client().wait("j", timeout=0)


def test_a_batch_answers_for_each_article() -> None:
    items = [
        {"index": 0, "status": 202, "article_id": "a", "job_id": "j"},
        {"index": 1, "status": 422, "problem": {"status": 422, "detail": "empty"}},
    ]
    script = Script(httpx.Response(202, json={"items": items}))

    accepted, refused = script.client().batch([NewArticle("x"), NewArticle("")])

    assert accepted.receipt is not None
    assert accepted.receipt.job_id == "j"
    assert refused.problem is not None
    assert refused.problem.detail == "empty"


def test_a_delete_whose_answer_was_lost_has_done_its_work() -> None:
    script = Script(httpx.ReadError("cut off"), problem(410))

    script.client().delete("a")

    assert len(script.requests) == 2


def test_a_second_delete_is_told_that_the_article_is_gone() -> None:
    with pytest.raises(GoneError):
        Script(problem(410)).client().delete("a")


def test_the_unit_of_offsets_is_always_asked_for() -> None:
    script = Script(httpx.Response(200, json={}), httpx.Response(200, json={}))
    client = script.client()

    client.analysis("a")
    client.analysis("a", offsets="utf16")

    assert [request.url.query for request in script.requests] == [
        b"offsets=codepoint",
        b"offsets=utf16",
    ]


def test_a_key_that_has_made_its_requests_waits_for_the_next_minute() -> None:
    script = Script(problem(429, {"Retry-After": "41"}), job("queued"))

    script.client().job("j")

    assert script.pauses == [41]


def test_a_quota_of_the_day_is_not_waited_for() -> None:
    script = Script(problem(429, {"Retry-After": "40000"}))

    with pytest.raises(OverloadedError):
        script.client().job("j")
    assert script.pauses == []
