"""Every error the API answers with: one table, one shape (RFC 9457)."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, g
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from service.domain.errors import (
    AnalysisNotReadyError,
    GoneError,
    IdempotencyInFlightError,
    IdempotencyMismatchError,
    NotFoundError,
    QueueFullError,
    QuotaExceededError,
    StancewireError,
    StateConflictError,
    StoreUnavailableError,
    UnknownTenantError,
)

URN = "urn:stancewire:problem:"
CONTENT_TYPE = "application/problem+json"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of error: its status, its title and what its detail says unless told otherwise."""

    name: str
    status: int
    title: str
    detail: str
    retry_after: int | None = None

    @property
    def uri(self) -> str:
        """The stable `type` of the problem document."""
        return URN + self.name

    def document(self, request_id: str, detail: str | None = None) -> dict[str, Any]:
        """The problem document of one request."""
        return {
            "type": self.uri,
            "title": self.title,
            "status": self.status,
            "detail": detail or self.detail,
            "request_id": request_id,
        }


_TABLE = (
    ProblemType(
        "malformed-request", 400, "Malformed request", "The request cannot be read as HTTP."
    ),
    ProblemType("malformed-json", 400, "Malformed JSON", "The body is not one JSON document."),
    ProblemType(
        "invalid-encoding", 400, "Invalid encoding", "The body is not in the encoding it claims."
    ),
    ProblemType(
        "unauthorized",
        401,
        "Unauthorized",
        "An API key is missing, or the one that came is good no more or never was.",
    ),
    ProblemType(
        "insufficient-scope", 403, "Insufficient scope", "The API key may not do what was asked."
    ),
    ProblemType("not-found", 404, "Not found", "There is nothing here, and never was."),
    ProblemType(
        "analysis-not-ready",
        404,
        "Analysis not ready",
        "The job is not done yet; follow its link.",
        retry_after=1,
    ),
    ProblemType(
        "method-not-allowed", 405, "Method not allowed", "See the Allow header for what works here."
    ),
    ProblemType(
        "state-conflict", 409, "State conflict", "The job's state does not allow what was asked."
    ),
    ProblemType(
        "analysis-failed", 409, "Analysis failed", "The job failed; it can be retried by its link."
    ),
    ProblemType(
        "analysis-cancelled", 409, "Analysis cancelled", "The job was cancelled before it was done."
    ),
    ProblemType(
        "idempotency-in-flight",
        409,
        "Request in flight",
        "A request with this Idempotency-Key is still being answered.",
        retry_after=1,
    ),
    ProblemType("gone", 410, "Gone", "It was here and has been deleted or has expired."),
    ProblemType(
        "request-timeout",
        408,
        "Request timeout",
        "The request took too long to arrive; nothing of it was done.",
    ),
    ProblemType("too-large", 413, "Content too large", "The body is larger than the limit."),
    ProblemType(
        "unsupported-media-type",
        415,
        "Unsupported media type",
        "See the Accept header for what can be sent here.",
    ),
    ProblemType(
        "validation", 422, "Validation failed", "The request is well-formed but breaks the schema."
    ),
    ProblemType("no-text", 422, "No text found", "No article text was found in the HTML page."),
    ProblemType(
        "page-too-costly",
        422,
        "Page too costly",
        "The HTML page takes more time or memory to read than a page may take; send its text.",
    ),
    ProblemType(
        "webhooks-off",
        422,
        "Webhooks are off",
        "This service has no webhook secret (STANCEWIRE_WEBHOOK_SECRET), so it calls nobody back.",
    ),
    ProblemType(
        "idempotency-mismatch",
        422,
        "Idempotency-Key reused",
        "This Idempotency-Key was used before with another request.",
    ),
    ProblemType(
        "rate-limited",
        429,
        "Too many requests",
        "The API key has made all requests of this minute.",
        retry_after=60,
    ),
    ProblemType(
        "quota-exceeded",
        429,
        "Quota exceeded",
        "The API key may not submit so many articles today (in UTC); nothing was accepted.",
        retry_after=3600,
    ),
    ProblemType(
        "head-too-large",
        431,
        "Request head too large",
        "The request line and the header fields are too long or too many.",
    ),
    ProblemType(
        "internal-error", 500, "Internal error", "The fault is ours; quote the request id."
    ),
    ProblemType(
        "busy",
        503,
        "Busy",
        "Too many HTML pages are being read, or too many large bodies arrive. Try again later.",
        retry_after=2,
    ),
    ProblemType(
        "queue-full",
        503,
        "Queue full",
        "Too many jobs are waiting; nothing was accepted. Try again later.",
        retry_after=30,
    ),
    ProblemType(
        "store-unavailable",
        503,
        "Store unavailable",
        "The database does not answer; nothing was written. Try again.",
        retry_after=5,
    ),
    ProblemType(
        "not-ready", 503, "Not ready", "Something behind the service is missing.", retry_after=5
    ),
)

