"""Ties a view to its route and to its place in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar, cast

from flask import g, request
from flask.typing import ResponseReturnValue
from flask_smorest import Blueprint
from marshmallow import Schema

from service.domain.key import Scope
from service.problems import CONTENT_TYPE, PROBLEMS
from service.routes.context import context
from service.schemas.examples import problem_example
from service.schemas.fields import UUID_PATTERN
from service.schemas.problem import ProblemSchema

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])

ETAG = {"ETag": {"description": "Names this state of the resource.", "schema": {"type": "string"}}}
NEXT = {
    "Link": {
        "description": 'The next page: `<…>; rel="next"` (RFC 8288).',
        "schema": {"type": "string"},
    }
}
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

# Named once in the document, as almost every answer has them.
RATE_LIMIT_HEADERS: dict[str, Any] = {
    "RateLimit-Policy": {
        "description": 'The requests that the key may make in a minute: `"requests";q=60;w=60` '
        "(draft-ietf-httpapi-ratelimit-headers). Only with a key that has a limit.",
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": "How many are left, and the seconds until there are all again: "
        '`"requests";r=59;t=60`.',
        "schema": {"type": "string"},
    },
}
_RATE_LIMIT: dict[str, Any] = {
    name: {"$ref": f"#/components/headers/{name}"} for name in RATE_LIMIT_HEADERS
}
CHALLENGE = {
    "WWW-Authenticate": {
        "description": "`Bearer`, and what is wrong with the key or which scope is missing.",
        "schema": {"type": "string"},
    }
}

# The name of the security scheme in the document.
API_KEY = "api_key"

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

# What may go wrong before the view is asked.
_GUARD_PROBLEMS = ("unauthorized", "insufficient-scope", "rate-limited", "store-unavailable")

_SCOPE_OF_METHOD = {"GET": Scope.READ, "POST": Scope.WRITE, "DELETE": Scope.WRITE}


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
    scope: Scope | None = None,
    open_to_all: bool = False,
    security: Sequence[Mapping[str, Any]] = (),
) -> Callable[[View], View]:
    """Register a view; its name is the endpoint and, in camel case, the operationId.

    `problems` names rows of the problem table; `internal-error` is always among them. The caller
    needs a key with `scope`, by default `read` for a GET and `write` for anything else, unless the
    operation is `open_to_all`. `security` documents one that is and yet decides for itself.
    """
    needed = None if open_to_all else scope or _SCOPE_OF_METHOD[method]

    def decorate(view: View) -> View:
        guarded = view if needed is None else _guarded(view, needed)
        possible = (*problems, *(() if needed is None else _GUARD_PROBLEMS), "internal-error")
        parameters: list[Any] = [dict(header) for header in headers]
        if query is not None:
            parameters.append({"in": "query", "schema": query})
        manual: dict[str, Any] = {
            "operationId": _camel(view.__name__),
            "responses": {
                **{
                    str(status): _answer(answer, limited=needed is not None)
                    for status, answer in answers.items()
                },
                **_problems(tuple(dict.fromkeys(possible))),
            },
        }
        if needed is not None:
            manual["security"] = [{API_KEY: [needed.value]}]
        elif security:
            manual["security"] = list(security)
        if parameters:
            manual["parameters"] = parameters
        if body is not None:
            manual["requestBody"] = {"required": True, "content": dict(body)}
        documented = blueprint.doc(**manual)(guarded)
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


def _guarded(view: View, scope: Scope) -> View:
    """The view, asked only by callers who may."""

    @wraps(view)
    def guarded(*arguments: Any, **named: Any) -> ResponseReturnValue:
        g.admission = context().access.admit(request.headers.get("Authorization"), scope)
        return view(*arguments, **named)

    return cast(View, guarded)


def _answer(answer: Answer, *, limited: bool) -> dict[str, Any]:
    document: dict[str, Any] = {"description": answer.description}
    headers = {**answer.headers, **(_RATE_LIMIT if limited else {})}
    if headers:
        document["headers"] = headers
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
        headers: dict[str, Any] = dict(RETRY_AFTER if kind.retry_after is not None else {})
        headers |= CHALLENGE if kind.status in {401, 403} else {}
        headers |= _RATE_LIMIT if kind.status == 429 else {}
        if headers:
            document["headers"] = headers
    return documents


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
