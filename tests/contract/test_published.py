"""The committed contract is the one that is served, and its examples keep to it."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from flask import Flask
from marshmallow import fields

from service.domain import analysis
from service.openapi import contents, contract
from service.schemas.analysis import AnalysisDocumentSchema
from service.schemas.examples import FILES

FOLDER = Path(__file__).parents[2] / "api_spec"
CONTRACT = contract()
METHODS = {"get", "post", "put", "patch", "delete"}
OPERATIONS = [
    (path, method, operation)
    for path, item in CONTRACT["paths"].items()
    for method, operation in item.items()
    if method in METHODS
]


def validate(document: Any, schema: dict[str, Any]) -> None:
    """`document` keeps to `schema`, whose references lead into the contract."""
    whole = {**schema, "components": CONTRACT["components"]}
    jsonschema.Draft202012Validator.check_schema(whole)
    jsonschema.Draft202012Validator(
        whole, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    ).validate(document)


def reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def test_the_committed_files_are_current() -> None:
    found = {
        str(path.relative_to(FOLDER)): path.read_text("utf-8") for path in FOLDER.rglob("*.json")
    }
    assert found == contents(), "run `python -m service.openapi` and commit what it writes"


def test_the_app_serves_the_committed_document(app: Flask) -> None:
    served = app.test_client().get("/openapi.json").get_json()
    assert served == json.loads((FOLDER / "openapi.json").read_text("utf-8"))


@pytest.mark.parametrize(("name", "schema"), [(name, schema) for name, schema, _ in FILES])
def test_example_files_keep_to_their_schema(name: str, schema: str) -> None:
    document = json.loads((FOLDER / "examples" / f"{name}.json").read_text("utf-8"))
    validate(document, reference(schema))


@pytest.mark.parametrize(
    ("path", "method", "operation"), OPERATIONS, ids=[f"{m} {p}" for p, m, _ in OPERATIONS]
)
def test_each_operation_is_documented_in_full(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    assert operation["operationId"]
    assert operation["summary"]
    assert operation["tags"]
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    assert bodies or method != "post" or "{" in path
    for status, answer in operation["responses"].items():
        assert answer["description"], status
        if int(status) >= 400:
            assert list(answer["content"]) == ["application/problem+json"]
        bodies.append(answer)
    for media in (media for body in bodies for media in body.get("content", {}).values()):
        examples = [one["value"] for one in media.get("examples", {}).values()]
        examples += [media["example"]] if "example" in media else []
        assert examples, "an example for each body"
        for example in examples:
            validate(example, media["schema"])


def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(ids) == len(set(ids))


LINKS = [
    (f"{operation['operationId']} {status} {name}", answer, link)
    for _, _, operation in OPERATIONS
    for status, answer in operation["responses"].items()
    for name, link in answer.get("links", {}).items()
]


@pytest.mark.parametrize(("answer", "link"), [one[1:] for one in LINKS], ids=[a for a, *_ in LINKS])
def test_links_lead_from_what_an_answer_has_to_what_an_operation_takes(
    answer: dict[str, Any], link: dict[str, Any]
) -> None:
    path, target = next(
        (path, operation)
        for path, _, operation in OPERATIONS
        if operation["operationId"] == link["operationId"]
    )
    shared = CONTRACT["paths"][path].get("parameters", [])
    taken = {parameter["name"] for parameter in [*shared, *target.get("parameters", [])]}
    assert link["description"]
    assert link["parameters"].keys() <= taken
    examples = [one["value"] for one in answer["content"]["application/json"]["examples"].values()]
    for expression in link["parameters"].values():
        pointer = expression.removeprefix("$response.body#/")
        for example in examples:
            assert _at(example, pointer.split("/")) is not None or pointer == "next_cursor"


def _at(document: Any, steps: list[str]) -> Any:
    for step in steps:
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def test_every_operation_on_one_thing_is_linked_to() -> None:
    """Who submits an article finds everything else by links."""
    linked = {link["operationId"] for *_, link in LINKS}
    on_one = {
        operation["operationId"]
        for path, _, operation in OPERATIONS
        if path.endswith(("_id}", "cancel"))
    }
    assert on_one <= linked
    assert {"getAnalysis", "retryJob", "redeliver", "listJobs", "listDeliveries"} <= linked


def test_every_object_schema_is_strict() -> None:
    open_on_purpose = {"Problem"}
    loose = {
        name
        for name, schema in CONTRACT["components"]["schemas"].items()
        if schema.get("additionalProperties") is not False
    }
    assert loose == open_on_purpose


def test_the_analysis_schema_is_the_domain_field_by_field() -> None:
    _same(analysis.Analysis, AnalysisDocumentSchema())


def _same(kind: type, schema: Any) -> None:
    hints = typing.get_type_hints(kind)
    names = {field.name for field in dataclasses.fields(kind)}
    assert set(schema.fields) == names, kind
    for name in names:
        field, hint = schema.fields[name], hints[name]
        assert field.required, f"{kind.__name__}.{name}"
        options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
        assert field.allow_none == (type(None) in options), f"{kind.__name__}.{name}"
        (hint,) = [option for option in options if option is not type(None)]
        if typing.get_origin(hint) is tuple:
            assert isinstance(field, fields.List), f"{kind.__name__}.{name}"
            field, hint = field.inner, typing.get_args(hint)[0]
        if dataclasses.is_dataclass(hint):
            assert isinstance(hint, type)
            assert isinstance(field, fields.Nested), f"{kind.__name__}.{name}"
            _same(hint, field.schema)
        else:
            assert isinstance(field, _field_type(hint)), f"{kind.__name__}.{name}"


def _field_type(hint: Any) -> type[fields.Field[Any]]:
    plain: dict[Any, type[fields.Field[Any]]] = {
        bool: fields.Boolean,
        int: fields.Integer,
        float: fields.Float,
        datetime: fields.String,
    }
    if typing.get_origin(hint) is dict:
        return fields.Dict
    return plain.get(hint, fields.String)


def test_answers_keep_to_the_contract(app: Flask) -> None:
    """Real answers, the good and the bad, of one walk through the API."""
    client = app.test_client()
    wished = {"text": "Some news.", "options": {"callback_url": "https://hooks.example/a"}}
    receipt = client.post("/v1/articles", json=wished).get_json()
    deliveries = client.get("/v1/webhook_deliveries").get_json()["webhook_deliveries"]
    told = f"/v1/webhook_deliveries/{deliveries[0]['id']}"
    one = "/v1/webhook_deliveries/{delivery_id}"
    article, job = receipt["article_id"], receipt["job_id"]
    walk: list[tuple[str, str, str, dict[str, Any]]] = [
        ("get", "/v1/jobs/{job_id}", f"/v1/jobs/{job}", {}),
        ("get", "/v1/jobs", "/v1/jobs", {}),
        ("get", "/v1/jobs", "/v1/jobs?limit=0", {}),
        ("post", "/v1/jobs/{job_id}/cancel", f"/v1/jobs/{job}/cancel", {}),
        ("post", "/v1/jobs/{job_id}/retry", f"/v1/jobs/{job}/retry", {}),
        ("get", "/v1/articles/{article_id}", f"/v1/articles/{article}", {}),
        ("get", "/v1/articles/{article_id}/analysis", f"/v1/articles/{article}/analysis", {}),
        ("get", "/v1/webhook_deliveries", "/v1/webhook_deliveries", {}),
        ("get", one, told, {}),
        ("post", f"{one}/redeliver", f"{told}/redeliver", {}),
        ("get", "/v1/models", "/v1/models", {}),
        ("get", "/livez", "/livez", {}),
        ("get", "/readyz", "/readyz", {}),
        ("post", "/v1/articles", "/v1/articles", {"json": {"text": "a"}}),
        ("post", "/v1/articles", "/v1/articles", {"json": {"text": ""}}),
        ("post", "/v1/articles", "/v1/articles", {"data": b"\xff", "content_type": "text/plain"}),
        ("post", "/v1/articles", "/v1/articles", {"data": b"a", "content_type": "a/b"}),
        ("post", "/v1/batches", "/v1/batches", {"json": [{"text": "a"}, {"text": ""}]}),
        ("get", "/v1/articles/{article_id}", "/v1/articles/none", {}),
    ]
    statuses = set()
    for method, path, address, sent in walk:
        response = client.open(address, method=method.upper(), **sent)
        documented = CONTRACT["paths"][path][method]["responses"][str(response.status_code)]
        (kind, media), *more = documented["content"].items()
        assert not more
        assert response.content_type == kind
        validate(response.get_json(force=True), media["schema"])
        statuses.add(response.status_code)
    assert statuses == {200, 202, 207, 400, 404, 409, 415, 422}
