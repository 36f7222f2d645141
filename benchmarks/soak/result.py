"""The books of a run: every article, every request, and whether each part is flat."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.soak.run import BROKER_DATA, DATABASE, Course, Plan
from benchmarks.soak.samples import Points, Sample, by_minute
from benchmarks.soak.trend import Trend, is_flat_count, is_flat_memory, trend

# Started when pages come together, and ended when a page costs too much: not a loss.
COME_AND_GO = {"API, page readers"}


@dataclass
class Result:
    """Figures for the file, and a sentence for each promise that was not kept."""

    figures: dict[str, Any]
    faults: list[str]
    not_flat: list[str]
    # Name → (minutes, megabytes).
    lines: dict[str, Points]


def result_of(plan: Plan, course: Course) -> Result:
    """Close the books."""
    memory = {
        part: [(sample.seconds, sample.megabytes) for sample in samples]
        for part, samples in course.sampler.parts.items()
    }
    memory[BROKER_DATA] = course.sampler.others[BROKER_DATA]
    warm_up = 60 * plan.warm_up
    parts: dict[str, Any] = {}
    not_flat: list[str] = []
    for part, points in memory.items():
        found = trend(_after(warm_up, points))
        parts[part] = {
            "megabytes": round(found.middle, 1),
            "growth_megabytes_an_hour": round(found.growth_an_hour, 2),
            "growth_percent_an_hour": round(100 * found.growth_an_hour / found.middle, 2),
        }
        if not is_flat_memory(found):
            not_flat.append(f"{part}: {_words(found, 'MB')}")
    for part, samples in course.sampler.parts.items():
        parts[part] |= _processes(part, samples, len(course.sampler.seen[part]))
        for name in ("files", "threads"):
            found = trend(_after(warm_up, [(s.seconds, getattr(s, name)) for s in samples]))
            parts[part][name] = round(found.middle, 1)
            parts[part][f"growth_{name}_an_hour"] = round(found.growth_an_hour, 2)
            if not is_flat_count(found):
                not_flat.append(f"{part}: {_words(found, name)}")
    figures = {
        **_account(course),
        "parts": parts,
        "each_minute": {
            "megabytes": _each_minute(memory),
            "database_megabytes": _thinned(course.sampler.others[DATABASE]),
            "files": _each_minute(_counts(course, "files")),
            "threads": _each_minute(_counts(course, "threads")),
        },
    }
    faults = _faults(course) + _replaced(course)
    lines = {
        part: [(second / 60, value) for second, value in points] for part, points in memory.items()
    }
    return Result(figures, faults, not_flat, lines)


def _account(course: Course) -> dict[str, Any]:
    ledger = course.ledger
    ends = Counter(state for state, _ in ledger.ended.values())
    return {
        "articles": {
            "submitted": ledger.submitted.total(),
            "submitted_as": dict(sorted(ledger.submitted.items())),
            "accepted": len(ledger.job_of),
            "ended": dict(ends),
            "open": ledger.open(),
            "accounted_for": len(ledger.ended),
            "deleted": len(ledger.deleted),
            "median_seconds_until_seen": round(median(ledger.seconds_until_seen or [0.0]), 2),
            "longest_seconds_until_seen": round(max(ledger.seconds_until_seen or [0.0]), 2),
        },
        "webhooks": {"wanted": len(ledger.wants_webhook), "received": course.webhooks.total()},
        "requests": dict(sorted(ledger.requests.items())),
        "slowest_request_seconds": round(ledger.slowest, 2),
        "latest_submission_seconds": round(ledger.latest, 2),
    }


def _faults(course: Course) -> list[str]:
    ledger = course.ledger
    faults = list(course.faults)
    ends = Counter(state for state, _ in ledger.ended.values())
    faults += [f"{count} jobs ended as {end}" for end, count in ends.items() if end != "succeeded"]
    if missing := ledger.submitted.total() - len(ledger.ended):
        faults.append(f"{missing} submitted articles have no end that their caller saw")
    if course.open_jobs:
        faults.append(f"{course.open_jobs} jobs are open in the database")
    if untold := ledger.wants_webhook - set(course.webhooks):
        faults.append(f"{len(untold)} webhooks did not arrive")
    return faults


def _replaced(course: Course) -> list[str]:
    """A process that is replaced begins small again and would hide what it lost."""
    return [
        f"{part}: {len(pids)} processes in turn, {course.sampler.parts[part][-1].processes} at once"
        for part, pids in course.sampler.seen.items()
        if part not in COME_AND_GO and len(pids) > course.sampler.parts[part][-1].processes
    ]


def _processes(part: str, samples: list[Sample], ever: int) -> dict[str, Any]:
    return {
        "processes": samples[-1].processes,
        "processes_ever": ever,
        "pss_megabytes_of_all": round(samples[-1].total_pss_megabytes, 1),
    }


def _counts(course: Course, name: str) -> dict[str, Points]:
    return {
        part: [(sample.seconds, getattr(sample, name)) for sample in samples]
        for part, samples in course.sampler.parts.items()
    }


def _each_minute(series: dict[str, Points]) -> dict[str, dict[str, float]]:
    return {part: _thinned(points) for part, points in series.items()}


def _thinned(points: Points) -> dict[str, float]:
    """By minute; a part that did not live in a minute has no value there."""
    return {f"{minute:g}": round(value, 2) for minute, value in by_minute(points)}


def _after(warm_up: float, points: Points) -> Points:
    return [point for point in points if point[0] >= warm_up]


def _words(found: Trend, unit: str) -> str:
    return f"{found.growth_an_hour:+.1f} {unit} an hour at {found.middle:.1f}"
