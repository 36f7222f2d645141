"""Look at jobs, cancel them, run failed ones again."""

from __future__ import annotations

from flask import Response, url_for
from flask_smorest import Blueprint

from service.domain.job import Job, JobState
from service.domain.ports import JobFilter, Receipt
from service.routes.articles import known_id, ring
from service.routes.body import load_query
from service.routes.context import context
from service.routes.documents import answer, job_document, page_answer
from service.routes.operation import (
    ETAG,
    IF_NONE_MATCH,
    LOCATION,
    NEXT,
    NOT_MODIFIED,
    RETRY_AFTER,
    Answer,
    article_links,
    job_links,
    link,
    operation,
)
from service.schemas import examples
from service.schemas.job import JobPageSchema, JobQuerySchema, JobSchema

jobs = Blueprint("jobs", __name__, description="Jobs: one analysis of one article each")

_LINKS = {**job_links("/id"), **article_links("/article_id")}


@operation(
    jobs,
    "/v1/jobs/<job_id>",
    answers={
        200: Answer(
            "The job.",
            JobSchema,
            {**ETAG, **RETRY_AFTER},
            {"queued": examples.JOB_QUEUED, "failed": examples.JOB_FAILED},
            links=_LINKS,
        ),
        304: NOT_MODIFIED,
    },
    problems=("not-found", "gone", "store-unavailable"),
    headers=(IF_NONE_MATCH,),
)
def get_job(job_id: str) -> Response:
    """Look at a job. Unfinished ones come with `Retry-After`, also when nothing has changed."""
    return _job_answer(context().store.job(known_id(job_id)))


@operation(
    jobs,
    "/v1/jobs",
    answers={
        200: Answer(
            "One page, newest first.",
            JobPageSchema,
            {**ETAG, **NEXT},
            {"page": examples.JOB_PAGE},
            links={
                **article_links("/jobs/0/article_id"),
                **job_links("/jobs/0/id"),
                "next": link("list_jobs", "The next page.", cursor="/next_cursor"),
            },
        ),
        304: NOT_MODIFIED,
    },
    problems=("validation", "store-unavailable"),
    query=JobQuerySchema,
    headers=(IF_NONE_MATCH,),
)
def list_jobs() -> Response:
    """List jobs, newest first, a page at a time."""
    asked = load_query(JobQuerySchema())
    state = asked.get("state")
    wanted = JobFilter(
        state=JobState(state) if state else None,
        batch_id=asked.get("batch_id"),
        article_id=asked.get("article_id"),
        source=asked.get("source"),
        created_after=asked.get("created_after"),
        created_before=asked.get("created_before"),
    )
    page = context().store.jobs(wanted, after=asked.get("cursor"), limit=asked["limit"])
    jobs_on_page = [job_document(job) for job in page.jobs]
    return page_answer("jobs", jobs_on_page, page.next_cursor)


@operation(
    jobs,
    "/v1/jobs/<job_id>/cancel",
    method="POST",
    answers={
        200: Answer(
            "The cancelled job.", JobSchema, {}, {"job": examples.JOB_CANCELLED}, links=_LINKS
        )
    },
    problems=("not-found", "state-conflict", "gone", "store-unavailable"),
)
def cancel_job(job_id: str) -> Response:
    """Cancel a queued or running job. A second time changes nothing; a finished job is 409."""
    return _job_answer(context().store.cancel(known_id(job_id)))


@operation(
    jobs,
    "/v1/jobs/<job_id>/retry",
    method="POST",
    answers={
        202: Answer(
            "Queued again, with a fresh set of attempts.",
            JobSchema,
            {**LOCATION, **RETRY_AFTER},
            {"queued": examples.JOB_QUEUED},
            links=_LINKS,
        )
    },
    problems=("not-found", "state-conflict", "gone", "store-unavailable"),
)
def retry_job(job_id: str) -> Response:
    """Run a failed job again. Any other state is 409."""
    here = context()
    job = here.store.retry(known_id(job_id))
    ring(here, [Receipt(job.article_id, job.id)], job.priority)
    response = _job_answer(job, 202)
    response.headers["Location"] = url_for("jobs.get_job", job_id=job.id)
    return response


def _job_answer(job: Job, status: int = 200) -> Response:
    response = answer(job_document(job), status)
    if not job.state.is_final:
        response.headers["Retry-After"] = str(context().settings.poll_interval)
    return response