PROBLEMS: dict[str, ProblemType] = {kind.name: kind for kind in _TABLE}

DOMAIN_ERRORS: dict[type[StancewireError], str] = {
    NotFoundError: "not-found",
    GoneError: "gone",
    StateConflictError: "state-conflict",
    AnalysisNotReadyError: "analysis-not-ready",
    IdempotencyMismatchError: "idempotency-mismatch",
    IdempotencyInFlightError: "idempotency-in-flight",
    QueueFullError: "queue-full",
    QuotaExceededError: "quota-exceeded",
    # Its keys are gone with it.
    UnknownTenantError: "unauthorized",
    StoreUnavailableError: "store-unavailable",
}

# What Flask and Werkzeug raise by themselves, by status; any other 4xx is a malformed request.
_HTTP_ERRORS = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}


class ProblemError(Exception):
    """An error with its row of the table, its faults and members of its own."""

    def __init__(
        self,
        name: str,
        detail: str | None = None,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        members: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = PROBLEMS[name]
        self.detail = detail or self.kind.detail
        self.errors = tuple(errors)
        self.members = dict(members or {})
        self.headers = dict(headers or {})
        super().__init__(f"{name}: {self.detail}")

    def document(self) -> dict[str, Any]:
        """The problem document."""
        document = self.kind.document(g.request_id, self.detail)
        if self.errors:
            document["errors"] = [dict(error) for error in self.errors]
        return {**document, **self.members}

    def response(self) -> Response:
        """The whole answer."""
        response = Response(
            json.dumps(self.document()), status=self.kind.status, content_type=CONTENT_TYPE
        )
        if self.kind.retry_after is not None:
            response.headers["Retry-After"] = str(self.kind.retry_after)
        response.headers.update(self.headers)
        response.headers["Cache-Control"] = "no-store"
        g.problem = self.kind.name
        return response


def faults(messages: Any, pointer: str = "") -> list[dict[str, str]]:
    """Marshmallow's nested messages as JSON Pointers with their detail."""
    if isinstance(messages, str):
        return [{"pointer": pointer, "detail": messages}]
    if isinstance(messages, Mapping):
        found = []
        for key, inner in messages.items():
            if key == "_schema":
                found += faults(inner, pointer)
            else:
                # A pointer goes out as UTF-8, which a lone surrogate in a member's name is not.
                step = str(key).replace("~", "~0").replace("/", "~1")
                step = step.encode("utf-8", "replace").decode("utf-8")
                found += faults(inner, f"{pointer}/{step}")
        return found
    return [fault for message in messages for fault in faults(message, pointer)]


def register(app: Flask) -> None:
    """Answer every exception with its problem document."""
    app.register_error_handler(ProblemError, lambda error: error.response())
    app.register_error_handler(StancewireError, _domain_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def _domain_error(error: StancewireError) -> Response:
    name = DOMAIN_ERRORS.get(type(error))
    if name is None:
        return _unexpected(error)
    if isinstance(error, StoreUnavailableError):
        log.error("the store does not answer: %s", error)
    if isinstance(error, StateConflictError | GoneError):
        return ProblemError(name, str(error) or None).response()
    if isinstance(error, QuotaExceededError):
        detail = (
            f"{error.left} of the key's {error.quota} articles are left today (in UTC); "
            "nothing was accepted."
        )
        return ProblemError(name, detail, headers=_quota_headers(error)).response()
    return ProblemError(name).response()


def _quota_headers(error: QuotaExceededError) -> dict[str, str]:
    return {
        "Retry-After": str(error.seconds),
        "RateLimit-Policy": f'"articles";q={error.quota};w=86400',
        "RateLimit": f'"articles";r={error.left};t={error.seconds}',
    }


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status >= 500:
        return _unexpected(error)
    name = _HTTP_ERRORS.get(status, "malformed-request")
    headers = {}
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return ProblemError(name, headers=headers).response()


def _unexpected(error: Exception) -> Response:
    log.error("unexpected error", exc_info=error)
    return ProblemError("internal-error").response()
