"""Runs a check over random examples and counts them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

Example = TypeVar("Example")


def hunt(
    strategy: SearchStrategy[Example],
    check: Callable[[Example], None],
    *,
    examples: int,
    start: int,
) -> dict[str, Any]:
    """Figures of `examples` checks; the same `start` draws the same ones.

    Raises what `check` raised, with the smallest example that makes it do so as a note.
    """
    tried = 0

    @seed(start)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(strategy)
    def each(example: Example) -> None:
        nonlocal tried
        tried += 1
        try:
            check(example)
        except Exception as err:
            err.add_note(f"Example: {example!r}")
            raise

    began = time.monotonic()
    each()
    return {"examples": tried, "seconds": round(time.monotonic() - began, 1)}
