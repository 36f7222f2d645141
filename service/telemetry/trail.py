"""What ties together everything that is done for one request: its id, its job, its trace.

The trail follows the thread of control. A message to a worker carries it in its headers, so the
worker's log lines and spans join those of the request.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

REQUEST_ID = "request_id"
TRACEPARENT = "traceparent"

# Ids from outside are written to logs and headers: short, and nothing that needs quoting.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._\-]{1,64}\Z")
# https://www.w3.org/TR/trace-context/#traceparent-header, version 00.
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\Z")


@dataclass(frozen=True, slots=True)
class Trail:
    """What is known of the work in hand; empty outside any."""

    request_id: str | None = None
    job_id: str | None = None
    traceparent: str | None = None

    def fields(self) -> dict[str, str]:
        """What a log line says of it."""
        known = {REQUEST_ID: self.request_id, "job_id": self.job_id}
        if self.traceparent is not None:
            known["trace_id"] = self.traceparent.split("-")[1]
        return {name: value for name, value in known.items() if value is not None}

    def headers(self) -> dict[str, str]:
        """What a message for a worker carries of it."""
        known = {REQUEST_ID: self.request_id, TRACEPARENT: self.traceparent}
        return {name: value for name, value in known.items() if value is not None}


_current: ContextVar[Trail] = ContextVar("trail", default=Trail())  # noqa: B039 (frozen)


def current() -> Trail:
    """The trail of the work in hand."""
    return _current.get()


@contextmanager
def following(**known: str | None) -> Iterator[Trail]:
    """Within the block the trail also says `known` (fields of `Trail`)."""
    token = _current.set(replace(_current.get(), **known))
    try:
        yield _current.get()
    finally:
        _current.reset(token)


def from_headers(headers: Mapping[str, object]) -> Trail:
    """The trail that a message or a request brings. What has not the right form is left out: the
    broker and the callers are not to be trusted with our log."""
    return Trail(
        request_id=_matching(_REQUEST_ID, headers.get(REQUEST_ID)),
        traceparent=_matching(_TRACEPARENT, headers.get(TRACEPARENT)),
    )


def _matching(form: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and form.match(value) else None
