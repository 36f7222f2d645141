"""Accepting articles: article, job and outbox entry together, once per Idempotency-Key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from service.domain.article import AnalysisOptions, Article
from service.domain.errors import (
    GoneError,
    IdempotencyInFlightError,
    IdempotencyMismatchError,
    QueueFullError,
)
from service.domain.job import JobState, Priority
from service.domain.key import Quota
from service.domain.ports import IdempotencyClaim, Receipt, Submission
from service.store import tenants, usage
from service.store.clock import new_id
from service.store.rows import from_options
from service.store.tables import articles, idempotency_keys, jobs

_GONE = "What this Idempotency-Key was answered with has been deleted or has expired since."


def replay(
    connection: Connection, claim: IdempotencyClaim, *, tenant: str, now: datetime, keep: int
) -> Submission | None:
    """The answer that the tenant's key was given before, or `None` when it is new (or forgotten).

    Raises `IdempotencyMismatchError`, or `GoneError` when what it speaks of is no longer there.
    """
    row = connection.execute(
        select(idempotency_keys).where(
            idempotency_keys.c.tenant == tenant,
            idempotency_keys.c.key == claim.key,
            idempotency_keys.c.created_at > now - timedelta(seconds=keep),
        )
    ).one_or_none()
    if row is None:
        return None
    if row.fingerprint != claim.fingerprint:
        raise IdempotencyMismatchError("the key was used with another request")
    if not row.body:
        raise GoneError(_GONE)
    return Submission(receipts=(), replayed_body=row.body)


def submit(
    connection: Connection,
    submitted: Sequence[tuple[Article, AnalysisOptions]],
    *,
    tenant: str,
    quota: Quota | None,
    priority: Priority,
    max_attempts: int,
    max_queued: int,
    batch_id: str | None,
    idempotency: IdempotencyClaim | None,
    now: datetime,
    keep: int,
) -> Submission:
    """Write everything of one request. The key's row is what parallel requests compete for.

    Raises `QueueFullError` or `QuotaExceededError` unless all of it fits; an earlier answer is
    given again even then.
    """
    tenants.hold(connection, tenant)
    receipts = tuple(Receipt(article_id=article.id, job_id=new_id()) for article, _ in submitted)
    if idempotency is not None:
        earlier = replay(connection, idempotency, tenant=tenant, now=now, keep=keep)
        if earlier is not None:
            return earlier
        subject = batch_id or next((article.id for article, _ in submitted), None)
        if not _reserve(
            connection, idempotency, receipts, subject, tenant=tenant, now=now, keep=keep
        ):
            # A parallel request won: on PostgreSQL the insert has waited for its commit.
            earlier = replay(connection, idempotency, tenant=tenant, now=now, keep=keep)
            if earlier is None:
                raise IdempotencyInFlightError("a request with this key is being answered")
            return earlier
    if not submitted:
        return Submission(receipts=())
    if _queued(connection, up_to=max_queued) + len(submitted) > max_queued:
        raise QueueFullError(f"{max_queued} jobs may be queued")
    if quota is not None:
        usage.count(connection, quota, len(submitted), tenant=tenant, now=now)
    connection.execute(
        insert(articles), [{**_article_row(article), "tenant": tenant} for article, _ in submitted]
    )
    connection.execute(
        insert(jobs),
        [
            {
                "id": receipt.job_id,
                "article_id": article.id,
                "batch_id": batch_id,
                "state": JobState.QUEUED.value,
                "priority": priority.value,
                "options": from_options(options),
                "attempts": 0,
                "max_attempts": max_attempts,
                "version": 1,
                "created_at": now,
                "updated_at": now,
                "token": 0,
                "tenant": tenant,
            }
            for receipt, (article, options) in zip(receipts, submitted, strict=True)
        ],
    )
    return Submission(receipts=receipts)


def _queued(connection: Connection, *, up_to: int) -> int:
    """How many jobs are queued, counted in the index and no further than needed."""
    some = select(jobs.c.state).where(jobs.c.state == JobState.QUEUED.value).limit(up_to)
    return connection.execute(select(func.count()).select_from(some.subquery())).scalar_one()


def _reserve(
    connection: Connection,
    claim: IdempotencyClaim,
    receipts: Sequence[Receipt],
    subject: str | None,
    *,
    tenant: str,
    now: datetime,
    keep: int,
) -> bool:
    connection.execute(
        delete(idempotency_keys).where(
            idempotency_keys.c.created_at <= now - timedelta(seconds=keep)
        )
    )
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    inserted = connection.execute(
        dialect.insert(idempotency_keys)
        .values(
            tenant=tenant,
            key=claim.key,
            fingerprint=claim.fingerprint,
            body=claim.respond(receipts),
            subject=subject,
            created_at=now,
        )
        .on_conflict_do_nothing()
    )
    return inserted.rowcount == 1


def _article_row(article: Article) -> dict[str, object]:
    return {
        "id": article.id,
        "text": article.text,
        "title": article.title,
        "source": article.source,
        "url": article.url,
        "published_at": article.published_at,
        "language": article.language,
        "metadata": article.metadata,
        "created_at": article.created_at,
    }
