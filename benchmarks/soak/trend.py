"""Whether a series grows: the median of the slopes of all pairs of points (Theil 1950, Sen 1968).

A few outliers, a garbage collection or a single step do not move it; steady growth does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

# A part is flat when an hour adds less than 5 % of its size, or less than 4 MB where it is small:
# allocators take memory in steps of that order. At 4 MB an hour an inference process, which is
# replaced after 2,000 jobs anyway, would need two weeks to reach its ceiling.
SHARE_AN_HOUR = 0.05
MEGABYTES_AN_HOUR = 4.0
# Threads are started as requests come together, connections are kept: a few settle late.
COUNT_AN_HOUR = 4.0


@dataclass(frozen=True, slots=True)
class Trend:
    """A series after its warm-up."""

    middle: float
    growth_an_hour: float


def trend(points: Sequence[tuple[float, float]]) -> Trend:
    """Of (seconds, value); at least two different times."""
    slopes = [
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for earlier, later in combinations(points, 2)
        if later[0] > earlier[0]
    ]
    return Trend(median(value for _, value in points), 3600 * median(slopes))


def is_flat_memory(found: Trend) -> bool:
    """Of megabytes."""
    return found.growth_an_hour < max(MEGABYTES_AN_HOUR, SHARE_AN_HOUR * found.middle)


def is_flat_count(found: Trend) -> bool:
    """Of open files or threads."""
    return found.growth_an_hour < COUNT_AN_HOUR
