"""Reading a tenant's articles, jobs and analyses; telling unknown ids from deleted ones."""

from __future__ import annotations

from sqlalchemy import Connection, select

from service.domain.analysis import StoredAnalysis
from service.domain.article import Article
from service.domain.errors import (
    AnalysisNotReadyError,
    GoneError,
    NotFoundError,
    StancewireError,
)
from service.domain.job import Job
from service.domain.ports import JobFilter, JobPage
from service.store.forgetting import Reason
from service.store.rows import to_article, to_job, to_stored_analysis
from service.store.tables import analyses, articles, jobs, tombstones

_DELETED = "It was here and has been deleted."
_EXPIRED = "It was here and has expired: articles are kept for a limited time."


def absent(connection: Connection, wanted: str, *, tenant: str) -> StancewireError:
    """The error for an id that has no row of this tenant: gone if one was deleted or has expired,
    else not found."""
    reason = connection.execute(
        select(tombstones.c.reason).where(tombstones.c.id == wanted, tombstones.c.tenant == tenant)
    ).scalar_one_or_none()
    if reason is None:
        return NotFoundError(wanted)
    return GoneError(_EXPIRED if reason == Reason.EXPIRED else _DELETED)


def job(connection: Connection, job_id: str, *, tenant: str) -> Job:
    """One job. Raises `NotFoundError` or `GoneError`."""
    row = connection.execute(
        select(jobs).where(jobs.c.id == job_id, jobs.c.tenant == tenant)
    ).one_or_none()
    if row is None:
        raise absent(connection, job_id, tenant=tenant)
    return to_job(row)


def page(
    connection: Connection, wanted: JobFilter, *, tenant: str, after: str | None, limit: int
) -> JobPage:
    """Jobs newest first. Job ids are UUIDv7, so their order is the order of arrival."""
    query = select(jobs).where(jobs.c.tenant == tenant).order_by(jobs.c.id.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(jobs.c.id < after)
    if wanted.state is not None:
        query = query.where(jobs.c.state == wanted.state.value)
    if wanted.batch_id is not None:
        query = query.where(jobs.c.batch_id == wanted.batch_id)
    if wanted.article_id is not None:
        query = query.where(jobs.c.article_id == wanted.article_id)
    if wanted.source is not None:
        query = query.join(articles).where(articles.c.source == wanted.source)
    if wanted.created_after is not None:
        query = query.where(jobs.c.created_at > wanted.created_after)
    if wanted.created_before is not None:
        query = query.where(jobs.c.created_at < wanted.created_before)
    found = [to_job(row) for row in connection.execute(query)]
    more = len(found) > limit
    found = found[:limit]
    return JobPage(jobs=tuple(found), next_cursor=found[-1].id if more else None)


def article(connection: Connection, article_id: str, *, tenant: str) -> Article:
    """One article. Raises `NotFoundError` or `GoneError`."""
    row = connection.execute(
        select(articles).where(articles.c.id == article_id, articles.c.tenant == tenant)
    ).one_or_none()
    if row is None:
        raise absent(connection, article_id, tenant=tenant)
    return to_article(row)


def latest_job(connection: Connection, article_id: str, *, tenant: str) -> Job:
    """The article's newest job. Raises `NotFoundError` or `GoneError`."""
    row = connection.execute(
        select(jobs)
        .where(jobs.c.article_id == article_id, jobs.c.tenant == tenant)
        .order_by(jobs.c.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        raise absent(connection, article_id, tenant=tenant)
    return to_job(row)


def analysis(connection: Connection, article_id: str, *, tenant: str) -> StoredAnalysis:
    """The article's newest analysis.

    Raises `AnalysisNotReadyError`, `NotFoundError` or `GoneError`.
    """
    row = connection.execute(
        select(analyses)
        .join(articles, articles.c.id == analyses.c.article_id)
        .where(analyses.c.article_id == article_id, articles.c.tenant == tenant)
        .order_by(analyses.c.job_id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        waiting = latest_job(connection, article_id, tenant=tenant)
        raise AnalysisNotReadyError(waiting.id, waiting.state.value)
    return to_stored_analysis(row)
