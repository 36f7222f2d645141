"""Domain objects as the JSON documents that the schemas describe."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from flask import Response, request, url_for

from service.domain.analysis import StoredAnalysis
from service.domain.article import Article
from service.domain.audit import AuditEvent
from service.domain.delivery import MAX_ATTEMPTS, Delivery
from service.domain.documents import with_offsets
from service.domain.job import Job, JobState
from service.domain.ports import Receipt
from service.domain.spans import OffsetMap, OffsetUnit


def answer(document: Any, status: int = 200) -> Response:
    """A JSON answer; a GET also carries an ETag and answers 304 to the caller who has it."""
    response = Response(
        json.dumps(document, ensure_ascii=False, separators=(",", ":")),
        status=status,
        content_type="application/json",
    )
    response.headers["Cache-Control"] = (
        "private, no-cache" if request.method in {"GET", "HEAD"} else "no-store"
    )
    if request.method in {"GET", "HEAD"} and status == 200:
        response.add_etag()
        response.make_conditional(request)
    return response


def page_answer(member: str, items: list[dict[str, Any]], next_cursor: str | None) -> Response:
    """One page of a list, under `member`, with a `Link` to the next if there is one (RFC 8288)."""
    response = answer({member: items, "next_cursor": next_cursor})
    if next_cursor is not None:
        query = {**request.args.to_dict(), "cursor": next_cursor}
        address = url_for(str(request.endpoint), **query)  # type: ignore[arg-type]
        response.headers["Link"] = f'<{address}>; rel="next"'
    return response


def timestamp(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC. A time without an offset is UTC already."""
    if moment is None:
        return None
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.isoformat().replace("+00:00", "Z")


def links(job_id: str, article_id: str) -> dict[str, str]:
    """Where to go from a job."""
    return {
        "job": url_for("jobs.get_job", job_id=job_id),
        "article": url_for("articles.get_article", article_id=article_id),
        "analysis": url_for("articles.get_analysis", article_id=article_id),
    }


def job_document(job: Job) -> dict[str, Any]:
    """A job as `JobSchema` describes it."""
    failure = job.failure
    return {
        "id": job.id,
        "article_id": job.article_id,
        "batch_id": job.batch_id,
        "state": job.state.value,
        "stage": job.stage.value if job.stage else None,
        "progress": round(job.progress, 4),
        "priority": job.priority.value,
        "options": {
            "targets": list(job.options.targets),
            "offsets": job.options.offsets,
            "callback_url": job.options.callback_url,
        },
        "attempts": job.attempts,
        "max_attempts": job.max_attempts,
        "created_at": timestamp(job.created_at),
        "updated_at": timestamp(job.updated_at),
        "started_at": timestamp(job.started_at),
        "finished_at": timestamp(job.finished_at),
        "failure": {"code": failure.code, "detail": failure.detail} if failure else None,
        "links": links(job.id, job.article_id),
    }


def delivery_document(delivery: Delivery) -> dict[str, Any]:
    """A webhook delivery as `WebhookDeliverySchema` describes it."""
    failure = delivery.failure
    return {
        "id": delivery.id,
        "type": delivery.type.value,
        "job_id": delivery.job_id,
        "article_id": delivery.article_id,
        "batch_id": delivery.batch_id,
        "url": delivery.url,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "max_attempts": MAX_ATTEMPTS,
        "created_at": timestamp(delivery.created_at),
        "updated_at": timestamp(delivery.updated_at),
        "next_attempt_at": timestamp(delivery.next_attempt_at),
        "last_attempt_at": timestamp(delivery.last_attempt_at),
        "delivered_at": timestamp(delivery.delivered_at),
        "last_status": delivery.last_status,
        "failure": {"code": failure.code, "detail": failure.detail} if failure else None,
        "links": {
            "delivery": url_for("webhook_deliveries.get_delivery", delivery_id=delivery.id),
            "redeliver": url_for("webhook_deliveries.redeliver", delivery_id=delivery.id),
            "job": url_for("jobs.get_job", job_id=delivery.job_id),
        },
    }


def audit_event_document(event: AuditEvent) -> dict[str, Any]:
    """An event of the audit log as `AuditEventSchema` describes it."""
    return {
        "id": event.id,
        "created_at": timestamp(event.at),
        "actor": event.actor,
        "kind": event.kind,
        "subject": event.subject,
        "detail": event.detail,
    }


def accepted_document(receipt: Receipt, article: Article) -> dict[str, Any]:
    """The receipt for one accepted article as `AcceptedSchema` describes it."""
    return {
        "article_id": receipt.article_id,
        "job_id": receipt.job_id,
        "state": JobState.QUEUED.value,
        "text_sha256": article.text_sha256,
        "links": links(receipt.job_id, receipt.article_id),
    }


def article_document(article: Article, job: Job) -> dict[str, Any]:
    """An article as `ArticleSchema` describes it."""
    return {
        "id": article.id,
        "title": article.title,
        "source": article.source,
        "url": article.url,
        "published_at": timestamp(article.published_at),
        "language": article.language,
        "metadata": article.metadata,
        "text": article.text,
        "text_sha256": article.text_sha256,
        "characters": len(article.text),
        "created_at": timestamp(article.created_at),
        "job_id": job.id,
        "links": links(job.id, article.id),
    }


def analysis_document(
    article: Article, analysis: StoredAnalysis, unit: OffsetUnit
) -> dict[str, Any]:
    """An analysis as `AnalysisSchema` describes it, its offsets counted in `unit`."""
    found: dict[str, Any] = analysis.document
    if unit != "codepoint":
        found = with_offsets(found, OffsetMap(article.text, unit))
    return {
        "article_id": article.id,
        "job_id": analysis.job_id,
        "created_at": timestamp(analysis.created_at),
        "title": article.title,
        "source": article.source,
        "url": article.url,
        "published_at": timestamp(article.published_at),
        "offsets": unit,
        **found,
    }
