"""Submit articles, follow their jobs, and hand out the analyses in the order of the articles."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from client.errors import ProblemError
from client.http import JobWatch, OffsetUnit, StancewireClient
from client.inputs import ArticleInput
from client.progress import Display
from client.resources import Analysis, Job

# Jobs are worked off about in order: asking after the first few tells all there is to tell.
_WATCHED = 8


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one article: its analysis, or `None` (the display was told why)."""

    given: ArticleInput
    analysis: Analysis | None


@dataclass(slots=True)
class _Followed:
    at: int
    watch: JobWatch
    next_poll: float = 0.0


def analyse(
    client: StancewireClient,
    articles: Sequence[ArticleInput],
    display: Display,
    *,
    offsets: OffsetUnit = "codepoint",
    patience: float,
    check: Callable[[], None] = lambda: None,
) -> Iterator[Outcome]:
    """Yield the outcome of each article, in order, as soon as it and those before it are known.

    `check` runs between polls and may raise. When no job has moved for `patience` seconds, the
    jobs that are left count as failed here; in the service they go on.
    """
    display.expect([given.name for given in articles])
    known: dict[int, Outcome] = {}
    waiting: list[_Followed] = []
    handed_out = 0
    for at, given in enumerate(articles):
        try:
            receipt = client.submit(given.article)
        except ProblemError as problem:
            display.failed(at, str(problem))
            known[at] = Outcome(given, None)
        else:
            waiting.append(_Followed(at, client.watch(receipt.job_id)))
    moved = time.monotonic()
    while waiting or handed_out < len(articles):
        for followed in waiting[:_WATCHED]:
            if followed.next_poll > time.monotonic():
                continue
            job, changed = followed.watch.poll()
            followed.next_poll = time.monotonic() + followed.watch.pause
            if changed:
                moved = time.monotonic()
                display.job(followed.at, job)
            if job.is_final:
                waiting.remove(followed)
                known[followed.at] = _outcome(
                    client, followed.at, articles[followed.at], job, display, offsets
                )
        while handed_out in known:
            yield known.pop(handed_out)
            handed_out += 1
        if not waiting:
            continue
        check()
        if time.monotonic() - moved > patience:
            for followed in waiting:
                display.failed(followed.at, f"nothing has moved for {patience:.0f} s, given up")
                known[followed.at] = Outcome(articles[followed.at], None)
            waiting = []
            continue
        soonest = min(followed.next_poll for followed in waiting[:_WATCHED])
        time.sleep(max(0.0, soonest - time.monotonic()))


def _outcome(
    client: StancewireClient,
    at: int,
    given: ArticleInput,
    job: Job,
    display: Display,
    offsets: OffsetUnit,
) -> Outcome:
    if job.state == "succeeded":
        try:
            return Outcome(given, client.analysis(job.article_id, offsets=offsets))
        except ProblemError as problem:  # deleted in between, say
            display.failed(at, str(problem))
            return Outcome(given, None)
    reason = job.failure or f"its job was {job.state}"
    display.failed(at, f"{reason} (after {job.attempts} attempts)" if job.failure else reason)
    return Outcome(given, None)
