"""Rows of the tables as domain objects."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from service.domain.analysis import StoredAnalysis
from service.domain.article import AnalysisOptions, Article
from service.domain.delivery import Delivery, DeliveryState, EventType
from service.domain.job import Job, JobFailure, JobState, Priority, Stage
from service.domain.ports import WorkerInfo


def to_article(row: Row[Any]) -> Article:
    """A row of `articles`."""
    value = row._mapping
    return Article(
        id=value["id"],
        text=value["text"],
        created_at=value["created_at"],
        title=value["title"],
        source=value["source"],
        url=value["url"],
        published_at=value["published_at"],
        language=value["language"],
        metadata=value["metadata"],
    )


def to_job(row: Row[Any]) -> Job:
    """A row of `jobs`."""
    value = row._mapping
    failure = None
    if value["failure_code"] is not None:
        failure = JobFailure(value["failure_code"], value["failure_detail"] or "")
    return Job(
        id=value["id"],
        article_id=value["article_id"],
        state=JobState(value["state"]),
        priority=Priority(value["priority"]),
        options=to_options(value["options"]),
        attempts=value["attempts"],
        max_attempts=value["max_attempts"],
        created_at=value["created_at"],
        updated_at=value["updated_at"],
        version=value["version"],
        batch_id=value["batch_id"],
        stage=Stage(value["stage"]) if value["stage"] else None,
        started_at=value["started_at"],
        finished_at=value["finished_at"],
        failure=failure,
    )


def to_options(document: dict[str, Any]) -> AnalysisOptions:
    """The stored options of a job."""
    return AnalysisOptions(
        targets=tuple(document["targets"]),
        offsets=document.get("offsets", "codepoint"),
        callback_url=document.get("callback_url"),
    )


def from_options(options: AnalysisOptions) -> dict[str, Any]:
    """The options of a job as stored."""
    return {
        "targets": list(options.targets),
        "offsets": options.offsets,
        "callback_url": options.callback_url,
    }


def to_delivery(row: Row[Any]) -> Delivery:
    """A row of `webhook_deliveries`."""
    value = row._mapping
    failure = None
    if value["failure_code"] is not None:
        failure = JobFailure(value["failure_code"], value["failure_detail"] or "")
    return Delivery(
        id=value["id"],
        type=EventType(value["type"]),
        job_id=value["job_id"],
        article_id=value["article_id"],
        url=value["url"],
        state=DeliveryState(value["state"]),
        attempts=value["attempts"],
        created_at=value["created_at"],
        updated_at=value["updated_at"],
        batch_id=value["batch_id"],
        next_attempt_at=value["next_attempt_at"],
        last_attempt_at=value["last_attempt_at"],
        delivered_at=value["delivered_at"],
        last_status=value["last_status"],
        failure=failure,
    )


def to_stored_analysis(row: Row[Any]) -> StoredAnalysis:
    """A row of `analyses`."""
    value = row._mapping
    return StoredAnalysis(
        article_id=value["article_id"],
        job_id=value["job_id"],
        pipeline_version=value["pipeline_version"],
        created_at=value["created_at"],
        document=value["document"],
    )


def to_worker(row: Row[Any]) -> WorkerInfo:
    """A row of `workers`."""
    value = row._mapping
    return WorkerInfo(
        id=value["id"],
        pipeline_version=value["pipeline_version"],
        models=tuple(value["models"]),
        started_at=value["started_at"],
        seen_at=value["seen_at"],
    )
