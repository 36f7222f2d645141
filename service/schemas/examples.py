"""The examples of the published contract; `python -m service.openapi` writes them as files."""

from __future__ import annotations

import json
from typing import Any

from service.domain.article import text_sha256
from service.domain.delivery import MAX_ATTEMPTS
from service.domain.documents import to_document
from service.problems import PROBLEMS, ProblemType
from service.schemas.example_analysis import EXAMPLE, TEXT

_ARTICLE_ID = "0199e3a1-5c00-7000-8000-000000000001"
_JOB_ID = "0199e3a1-5c00-7000-8000-000000000002"
_BATCH_ID = "0199e3a1-5c00-7000-8000-000000000003"
_REQUEST_ID = "4b3c1d9e-7f02-4a51-9a7e-0c9f6c1f2d3e"
_CREATED = "2026-01-05T09:30:00Z"
_STARTED = "2026-01-05T09:30:00.210000Z"
_FINISHED = "2026-01-05T09:30:01.480000Z"
_TOLD = "2026-01-05T09:30:04.120000Z"
_SHA256 = text_sha256(TEXT)
_TITLE = "Minister: sanctions have failed"
_SOURCE = "The Example Courier"
_URL = "https://courier.example/2026/01/05/sanctions"
_PUBLISHED = "2026-01-05T08:00:00Z"
_TARGET = "sanctions against Norland"
_DELIVERY_ID = "0199e3a1-5c00-7000-8000-000000000004"
_CALLBACK_URL = "https://hooks.courier.example/stancewire"

_LINKS = {
    "job": f"/v1/jobs/{_JOB_ID}",
    "article": f"/v1/articles/{_ARTICLE_ID}",
    "analysis": f"/v1/articles/{_ARTICLE_ID}/analysis",
}

SUBMISSION: dict[str, Any] = {
    "text": TEXT,
    "title": _TITLE,
    "source": _SOURCE,
    "url": _URL,
    "published_at": _PUBLISHED,
    "language": "en",
    "metadata": {"desk": "foreign", "wire_ids": [17, 18]},
    "options": {
        "targets": [_TARGET],
        "offsets": "codepoint",
        "callback_url": _CALLBACK_URL,
    },
}

_PARAGRAPHS = "".join(f"<p>{line}</p>" for line in TEXT.split("\n\n")[0].split(". "))
PAGE = (
    f"<!doctype html><html lang=en><head><title>{_TITLE}</title></head>"
    f"<body><nav>Home</nav><article><h1>{_TITLE}</h1>{_PARAGRAPHS}</article></body></html>"
)

ACCEPTED: dict[str, Any] = {
    "article_id": _ARTICLE_ID,
    "job_id": _JOB_ID,
    "state": "queued",
    "text_sha256": _SHA256,
    "links": _LINKS,
}

BATCH: list[dict[str, Any]] = [SUBMISSION, {"text": "Norland's president praised the deal."}]
BATCH_LINES = "".join(json.dumps(article) + "\n" for article in BATCH)

_BATCH_RECEIPT = {
    "index": 0,
    "status": 202,
    **{name: value for name, value in ACCEPTED.items() if name != "state"},
}

ARTICLE: dict[str, Any] = {
    "id": _ARTICLE_ID,
    **{name: value for name, value in SUBMISSION.items() if name != "options"},
    "text_sha256": _SHA256,
    "characters": len(TEXT),
    "created_at": _CREATED,
    "job_id": _JOB_ID,
    "links": _LINKS,
}

ANALYSIS: dict[str, Any] = {
    "article_id": _ARTICLE_ID,
    "job_id": _JOB_ID,
    "created_at": _FINISHED,
    "title": _TITLE,
    "source": _SOURCE,
    "url": _URL,
    "published_at": _PUBLISHED,
    "offsets": "codepoint",
    **to_document(EXAMPLE),
}

JOB_QUEUED: dict[str, Any] = {
    "id": _JOB_ID,
    "article_id": _ARTICLE_ID,
    "batch_id": None,
    "state": "queued",
    "stage": None,
    "progress": 0.0,
    "priority": "interactive",
    "options": {
        "targets": [_TARGET],
        "offsets": "codepoint",
        "callback_url": _CALLBACK_URL,
    },
    "attempts": 0,
    "max_attempts": 3,
    "created_at": _CREATED,
    "updated_at": _CREATED,
    "started_at": None,
    "finished_at": None,
    "failure": None,
    "links": _LINKS,
}
JOB_SUCCEEDED = {
    **JOB_QUEUED,
    "state": "succeeded",
    "stage": "store",
    "progress": 1.0,
    "attempts": 1,
    "updated_at": _FINISHED,
    "started_at": _STARTED,
    "finished_at": _FINISHED,
}
JOB_FAILED = {
    **JOB_SUCCEEDED,
    "state": "failed",
    "stage": "recognise",
    "progress": 0.2857,
    "attempts": 3,
    "failure": {
        "code": "attempts_exhausted",
        "detail": "The job was tried 3 times and did not finish.",
    },
}
JOB_CANCELLED = {
    **JOB_QUEUED,
    "state": "cancelled",
    "updated_at": _FINISHED,
    "finished_at": _FINISHED,
}
JOB_PAGE = {"jobs": [JOB_SUCCEEDED], "next_cursor": _JOB_ID}

