"""Ties a view to its route and to its place in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask.typing import ResponseReturnValue
from flask_smorest import Blueprint
from marshmallow import Schema

from service.problems import CONTENT_TYPE, PROBLEMS
from service.schemas.examples import problem_example
from service.schemas.fields import UUID_PATTERN
from service.schemas.problem import ProblemSchema

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])

ETAG = {"ETag": {"description": "Names this state of the resource.", "schema": {"type": "string"}}}
RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds after which to look again.",
        "schema": {"type": "integer", "minimum": 0},
    }
}
LOCATION = {
    "Location": {
        "description": "The job.",
        "schema": {"type": "string", "format": "uri-reference"},
    }
}
REPLAYED = {
    "Idempotency-Replayed": {
        "description": "`true` when this is the stored answer to an earlier request.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}

IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "description": "An ETag received before: answers 304 while nothing has changed.",
    "schema": {"type": "string"},
}
IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": "Makes the request safe to send again: the same key and request get the same "
    "answer, another request with the key 422, and 409 while the first is being answered.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
PREFER = {
    "in": "header",
    "name": "Prefer",
    "description": "`wait=N` (RFC 7240): wait up to N seconds for the result.",
    "schema": {"type": "string"},
    "example": "wait=10",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer: its meaning, schema, headers and examples by name."""

    description: str
    schema: type[Schema] | None = None
    headers: Mapping[str, Any] = field(default_factory=dict)
    examples: Mapping[str, Any] = field(default_factory=dict)
    # An answer that is no JSON: media type → its part of the document.
    content: Mapping[str, Any] = field(default_factory=dict)
    # What can be asked with this answer's values: name → OpenAPI link, see `link`.
    links: Mapping[str, Any] = field(default_factory=dict)


def link(view: str, description: str, **values: str) -> dict[str, Any]:
    """An OpenAPI link to the operation of `view`; `values` are its parameters, each by the JSON
    Pointer of this answer's member that has the value."""
    parameters = {name: f"$response.body#{pointer}" for name, pointer in values.items()}
    return {"operationId": _camel(view), "parameters": parameters, "description": description}


def job_links(pointer: str) -> dict[str, Any]:
    """What can be done with the job whose id stands at `pointer`."""
    return {
        "job": link("get_job", "Follow the job.", job_id=pointer),
        "cancel": link("cancel_job", "Cancel it.", job_id=pointer),
        "retry": link("retry_job", "Run it again if it failed.", job_id=pointer),
        "deliveries": link("list_deliveries", "Who was told of its end.", job_id=pointer),
    }


def article_links(pointer: str) -> dict[str, Any]:
    """What can be done with the article whose id stands at `pointer`."""
    return {
        "article": link("get_article", "Read the article.", article_id=pointer),
        "analysis": link("get_analysis", "Read its analysis.", article_id=pointer),
        "delete": link(
            "delete_article", "Delete it with all that hangs on it.", article_id=pointer
        ),
        "jobs": link("list_jobs", "The article's jobs.", article_id=pointer),
    }


def delivery_links(pointer: str) -> dict[str, Any]:
    """What can be done with the webhook delivery whose id stands at `pointer`."""
    return {
        "delivery": link("get_delivery", "Look at the delivery.", delivery_id=pointer),
        "redeliver": link("redeliver", "Send it again.", delivery_id=pointer),
    }


NOT_MODIFIED = Answer("Nothing has changed since the ETag.", headers=ETAG)


def operation(
    blueprint: Blueprint,
    rule: str,
    *,
    method: str = "GET",
    answers: Mapping[int, Answer],
    problems: Sequence[str] = (),
    query: type[Schema] | None = None,
    headers: Sequence[Mapping[str, Any]] = (),
    body: Mapping[str, Any] | None = None,
) -> Callable[[View], View]:
    """Register a view; its name is the endpoint and, in camel case, the operationId.

    `problems` names rows of the problem table; `internal-error` is always among them.
    """

    def decorate(view: View) -> View:
        parameters: list[Any] = [dict(header) for header in headers]
        if query is not None:
            parameters.append({"in": "query", "schema": query})
        manual: dict[str, Any] = {
            "operationId": _camel(view.__name__),
            "responses": {
                **{str(status): _answer(answer) for status, answer in answers.items()},
                **_problems((*problems, "internal-error")),
            },
        }
        if parameters:
            manual["parameters"] = parameters
        if body is not None:
            manual["requestBody"] = {"required": True, "content": dict(body)}
        documented = blueprint.doc(**manual)(view)
        path = [
            {"in": "path", "name": name, "schema": {"type": "string", "pattern": UUID_PATTERN}}
            for name in ("job_id", "article_id", "delivery_id")
            if f"<{name}>" in rule
        ]
        blueprint.add_url_rule(
            rule,
            endpoint=view.__name__,
            view_func=documented,
            methods=[method],
            parameters=path,
        )
        return view

    return decorate


def _answer(answer: Answer) -> dict[str, Any]:
    document: dict[str, Any] = {"description": answer.description}
    if answer.headers:
        document["headers"] = dict(answer.headers)
    if answer.schema is not None:
        content: dict[str, Any] = {"schema": answer.schema}
        if answer.examples:
            content["examples"] = {k: {"value": v} for k, v in answer.examples.items()}
        document["content"] = {"application/json": content}
    if answer.content:
        document["content"] = dict(answer.content)
    if answer.links:
        document["links"] = dict(answer.links)
    return document


def _problems(names: Sequence[str]) -> dict[str, Any]:
    """One response per status; its description and examples name every type."""
    documents: dict[str, Any] = {}
    for name in names:
        kind = PROBLEMS[name]
        document = documents.setdefault(
            str(kind.status),
            {"description": "", "content": {CONTENT_TYPE: {"schema": ProblemSchema}}},
        )
        lead = document["description"] + " " if document["description"] else ""
        document["description"] = f"{lead}{kind.title}: {kind.detail}"
        examples = document["content"][CONTENT_TYPE].setdefault("examples", {})
        examples[name] = {"value": problem_example(kind)}
        if kind.retry_after is not None:
            document["headers"] = RETRY_AFTER
    return documents


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
