"""Taking up the trail that a message brings: its request, its trace, its job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from service.telemetry import trail
from service.telemetry.traces import NoTraces


@contextmanager
def delivered(traces: NoTraces, headers: Mapping[str, object], job_id: str) -> Iterator[None]:
    """Within the block log lines and spans belong to the request that rang for the job. A message
    of the sweeper has no request: they belong to the job only."""
    brought = trail.from_headers(headers)
    with (
        trail.following(
            request_id=brought.request_id, traceparent=brought.traceparent, job_id=job_id
        ),
        traces.span("analyse", "consumer"),
    ):
        yield
