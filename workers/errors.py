"""The two ways in which an analysis can fail. Anything else is wrapped as one of them."""

from __future__ import annotations


class AnalysisError(Exception):
    """An attempt failed: `code` is for programs, `detail` for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class RetryableError(AnalysisError):
    """Another attempt may succeed: something around the article was in the way."""


class PermanentError(AnalysisError):
    """The same article would fail in the same way again."""


class WorkerStartError(RuntimeError):
    """This worker cannot do its work; the message says what to do about it."""
