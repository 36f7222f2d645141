"""`/metrics` of the API: what it counts, and what it reads from the store when it is asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from api_support import UNKNOWN, Api
from prometheus_client.parser import text_string_to_metric_families

from service.app import create_app
from service.domain.job import JobFailure
from service.domain.ports import WorkerInfo
from service.settings import load_settings

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def api() -> Api:
    return Api()


def scrape(api: Api) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Name and labels → value, as Prometheus reads it."""
    response = api.client.get("/metrics")
    assert response.status_code == 200
    assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def labels(**found: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(found.items()))


def test_requests_are_counted_by_route_not_by_path(api: Api) -> None:
    for path in (f"/v1/jobs/{UNKNOWN}", "/v1/jobs/none", "/nothing", "/else"):
        api.client.get(path)
    api.client.open("/livez", method="BREW")
    found = scrape(api)

    def requests(**about: str) -> float:
        return found["stancewire_http_requests_total", labels(**about)]

    assert requests(method="GET", route="/v1/jobs/<job_id>", status="404") == 2
    assert requests(method="GET", route="none", status="404") == 2
    assert requests(method="other", route="none", status="405") == 1
    about = labels(method="GET", route="/v1/jobs/<job_id>")
    assert found["stancewire_http_request_seconds_count", about] == 2


def test_queued_jobs_and_the_broker_that_refuses_them(api: Api) -> None:
    about = labels(queue="interactive")
    before = scrape(api)
    assert before["stancewire_jobs_queued_total", about] == 0
    assert before["stancewire_doorbell_failures_total", about] == 0
    api.submit()
    api.doorbell.away = True
    api.submit()
    api.client.post("/v1/batches", json=[{"text": "a"}, {"text": "b"}])
    after = scrape(api)
    assert after["stancewire_jobs_queued_total", about] == 2
    assert after["stancewire_doorbell_failures_total", about] == 1
    assert after["stancewire_doorbell_failures_total", labels(queue="bulk")] == 2


def test_queues_workers_and_failures_come_from_the_store(api: Api) -> None:
    empty = scrape(api)
    for state in ("queued", "running"):
        for queue in ("interactive", "bulk"):
            assert empty["stancewire_jobs", labels(queue=queue, state=state)] == 0
    assert empty["stancewire_live_workers", ()] == 0
    assert empty["stancewire_database_up", ()] == 1

    failing = api.submit()["job_id"]
    api.store.fail(failing, JobFailure("attempts_exhausted", "…"))
    api.submit()
    api.store.workers = tuple(
        WorkerInfo(f"w{number}", version, (), NOW, NOW) for number, version in enumerate("aab")
    )
    found = scrape(api)
    about = labels(queue="interactive", state="queued")
    assert found["stancewire_jobs", about] == 1
    assert found["stancewire_oldest_job_seconds", about] == 12
    assert found["stancewire_outbox_lag_seconds", labels(queue="interactive")] == 12
    assert found["stancewire_recent_failures", labels(code="attempts_exhausted")] == 1
    assert found["stancewire_live_workers", ()] == 3
    assert found["stancewire_pipeline_workers", labels(pipeline_version="a")] == 2


def test_webhooks_that_have_not_arrived() -> None:
    api = Api()
    settings = replace(load_settings(), webhook_secret=SECRET)
    api.client = create_app(settings, api.store, api.doorbell).test_client()
    empty = scrape(api)
    for state in ("pending", "failed", "disabled"):
        assert empty["stancewire_webhook_deliveries", labels(state=state)] == 0
    assert empty["stancewire_webhook_overdue_seconds", ()] == 0
    job_id = api.submit(options={"callback_url": "https://hooks.example/"})["job_id"]
    api.store.fail(job_id, JobFailure("unreadable", "…"))
    found = scrape(api)
    assert found["stancewire_webhook_deliveries", labels(state="pending")] == 1
    assert found["stancewire_webhook_overdue_seconds", ()] == 7


def test_a_broker_that_is_away_is_a_figure(api: Api) -> None:
    assert scrape(api)["stancewire_broker_up", ()] == 1
    api.doorbell.away = True
    found = scrape(api)
    assert found["stancewire_broker_up", ()] == 0
    assert found["stancewire_database_up", ()] == 1


def test_a_database_that_is_away_is_a_figure(api: Api) -> None:
    api.store.away = True
    api.client.get("/v1/jobs")
    found = scrape(api)
    assert found["stancewire_database_up", ()] == 0
    assert ("stancewire_live_workers", ()) not in found
    about = labels(method="GET", route="/v1/jobs", status="503")
    assert found["stancewire_http_requests_total", about] == 1
