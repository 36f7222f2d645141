"""What became of every accepted article, counted in the tables themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import create_engine, func, select

from service.domain.article import text_sha256
from service.domain.job import FINAL_STATES, JobState
from service.store.tables import analyses, articles, jobs

# What the callers' texts can end as, besides succeeding: anything may lose all its workers.
LOST = "attempts_exhausted"
EXPECTED = {"permanent": "unreadable", "retry": "busy", "die": LOST}


@dataclass
class Account:
    """Figures, and a sentence for each promise that was not kept."""

    figures: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def open_jobs(database_url: str) -> int:
    """How many jobs are not final."""
    engine = create_engine(database_url)
    with engine.connect() as connection:
        final = [state.value for state in FINAL_STATES]
        query = select(func.count()).select_from(jobs).where(jobs.c.state.not_in(final))
        found = int(connection.execute(query).scalar_one())
    engine.dispose()
    return found


def signatures(database_url: str, job_ids: list[str]) -> set[str]:
    """The pipeline versions of these jobs' analyses: which workers made them."""
    engine = create_engine(database_url)
    with engine.connect() as connection:
        query = select(analyses.c.pipeline_version).where(analyses.c.job_id.in_(job_ids))
        found = set(connection.execute(query).scalars())
    engine.dispose()
    return found


def account(database_url: str, accepted: Mapping[str, str]) -> Account:
    """Check every job against what its caller was told. `accepted`: job id → text."""
    engine = create_engine(database_url)
    with engine.connect() as connection:
        found = connection.execute(
            select(jobs, articles.c.text).join(articles, articles.c.id == jobs.c.article_id)
        ).all()
        made = connection.execute(select(analyses)).all()
        article_count = connection.execute(select(func.count()).select_from(articles)).scalar_one()
    engine.dispose()
    by_job: dict[str, list[Any]] = {}
    for analysis in made:
        by_job.setdefault(analysis.job_id, []).append(analysis)
    result = Account()
    complain = result.faults.append
    ids = {row.id for row in found}
    if lost := set(accepted) - ids:
        complain(f"{len(lost)} accepted jobs are not there")
    if extra := ids - set(accepted):
        complain(f"{len(extra)} jobs that no caller was told of")
    if article_count != len(found):
        complain(f"{article_count} articles for {len(found)} jobs")
    endings: Counter[str] = Counter()
    attempts: Counter[int] = Counter()
    for row in found:
        own = by_job.pop(row.id, [])
        told = accepted.get(row.id, row.text)
        attempts[row.attempts] += 1
        ending = row.state if row.state != JobState.FAILED else f"failed: {row.failure_code}"
        endings[ending] += 1
        if row.text != told:
            complain(f"job {row.id} has another article's text")
        if row.state == JobState.SUCCEEDED:
            if len(own) != 1 or own[0].article_id != row.article_id:
                complain(f"job {row.id} succeeded with {len(own)} analyses")
            elif own[0].document["text_sha256"] != text_sha256(row.text):
                complain(f"job {row.id} has another article's analysis")
            if told in EXPECTED:
                complain(f"job {row.id} ({told}) succeeded")
        elif row.state == JobState.FAILED:
            if own or not row.failure_code or not row.failure_detail:
                complain(f"job {row.id} failed with {len(own)} analyses, {row.failure_code}")
            if row.failure_code not in {LOST, EXPECTED.get(told)}:
                complain(f"job {row.id} ({told}) failed as {row.failure_code}")
        else:
            complain(f"job {row.id} ({told}) is still {row.state} after {row.attempts} attempts")
        if row.attempts > row.max_attempts:
            complain(f"job {row.id} was tried {row.attempts} times")
        if row.lease_until is not None or row.worker_id is not None:
            complain(f"job {row.id} has ended and is still held")
    if by_job:
        complain(f"{len(by_job)} analyses without a job")
    result.figures = {
        "accepted": len(accepted),
        "accounted_for": sum(
            row.id in accepted and row.state in {JobState.SUCCEEDED, JobState.FAILED}
            for row in found
        ),
        "endings": dict(sorted(endings.items())),
        "attempts": {str(tries): count for tries, count in sorted(attempts.items())},
    }
    return result
