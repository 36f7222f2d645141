"""What the API tests share: an application over fakes, and the one way to assert an error."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.app import create_app
from service.problems import CONTENT_TYPE, PROBLEMS
from service.settings import load_settings
from tests.fakes import FakeDoorbell, FakeStore

UNKNOWN = "0199e3a1-5c00-7000-8000-ffffffffffff"


@dataclass
class Api:
    """An application over fakes."""

    store: FakeStore = field(default_factory=FakeStore)
    doorbell: FakeDoorbell = field(default_factory=FakeDoorbell)
    app: Flask = field(init=False)
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        settings = replace(load_settings(), max_request_bytes=3_000_000, max_wait=1)
        self.app = create_app(settings, self.store, self.doorbell)
        self.client = self.app.test_client()

    def submit(self, **article: Any) -> dict[str, Any]:
        """Submit an article as JSON and return the receipt."""
        response = self.client.post("/v1/articles", json={"text": "Some news.", **article})
        assert response.status_code == 202, response.text
        return body(response)


def body(response: TestResponse) -> dict[str, Any]:
    """The answer's JSON object."""
    document = response.get_json(force=True)
    assert isinstance(document, dict)
    return document


def assert_problem(response: TestResponse, status: int, name: str, *places: str) -> dict[str, Any]:
    """The answer is the problem `name`; `places` are the pointers or parameters it faults."""
    assert response.status_code == status, response.text
    assert response.content_type == CONTENT_TYPE
    document = body(response)
    kind = PROBLEMS[name]
    assert document["type"] == f"urn:stancewire:problem:{name}" == kind.uri
    assert document["status"] == status == kind.status
    assert document["title"] == kind.title
    assert document["detail"]
    assert document["request_id"] == response.headers["X-Request-Id"]
    errors = document.get("errors", [])
    assert all(error["detail"] for error in errors)
    found = [error.get("pointer", error.get("parameter")) for error in errors]
    assert sorted(found) == sorted(places)
    return document
