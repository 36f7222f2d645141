"""Submit many articles at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask import Response, g, url_for
from flask_smorest import Blueprint
from marshmallow import ValidationError
from uuid6 import uuid7

from service.domain.article import AnalysisOptions, Article
from service.domain.job import Priority
from service.domain.ports import Receipt
from service.problems import ProblemError
from service.routes.articles import new_article, ring
from service.routes.body import (
    JSON,
    NDJSON,
    decode,
    invalid,
    load_query,
    media_type,
    parse_json,
    read_json,
    read_lines,
)
from service.routes.callbacks import check_callback
from service.routes.context import context
from service.routes.documents import accepted_document, answer
from service.routes.headers import idempotency_claim
from service.routes.operation import (
    IDEMPOTENCY_KEY,
    LOCATION,
    REPLAYED,
    Answer,
    article_links,
    job_links,
    link,
    operation,
)
from service.schemas import examples
from service.schemas.job import BatchAcceptedSchema
from service.schemas.submission import ArticleSubmissionSchema, BatchQuerySchema

batches = Blueprint("batches", __name__, description="Many articles at once")

Item = tuple[Article, AnalysisOptions] | ProblemError

_BODIES = {
    JSON: {
        "schema": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1000,
            "items": {
                "anyOf": [
                    ArticleSubmissionSchema,
                    {"description": "Anything else is answered by a problem of its own."},
                ]
            },
        },
        "examples": {"two": {"value": examples.BATCH}},
    },
    NDJSON: {
        "schema": {
            "type": "string",
            "pattern": r"[^ \t\n\v\f\r]",
            "description": "One article (as in the JSON array) a line; blank lines do not count.",
        },
        "example": examples.BATCH_LINES,
    },
}

# The first article stands for all: a link names one value.
_LINKS = {
    **article_links("/items/0/article_id"),
    **job_links("/items/0/job_id"),
    "jobs": link("list_jobs", "The batch's jobs.", batch_id="/batch_id"),
    "deliveries": link("list_deliveries", "Who was told of their ends.", batch_id="/batch_id"),
}


@operation(
    batches,
    "/v1/batches",
    method="POST",
    answers={
        202: Answer(
            "Every article is accepted.",
            BatchAcceptedSchema,
            {**LOCATION, **REPLAYED},
            {"accepted": examples.BATCH_ACCEPTED},
            links=_LINKS,
        ),
        207: Answer(
            "At least one article is refused: see each item's `status`.",
            BatchAcceptedSchema,
            {**LOCATION, **REPLAYED},
            {"mixed": examples.BATCH_MIXED},
            links=_LINKS,
        ),
    },
    problems=(
        "malformed-json",
        "invalid-encoding",
        "idempotency-in-flight",
        "gone",
        "too-large",
        "unsupported-media-type",
        "validation",
        "webhooks-off",
        "idempotency-mismatch",
        "quota-exceeded",
        "queue-full",
        "store-unavailable",
    ),
    query=BatchQuerySchema,
    headers=(IDEMPOTENCY_KEY,),
    body=_BODIES,
)
def submit_batch() -> Response:
    """Submit up to 1,000 articles.

    A JSON array or NDJSON of articles. The answer has one item an article, in order: a receipt,
    or the problem that refused it; a bad article does not hold up the others. Batches wait in a
    queue of their own behind single articles. `callback_url` in the query holds for every article
    that names none of its own; each gets its own webhook.
    """
    here = context()
    callback_url = load_query(BatchQuerySchema()).get("callback_url")
    check_callback(callback_url, parameter="callback_url")
    items = _items(media_type((JSON, NDJSON)), here.settings.max_batch_articles, callback_url)
    good = [item for item in items if not isinstance(item, ProblemError)]
    batch_id = str(uuid7())

    def respond(receipts: Sequence[Receipt]) -> str:
        return json.dumps(_answer_document(batch_id, items, receipts))

    claim = idempotency_claim(respond)
    if good:
        submission = here.store.submit(
            good, priority=Priority.BULK, batch_id=batch_id, idempotency=claim
        )
        if submission.replayed_body is not None:
            response = _response(json.loads(submission.replayed_body))
            response.headers["Idempotency-Replayed"] = "true"
            return response
        ring(here, submission.receipts, Priority.BULK)
        return _response(_answer_document(batch_id, items, submission.receipts))
    # Nothing to store, so nothing to replay: the same request is refused in the same way again.
    return _response(_answer_document(batch_id, items, ()))


def _items(kind: str, most: int, callback_url: str | None) -> list[Item]:
    documents: list[Any]
    if kind == JSON:
        documents = read_json()
        if not isinstance(documents, list):
            raise _wrong("", "Must be an array of articles.")
    else:
        documents = list(read_lines())
    if not documents:
        raise _wrong("", "Must have at least one article.")
    if len(documents) > most:
        raise _wrong("", f"Has {len(documents):,} articles; a batch may have {most:,}.")
    return [_item(document, kind, callback_url) for document in documents]


def _item(document: Any, kind: str, callback_url: str | None) -> Item:
    try:
        if kind == NDJSON:
            document = parse_json(decode(document, "utf-8-sig"))
        article, options = new_article(ArticleSubmissionSchema().load(document))
    except ProblemError as err:
        return err
    except ValidationError as err:
        return invalid(err)
    if options.callback_url is None:
        options = replace(options, callback_url=callback_url)
    return article, options


def _answer_document(
    batch_id: str, items: Sequence[Item], receipts: Sequence[Receipt]
) -> dict[str, Any]:
    remaining = iter(receipts)
    answers: list[dict[str, Any]] = []
    for index, item in enumerate(items):
        if isinstance(item, ProblemError):
            problem = item.document()
            answers.append({"index": index, "status": problem["status"], "problem": problem})
        else:
            accepted = accepted_document(next(remaining), item[0])
            del accepted["state"]
            answers.append({"index": index, "status": 202, **accepted})
    return {
        "batch_id": batch_id,
        "accepted": len(receipts),
        "rejected": len(items) - len(receipts),
        "items": answers,
        "links": {"jobs": url_for("jobs.list_jobs", batch_id=batch_id)},
    }


def _response(document: dict[str, Any]) -> Response:
    if document["rejected"]:
        g.problem = "batch-items"
    response = answer(document, 207 if document["rejected"] else 202)
    if document["accepted"]:
        response.headers["Location"] = document["links"]["jobs"]
    return response


def _wrong(pointer: str, detail: str) -> ProblemError:
    return ProblemError("validation", errors=[{"pointer": pointer, "detail": detail}])
