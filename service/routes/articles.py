"""Submit an article, read it, read its analysis, delete it."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from flask import Response, url_for
from flask_smorest import Blueprint
from uuid6 import uuid7

from service.domain.article import AnalysisOptions, Article
from service.domain.errors import AnalysisNotReadyError, NotFoundError, StoreUnavailableError
from service.domain.job import JobState, Priority
from service.domain.ports import Receipt, Submission
from service.problems import ProblemError
from service.routes.body import (
    HTML,
    JSON,
    PLAIN,
    load,
    load_query,
    media_type,
    read_json,
    read_page,
    read_text,
)
from service.routes.callbacks import check_callback
from service.routes.context import Context, context
from service.routes.documents import (
    accepted_document,
    analysis_document,
    answer,
    article_document,
    links,
)
from service.routes.headers import idempotency_claim, preferred_wait
from service.routes.operation import (
    ETAG,
    IDEMPOTENCY_KEY,
    IF_NONE_MATCH,
    LOCATION,
    NOT_MODIFIED,
    PREFER,
    REPLAYED,
    RETRY_AFTER,
    Answer,
    article_links,
    job_links,
    operation,
)
from service.routes.page import MAX_PAGE_BYTES, extract
from service.schemas import examples
from service.schemas.analysis import AnalysisQuerySchema, AnalysisSchema
from service.schemas.article import ArticleSchema
from service.schemas.example_analysis import TEXT
from service.schemas.fields import UUID_REGEX
from service.schemas.job import AcceptedSchema
from service.schemas.submission import (
    ArticleQuerySchema,
    ArticleSubmissionSchema,
    distinct,
    text_schema,
)

log = logging.getLogger(__name__)

articles = Blueprint("articles", __name__, description="Articles and their analyses")

_BODIES = {
    JSON: {
        "schema": ArticleSubmissionSchema,
        "examples": {
            "full": {"value": examples.SUBMISSION},
            "least": {"value": {"text": TEXT}},
        },
    },
    PLAIN: {"schema": text_schema(), "example": TEXT},
    HTML: {
        "schema": {
            "type": "string",
            # Not any string holds an article: the name tells tools so, as that of callback URLs.
            "format": "html-page",
            "contentMediaType": HTML,
            "description": "A page; its article's body is extracted and becomes the text.",
        },
        "example": examples.PAGE,
    },
}


@operation(
    articles,
    "/v1/articles",
    method="POST",
    answers={
        202: Answer(
            "Accepted: the article is stored and its job is queued.",
            AcceptedSchema,
            {**LOCATION, **RETRY_AFTER, **REPLAYED},
            {"accepted": examples.ACCEPTED},
            links={**article_links("/article_id"), **job_links("/job_id")},
        ),
        200: Answer(
            "Done within the time that `Prefer: wait=N` gave: the analysis.",
            AnalysisSchema,
            {**LOCATION, **REPLAYED},
            {"analysis": examples.ANALYSIS},
            links={**article_links("/article_id"), **job_links("/job_id")},
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
        "no-text",
        "page-too-costly",
        "webhooks-off",
        "idempotency-mismatch",
        "busy",
        "quota-exceeded",
        "queue-full",
        "store-unavailable",
    ),
    query=ArticleQuerySchema,
    headers=(IDEMPOTENCY_KEY, PREFER),
    body=_BODIES,
)
def submit_article() -> Response:
    """Submit one article.

    What the body says comes first, then the query parameters, then what an HTML page says about
    itself. `Prefer: wait=N` answers 200 with the analysis when it is done in N seconds (the
    service has an upper limit), else 202; a job that fails in that time is answered 202 too, and
    its `state` says so. With an `Idempotency-Key` the same request gets the same answer again.
    """
    here = context()
    article, options = _submitted()

    def respond(receipts: Sequence[Receipt]) -> str:
        return json.dumps(accepted_document(receipts[0], article))

    submission = here.store.submit(
        [(article, options)],
        priority=Priority.INTERACTIVE,
        idempotency=idempotency_claim(respond),
    )
    accepted = _accepted(here, submission, article)
    response = answer(accepted, 202)
    seconds = preferred_wait(here.settings.max_wait)
    if seconds is not None:
        job = here.wait_for(accepted["job_id"], seconds)
        if job.state is JobState.SUCCEEDED:
            stored = here.store.analysis(job.article_id)
            kept = here.store.article(job.article_id)
            response = answer(analysis_document(kept, stored, job.options.offsets))
            response.headers["Content-Location"] = accepted["links"]["analysis"]
        else:
            response = answer({**accepted, "state": job.state.value}, 202)
        response.headers["Preference-Applied"] = f"wait={seconds}"
    response.headers["Location"] = accepted["links"]["job"]
    if response.status_code == 202:
        response.headers["Retry-After"] = str(here.settings.poll_interval)
    if submission.replayed_body is not None:
        response.headers["Idempotency-Replayed"] = "true"
    return response


@operation(
    articles,
    "/v1/articles/<article_id>",
    answers={
        200: Answer(
            "The article.",
            ArticleSchema,
            ETAG,
            {"article": examples.ARTICLE},
            links={**article_links("/id"), **job_links("/job_id")},
        ),
        304: NOT_MODIFIED,
    },
    problems=("not-found", "gone", "store-unavailable"),
    headers=(IF_NONE_MATCH,),
)
def get_article(article_id: str) -> Response:
    """Read an article as it is kept."""
    store = context().store
    article = store.article(known_id(article_id))
    return answer(article_document(article, store.latest_job(article_id)))


@operation(
    articles,
    "/v1/articles/<article_id>/analysis",
    answers={
        200: Answer(
            "The analysis.",
            AnalysisSchema,
            ETAG,
            {"analysis": examples.ANALYSIS},
            links={**article_links("/article_id"), **job_links("/job_id")},
        ),
        304: NOT_MODIFIED,
    },
    problems=(
        "not-found",
        "analysis-not-ready",
        "analysis-failed",
        "analysis-cancelled",
        "gone",
        "validation",
        "store-unavailable",
    ),
    query=AnalysisQuerySchema,
    headers=(IF_NONE_MATCH,),
)
def get_analysis(article_id: str) -> Response:
    """Read an article's analysis.

    Before there is one: 404 `analysis-not-ready` with the job's link and `Retry-After` while the
    job goes on, 409 when it failed (with the reason) or was cancelled.
    """
    store = context().store
    asked = load_query(AnalysisQuerySchema())
    article = store.article(known_id(article_id))
    try:
        stored = store.analysis(article_id)
    except AnalysisNotReadyError as err:
        raise _not_ready(err, article_id) from err
    unit = asked.get("offsets") or store.latest_job(article_id).options.offsets
    return answer(analysis_document(article, stored, unit))


@operation(
    articles,
    "/v1/articles/<article_id>",
    method="DELETE",
    answers={204: Answer("Deleted.")},
    problems=("not-found", "gone", "store-unavailable"),
)
def delete_article(article_id: str) -> Response:
    """Delete an article, its jobs and its analysis. Their ids answer 410 from then on."""
    context().store.delete_article(known_id(article_id))
    return Response(status=204)


def known_id(value: str) -> str:
    """`value` when it has the form of an id; nothing else was ever handed out."""
    if not UUID_REGEX.match(value):
        raise NotFoundError(value)
    return value


def new_article(fields: dict[str, Any]) -> tuple[Article, AnalysisOptions]:
    """The article and its options from a checked submission.

    Raises the 422 problem when its callback URL may not be called.
    """
    options = fields.get("options") or {}
    callback_url = options.get("callback_url")
    check_callback(callback_url, pointer="/options/callback_url")
    article = Article(
        id=str(uuid7()),
        text=fields["text"],
        created_at=datetime.now(UTC),
        title=fields.get("title"),
        source=fields.get("source"),
        url=fields.get("url"),
        published_at=fields.get("published_at"),
        language=fields.get("language"),
        metadata=fields.get("metadata", {}),
    )
    chosen = AnalysisOptions(
        targets=tuple(options.get("targets", ())),
        offsets=options.get("offsets", "codepoint"),
        callback_url=callback_url,
    )
    return article, chosen


def ring(here: Context, receipts: Sequence[Receipt], priority: Priority) -> None:
    """Tell the workers. Whatever the broker does not take now, the sweeper rings again."""
    rung = []
    with here.traces.span("ring", "producer", {"messaging.batch.message_count": len(receipts)}):
        for receipt in receipts:
            if not here.doorbell.ring(receipt.job_id, priority):
                # One time-out is enough: the answer must not wait for each article of a batch.
                log.warning("the broker does not take messages; the sweeper will ring")
                break
            rung.append(receipt.job_id)
    here.metrics.queued(priority, jobs=len(receipts), rung=len(rung))
    if rung:
        try:
            here.store.rung(rung)
        except StoreUnavailableError:
            log.warning("could not note the rung jobs; they ring twice, which does no harm")


def _submitted() -> tuple[Article, AnalysisOptions]:
    kind = media_type((JSON, PLAIN, HTML))
    query = load_query(ArticleQuerySchema())
    given: dict[str, Any]
    if kind == JSON:
        given = load(ArticleSubmissionSchema(), read_json())
    elif kind == PLAIN:
        given = load(ArticleSubmissionSchema(), {"text": read_text()})
    else:
        page = extract(read_page(MAX_PAGE_BYTES), context().pages.read)
        given = {"text": page.text}
        said = {"title": page.title, "source": page.source, "published_at": page.published_at}
        query = {**said, **query}
    options = given.setdefault("options", {})
    targets = query.pop("targets", [])
    offsets = query.pop("offsets", None)
    if not options.get("targets"):
        options["targets"] = distinct(targets)
    if offsets:
        options.setdefault("offsets", offsets)
    check_callback(query.get("callback_url"), parameter="callback_url")
    callback_url = query.pop("callback_url", None)
    if not options.get("callback_url"):
        options["callback_url"] = callback_url
    return new_article({**query, **given})


def _accepted(here: Context, submission: Submission, article: Article) -> dict[str, Any]:
    if submission.replayed_body is not None:
        replayed = json.loads(submission.replayed_body)
        assert isinstance(replayed, dict)
        return replayed
    ring(here, submission.receipts, Priority.INTERACTIVE)
    return accepted_document(submission.receipts[0], article)


def _not_ready(err: AnalysisNotReadyError, article_id: str) -> ProblemError:
    members: dict[str, Any] = {
        "job_id": err.job_id,
        "state": str(err.state),
        "links": links(err.job_id, article_id),
    }
    if err.state == JobState.CANCELLED:
        return ProblemError("analysis-cancelled", members=members)
    if err.state == JobState.FAILED:
        failure = context().store.job(err.job_id).failure
        if failure is not None:
            members["failure"] = {"code": failure.code, "detail": failure.detail}
        members["links"]["retry"] = url_for("jobs.retry_job", job_id=err.job_id)
        return ProblemError("analysis-failed", failure.detail if failure else None, members=members)
    headers = {
        "Retry-After": str(context().settings.poll_interval),
        "Link": f'<{members["links"]["job"]}>; rel="related"',
    }
    return ProblemError("analysis-not-ready", members=members, headers=headers)
