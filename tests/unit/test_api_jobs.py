"""Follow, list, cancel and retry jobs."""

from __future__ import annotations

import re

import pytest
from api_support import UNKNOWN, Api, assert_problem, body

from service.domain.documents import to_document
from service.domain.job import JobFailure, Stage
from service.schemas.example_analysis import EXAMPLE


@pytest.fixture
def api() -> Api:
    return Api()


def test_a_job_on_its_way(api: Api) -> None:
    job_id = api.submit()["job_id"]
    api.store.run(job_id, Stage.ATTRIBUTE)
    response = api.client.get(f"/v1/jobs/{job_id}")
    job = body(response)
    assert (job["state"], job["stage"], job["progress"]) == ("running", "attribute", 0.4286)
    assert response.headers["Retry-After"] == "1"
    etag = {"If-None-Match": response.headers["ETag"]}

    unchanged = api.client.get(f"/v1/jobs/{job_id}", headers=etag)
    assert (unchanged.status_code, unchanged.data) == (304, b"")
    assert unchanged.headers["Retry-After"] == "1"

    api.store.finish(job_id, to_document(EXAMPLE))
    done = api.client.get(f"/v1/jobs/{job_id}", headers=etag)
    assert (done.status_code, body(done)["state"], body(done)["progress"]) == (200, "succeeded", 1)
    assert "Retry-After" not in done.headers


def test_unknown_jobs(api: Api) -> None:
    assert_problem(api.client.get(f"/v1/jobs/{UNKNOWN}"), 404, "not-found")
    assert_problem(api.client.post(f"/v1/jobs/{UNKNOWN}/cancel"), 404, "not-found")
    assert_problem(api.client.post(f"/v1/jobs/{UNKNOWN}/retry"), 404, "not-found")


def test_cancel(api: Api) -> None:
    job_id = api.submit()["job_id"]
    for _ in range(2):
        response = api.client.post(f"/v1/jobs/{job_id}/cancel")
        assert (response.status_code, body(response)["state"]) == (200, "cancelled")
    done = api.submit()["job_id"]
    api.store.finish(done, to_document(EXAMPLE))
    assert_problem(api.client.post(f"/v1/jobs/{done}/cancel"), 409, "state-conflict")


def test_retry(api: Api) -> None:
    job_id = api.submit()["job_id"]
    assert_problem(api.client.post(f"/v1/jobs/{job_id}/retry"), 409, "state-conflict")
    api.store.fail(job_id, JobFailure("attempts_exhausted", "Tried 3 times."))
    assert body(api.client.get(f"/v1/jobs/{job_id}"))["failure"] == {
        "code": "attempts_exhausted",
        "detail": "Tried 3 times.",
    }
    response = api.client.post(f"/v1/jobs/{job_id}/retry")
    assert (response.status_code, body(response)["state"]) == (202, "queued")
    assert response.headers["Location"] == f"/v1/jobs/{job_id}"
    assert [rung for rung, _ in api.doorbell.rings] == [job_id, job_id]


def test_pages(api: Api) -> None:
    submitted = [api.submit(source="A & B")["job_id"] for _ in range(5)]
    api.submit(source="other")
    address: str | None = "/v1/jobs?limit=2&source=A+%26+B"
    seen = []
    pages = 0
    while address is not None:
        response = api.client.get(address)
        page = body(response)
        seen += [job["id"] for job in page["jobs"]]
        pages += 1
        link = re.fullmatch(r'<(.+)>; rel="next"', response.headers.get("Link", ""))
        assert (link is None) == (page["next_cursor"] is None)
        address = link and link[1]
    assert seen == submitted[::-1]
    assert pages == 3


def test_filters(api: Api) -> None:
    first, second = api.submit(), api.submit()
    api.client.post(f"/v1/jobs/{first['job_id']}/cancel")

    def listed(query: str) -> list[str]:
        return [job["id"] for job in body(api.client.get(f"/v1/jobs?{query}"))["jobs"]]

    assert listed("state=cancelled") == [first["job_id"]]
    assert listed("state=queued") == [second["job_id"]]
    assert listed(f"article_id={second['article_id']}") == [second["job_id"]]
    assert listed("created_before=2020-01-01") == []
    assert len(listed("created_after=2020-01-01T00:00:00Z")) == 2
    assert listed(f"batch_id={UNKNOWN}") == []


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("state=done", "state"),
        ("cursor=x", "cursor"),
        ("batch_id=%00", "batch_id"),
        ("source=%00", "source"),
        ("created_after=today", "created_after"),
        ("page=2", "page"),
        ("limit=1&limit=2", "limit"),
    ],
)
def test_bad_queries(api: Api, query: str, place: str) -> None:
    assert_problem(api.client.get(f"/v1/jobs?{query}"), 422, "validation", place)
