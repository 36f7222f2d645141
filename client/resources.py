"""What goes to the service and what comes back, as the caller sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from client.errors import Problem

Analysis = dict[str, Any]
"""The analysis document exactly as `GET /v1/articles/{id}/analysis` answers it."""

FINAL_STATES = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class NewArticle:
    """An article to submit. `published_at` is an RFC 3339 time, `source` the outlet."""

    text: str
    title: str | None = None
    source: str | None = None
    url: str | None = None
    published_at: str | None = None
    language: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    targets: tuple[str, ...] = ()

    def to_body(self) -> dict[str, Any]:
        """The request body: only what is set."""
        body: dict[str, Any] = {"text": self.text}
        for name in ("title", "source", "url", "published_at", "language"):
            value = getattr(self, name)
            if value is not None:
                body[name] = value
        if self.metadata:
            body["metadata"] = dict(self.metadata)
        if self.targets:
            body["options"] = {"targets": list(self.targets)}
        return body


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an accepted article became."""

    article_id: str
    job_id: str


@dataclass(frozen=True, slots=True)
class BatchItem:
    """The answer for one article of a batch: a receipt or the problem that refused it."""

    index: int
    receipt: Receipt | None
    problem: Problem | None


@dataclass(frozen=True, slots=True)
class Job:
    """Where one analysis stands. `document` is the whole answer of the service."""

    id: str
    article_id: str
    state: str
    stage: str | None
    progress: float
    attempts: int
    failure: str | None
    document: Mapping[str, Any]

    @property
    def is_final(self) -> bool:
        """Whether the job will not change any more."""
        return self.state in FINAL_STATES

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Job:
        """Read a job document."""
        failure = document.get("failure")
        reason = None
        if isinstance(failure, Mapping):
            reason = str(failure.get("detail") or failure.get("code") or "no reason given")
        return cls(
            id=str(document["id"]),
            article_id=str(document["article_id"]),
            state=str(document["state"]),
            stage=document.get("stage"),
            progress=float(document.get("progress") or 0.0),
            attempts=int(document.get("attempts") or 0),
            failure=reason,
            document=document,
        )
