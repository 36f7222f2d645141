"""Health, models, pages, request ids, and what happens when the fault is ours."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from api_support import Api, assert_problem, body

from service.domain.ports import WorkerInfo
from service.problems import PROBLEMS
from service.telemetry.logs import JsonLines

NOW = datetime(2026, 1, 5, tzinfo=UTC)
NER = {"name": "ner", "task": "ner", "version": "1", "sha256": "ab", "metrics": {"f1": 0.9}}


def worker(id_: str, *models: dict[str, Any], pipeline: str = "p1") -> WorkerInfo:
    return WorkerInfo(id_, pipeline, models, NOW, NOW)


@pytest.fixture
def api() -> Api:
    return Api()


def test_liveness_looks_at_nothing(api: Api) -> None:
    api.store.away = api.doorbell.away = True
    assert api.client.get("/livez").status_code == 200


def test_readiness_names_what_is_missing(api: Api) -> None:
    response = api.client.get("/readyz")
    problem = assert_problem(response, 503, "not-ready")
    assert problem["checks"] == {"database": "ok", "broker": "ok", "workers": "no heartbeat"}
    assert response.headers["Retry-After"] == "5"

    api.store.workers = (worker("w1"),)
    assert body(api.client.get("/readyz"))["status"] == "ok"

    api.doorbell.away = True
    problem = assert_problem(api.client.get("/readyz"), 503, "not-ready")
    assert problem["checks"]["broker"] == "does not answer"

    api.store.away = True
    problem = assert_problem(api.client.get("/readyz"), 503, "not-ready")
    assert problem["checks"]["database"] == "does not answer"


def test_models_of_the_live_workers(api: Api) -> None:
    assert body(api.client.get("/v1/models")) == {"models": []}
    stance = {"name": "stance", "sha256": "cd"}
    api.store.workers = (
        worker("w1", NER, stance),
        worker("w2", NER),
        worker("w3", NER, pipeline="p2"),
    )
    models = body(api.client.get("/v1/models"))["models"]
    found = [(model["name"], model["pipeline_version"], model["workers"]) for model in models]
    assert found == [("ner", "p1", 2), ("ner", "p2", 1), ("stance", "p1", 1)]
    assert models[0]["metrics"] == {"f1": 0.9}
    assert models[0]["calibrated"] is False
    assert models[2]["version"] is None


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_load_nothing_from_elsewhere(api: Api, path: str) -> None:
    response = api.client.get(path)
    assert response.mimetype == "text/html"
    assert "http:" not in response.text
    assert "https:" not in response.text
    assert "<script>" not in response.text
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for asset in ("/assets/docs.js", "/assets/pages.css"):
        assert api.client.get(asset).status_code == 200


def test_the_documentation_comes_from_a_package_here(api: Api) -> None:
    with api.client.get("/assets/swagger/swagger-ui-bundle.js") as script:
        assert script.status_code == 200
        assert script.mimetype == "text/javascript"
        assert len(script.data) > 500_000
    for path in ("/assets/swagger/index.html", "/assets/swagger/..%2Fflask_swagger_ui.py"):
        assert_problem(api.client.get(path), 404, "not-found")


def test_the_document_is_served(api: Api) -> None:
    response = api.client.get("/openapi.json")
    assert body(response)["openapi"].startswith("3.1")
    again = api.client.get("/openapi.json", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


def test_request_ids(api: Api) -> None:
    given = api.client.get("/livez", headers={"X-Request-Id": "abc-123_x.Y"})
    assert given.headers["X-Request-Id"] == "abc-123_x.Y"
    for bad in ("a b", "x" * 65, 'a"b', ""):
        response = api.client.get("/livez", headers={"X-Request-Id": bad})
        assert len(response.headers["X-Request-Id"]) == 36
    problem = assert_problem(
        api.client.get("/nothing", headers={"X-Request-Id": "mine"}), 404, "not-found"
    )
    assert problem["request_id"] == "mine"


def test_what_is_our_fault_says_nothing_about_us(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(api.store, "jobs", broken)
    response = api.client.get("/v1/jobs")
    assert_problem(response, 500, "internal-error")
    assert "secret" not in response.text
    assert "secret detail" in caplog.text
    assert api.client.get("/livez").status_code == 200


def test_each_request_is_one_json_line(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="service.requests"):
        api.client.get("/nothing\n", headers={"X-Request-Id": "r1"})
    lines = [JsonLines().format(record) for record in caplog.records]
    assert len(lines) == 1
    assert "\n" not in lines[0]
    line = json.loads(lines[0])
    assert line["request_id"] == "r1"
    assert (line["method"], line["status"], line["problem"]) == ("GET", 404, "not-found")


def test_every_answer_is_hardened(api: Api) -> None:
    rules = api.app.url_map.iter_rules()
    paths = [rule.rule.replace("<", "").replace(">", "") for rule in rules]
    assert {"/", "/docs", "/openapi.json", "/metrics", "/v1/jobs"} <= set(paths)
    pages = set()
    for path in (*paths, "/nothing", "/assets/docs.js", "/assets/swagger/swagger-ui.css"):
        with api.client.get(path) as response:
            headers = response.headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        policy = dict(
            directive.strip().partition(" ")[::2]
            for directive in headers["Content-Security-Policy"].split(";")
        )
        assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
        if response.mimetype != "text/html":
            assert len(policy) == 2
            continue
        pages.add(path)
        assert policy["base-uri"] == policy["form-action"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["img-src"] == "'self' data:"
        assert len(policy) == 8
        assert headers["X-Frame-Options"] == "DENY"
    # Every other page would need its own look.
    assert pages == {"/", "/docs"}


def test_a_line_of_the_log_cannot_be_forged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    forged = '{"level": "ERROR"}'
    with caplog.at_level(logging.DEBUG):
        api.client.get(f"/x%0a%0d%e2%80%a8{forged}", headers={"User-Agent": forged})
        api.client.get("/livez", headers={"X-Request-Id": forged})
    lines = "\n".join(JsonLines().format(record) for record in caplog.records).split("\n")
    assert len(lines) == 2
    assert [json.loads(line)["level"] for line in lines] == ["INFO", "INFO"]
    assert all(line.isascii() and line.isprintable() for line in lines)


def test_problem_types_are_unique_and_errors() -> None:
    assert len({kind.uri for kind in PROBLEMS.values()}) == len(PROBLEMS)
    assert all(400 <= kind.status < 600 for kind in PROBLEMS.values())
