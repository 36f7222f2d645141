"""What a call to the service can raise: one class per family of problem documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong at one place: a JSON Pointer into the body, or a parameter's name."""

    place: str
    detail: str


@dataclass(frozen=True, slots=True)
class Problem:
    """An RFC 9457 problem document. `type` is stable; `title` and `detail` are for people."""

    status: int
    type: str
    title: str
    detail: str | None
    request_id: str | None
    errors: tuple[FieldFault, ...]

    @classmethod
    def from_document(cls, status: int, document: Mapping[str, Any]) -> Problem:
        """Read a problem document; members that are missing or of another type are left out."""
        found = document.get("errors")
        errors = tuple(
            FieldFault(
                str(entry.get("pointer") or entry.get("parameter") or ""),
                str(entry.get("detail", "")),
            )
            for entry in (found if isinstance(found, list) else [])
            if isinstance(entry, Mapping)
        )
        return cls(
            status=status,
            type=str(document.get("type") or "about:blank"),
            title=str(document.get("title") or f"HTTP {status}"),
            detail=_text(document.get("detail")),
            request_id=_text(document.get("request_id")),
            errors=errors,
        )

    def __str__(self) -> str:
        parts = [self.detail or self.title]
        parts += [f"{fault.place}: {fault.detail}".strip(": ") for fault in self.errors]
        return "; ".join(parts)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


class StancewireClientError(Exception):
    """Base of everything the client raises by itself."""


class ServiceUnreachableError(StancewireClientError):
    """No HTTP answer came: refused, timed out, or cut off, also after the retries."""


class JobNotFinishedError(StancewireClientError):
    """The wait ran out before the job reached a final state; the job goes on."""


class ProblemError(StancewireClientError):
    """The service answered with a problem document."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class InvalidRequestError(ProblemError):
    """400, 413, 415, 422: the request is wrong and will stay wrong."""


class ForbiddenError(ProblemError):
    """401, 403: no key, an unknown key, or a key without the scope."""


class NotFoundError(ProblemError):
    """404: no such id."""


class GoneError(ProblemError):
    """410: the id existed and was deleted or has expired.

    `retried`: an earlier try of the same call got no answer and may have taken effect.
    """

    retried = False


class ConflictError(ProblemError):
    """409: the state does not allow it, or the idempotency key is in use."""


class OverloadedError(ProblemError):
    """429, 503: too much at the moment; the client has already retried."""


class ServerFaultError(ProblemError):
    """Any other 5xx: a fault of the service."""


_BY_STATUS: dict[int, type[ProblemError]] = {
    401: ForbiddenError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    410: GoneError,
    429: OverloadedError,
    503: OverloadedError,
}


def problem_error(problem: Problem) -> ProblemError:
    """The exception that fits the problem's status."""
    if problem.status in _BY_STATUS:
        return _BY_STATUS[problem.status](problem)
    return ServerFaultError(problem) if problem.status >= 500 else InvalidRequestError(problem)