DELIVERY: dict[str, Any] = {
    "id": _DELIVERY_ID,
    "type": "job.succeeded",
    "job_id": _JOB_ID,
    "article_id": _ARTICLE_ID,
    "batch_id": None,
    "url": _CALLBACK_URL,
    "state": "delivered",
    "attempts": 1,
    "max_attempts": MAX_ATTEMPTS,
    "created_at": _FINISHED,
    "updated_at": _TOLD,
    "next_attempt_at": None,
    "last_attempt_at": _TOLD,
    "delivered_at": _TOLD,
    "last_status": 204,
    "failure": None,
    "links": {
        "delivery": f"/v1/webhook_deliveries/{_DELIVERY_ID}",
        "redeliver": f"/v1/webhook_deliveries/{_DELIVERY_ID}/redeliver",
        "job": f"/v1/jobs/{_JOB_ID}",
    },
}
DELIVERY_PENDING = {
    **DELIVERY,
    "state": "pending",
    "next_attempt_at": "2026-01-05T09:30:10Z",
    "delivered_at": None,
    "last_status": 503,
    "failure": {"code": "status", "detail": "answered 503"},
}
DELIVERY_PAGE = {"webhook_deliveries": [DELIVERY], "next_cursor": _DELIVERY_ID}

# What a receiver is sent; no answer of the API has this form.
WEBHOOK: dict[str, Any] = {
    "type": "job.succeeded",
    "timestamp": _FINISHED,
    "data": {
        "job_id": _JOB_ID,
        "article_id": _ARTICLE_ID,
        "batch_id": None,
        "state": "succeeded",
        "links": _LINKS,
        "failure": None,
    },
}

AUDIT_EVENT_PAGE: dict[str, Any] = {
    "audit_events": [
        {
            "id": "0199e3a1-5c00-7000-8000-000000000006",
            "created_at": "2026-01-05T09:30:00.120000Z",
            "actor": "operator",
            "kind": "key.created",
            "subject": "k2vqmz7d4xna",
            "detail": {"name": "newsroom", "scopes": ["read", "write"]},
        }
    ],
    "next_cursor": None,
}

READY = {"status": "ok", "checks": {"database": "ok", "broker": "ok", "workers": "ok"}}
METRICS = {
    "schema": {"type": "string", "description": "docs/operations.md names each figure."},
    "example": """# HELP stancewire_jobs Open jobs, by queue and state.
# TYPE stancewire_jobs gauge
stancewire_jobs{queue="interactive",state="queued"} 3.0
""",
}
MODELS = {
    "models": [
        {
            "name": "ner",
            "task": "ner",
            "version": "1",
            "sha256": _SHA256,
            "calibrated": False,
            "metrics": {"conll2003_dev": {"f1": 0.93}},
            "pipeline_version": EXAMPLE.pipeline_version,
            "workers": 1,
        }
    ]
}


def problem_example(kind: ProblemType) -> dict[str, Any]:
    """A problem document of this kind."""
    document = kind.document(_REQUEST_ID)
    if kind.name == "validation":
        document["errors"] = [
            {"pointer": "/text", "detail": "Must not be empty or only white space."}
        ]
    return document


BATCH_ACCEPTED: dict[str, Any] = {
    "batch_id": _BATCH_ID,
    "accepted": 1,
    "rejected": 0,
    "items": [_BATCH_RECEIPT],
    "links": {"jobs": f"/v1/jobs?batch_id={_BATCH_ID}"},
}
BATCH_MIXED = {
    **BATCH_ACCEPTED,
    "rejected": 1,
    "items": [
        _BATCH_RECEIPT,
        {"index": 1, "status": 422, "problem": problem_example(PROBLEMS["validation"])},
    ],
}

# File name, schema in the OpenAPI document, example.
FILES: tuple[tuple[str, str, Any], ...] = (
    ("article-submission", "ArticleSubmission", SUBMISSION),
    ("accepted", "Accepted", ACCEPTED),
    ("article", "Article", ARTICLE),
    ("analysis", "Analysis", ANALYSIS),
    ("batch-accepted", "BatchAccepted", BATCH_ACCEPTED),
    ("batch-mixed", "BatchAccepted", BATCH_MIXED),
    ("job-queued", "Job", JOB_QUEUED),
    ("job-succeeded", "Job", JOB_SUCCEEDED),
    ("job-failed", "Job", JOB_FAILED),
    ("job-page", "JobPage", JOB_PAGE),
    ("webhook", "Webhook", WEBHOOK),
    ("webhook-delivery", "WebhookDelivery", DELIVERY),
    ("webhook-delivery-page", "WebhookDeliveryPage", DELIVERY_PAGE),
    ("audit-event-page", "AuditEventPage", AUDIT_EVENT_PAGE),
    ("models", "Models", MODELS),
    ("ready", "Ready", READY),
    ("problem-validation", "Problem", problem_example(PROBLEMS["validation"])),
    ("problem-not-found", "Problem", problem_example(PROBLEMS["not-found"])),
)
