"""`StancewireClient`: one method a route, safe retries, and typed errors."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal
from uuid import uuid4

import httpx

from client.errors import (
    GoneError,
    JobNotFinishedError,
    Problem,
    ProblemError,
    ServiceUnreachableError,
    problem_error,
)
from client.resources import Analysis, BatchItem, Job, NewArticle, Receipt

OffsetUnit = Literal["codepoint", "utf16", "utf8"]

# Answers that a later, equal request may well not get. 409 counts only when the service names a
# time to come back, as it does while the first request with the same idempotency key runs.
_TRANSIENT = frozenset({429, 502, 503, 504})
_LONGEST_PAUSE = 10.0
# A key's requests come back by the minute; a quota that comes back tomorrow is not waited for.
_LONGEST_LIMITED_PAUSE = 60.0
_SHORTEST_POLL = 0.1
_LONGEST_POLL = 2.0


class StancewireClient:
    """Talks to one service. Use it as a context manager, or call `close`.

    Every request may be sent again after a lost connection or a 429, 502, 503 or 504: what reads
    or deletes is safe to repeat, and what submits carries an `Idempotency-Key`. `trust_env` lets
    the environment's proxy settings apply.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        *,
        timeout: float = 60.0,
        retries: int = 4,
        trust_env: bool = True,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {"Accept": "application/json"}
        if api_key:
            headers["Authorization"] = f"Bearer {api_key}"
        self._http = httpx.Client(
            base_url=base_url,
            headers=headers,
            timeout=timeout,
            transport=transport,
            trust_env=trust_env,
        )
        self._retries = retries
        self._sleep = sleep

    def __enter__(self) -> StancewireClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def submit(self, article: NewArticle, *, idempotency_key: str | None = None) -> Receipt:
        """Submit one article. The same `idempotency_key` and article give the same receipt."""
        response = self._send(
            "POST",
            "/v1/articles",
            json=article.to_body(),
            headers={"Idempotency-Key": idempotency_key or str(uuid4())},
        )
        return _receipt(response.json())

    def batch(
        self, articles: Sequence[NewArticle], *, idempotency_key: str | None = None
    ) -> list[BatchItem]:
        """Submit many articles at once; the answer has one item an article, in order."""
        response = self._send(
            "POST",
            "/v1/batches",
            json=[article.to_body() for article in articles],
            headers={"Idempotency-Key": idempotency_key or str(uuid4())},
        )
        return [_batch_item(index, item) for index, item in enumerate(_items(response.json()))]

    def job(self, job_id: str) -> Job:
        """Where the job stands now."""
        return Job.from_document(self._send("GET", f"/v1/jobs/{job_id}").json())

    def watch(self, job_id: str) -> JobWatch:
        """A watch on one job: polls without sending again what has not changed."""
        return JobWatch(self, job_id)

    def wait(
        self,
        job_id: str,
        *,
        timeout: float | None = None,
        on_change: Callable[[Job], None] | None = None,
    ) -> Job:
        """Poll until the job is final. Raises `JobNotFinishedError` after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        watch = self.watch(job_id)
        while True:
            job, changed = watch.poll()
            if changed and on_change is not None:
                on_change(job)
            if job.is_final:
                return job
            pause = watch.pause
            if deadline is not None:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise JobNotFinishedError(f"job {job_id} is still {job.state}")
                pause = min(pause, left)
            self._sleep(pause)

    def article(self, article_id: str) -> dict[str, Any]:
        """The article as it is kept, its text included."""
        document = self._send("GET", f"/v1/articles/{article_id}").json()
        assert isinstance(document, dict)
        return document

    def analysis(self, article_id: str, *, offsets: OffsetUnit = "codepoint") -> Analysis:
        """The article's analysis, its offsets counted in the unit that is asked for."""
        path = f"/v1/articles/{article_id}/analysis"
        response = self._send("GET", path, params={"offsets": offsets})
        document = response.json()
        assert isinstance(document, dict)
        return document

    def cancel(self, job_id: str) -> Job:
        """Cancel a queued or running job. Raises `ConflictError` when it is finished."""
        return Job.from_document(self._send("POST", f"/v1/jobs/{job_id}/cancel").json())

    def delete(self, article_id: str) -> None:
        """Delete the article, its jobs and its analysis."""
        try:
            self._send("DELETE", f"/v1/articles/{article_id}")
        except GoneError as gone:
            # The first DELETE took effect and only its answer was lost: the caller's wish is done.
            if not gone.retried:
                raise

    def models(self) -> dict[str, Any]:
        """The models that the live workers run."""
        document = self._send("GET", "/v1/models").json()
        assert isinstance(document, dict)
        return document

    def _send(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        attempt = 0
        while True:
            last = attempt >= self._retries
            longest = _LONGEST_PAUSE
            try:
                response = self._http.request(
                    method, path, json=json, params=params, headers=headers
                )
            except httpx.InvalidURL as err:
                raise ServiceUnreachableError(f"not a URL: {self._http.base_url}: {err}") from err
            except httpx.TransportError as err:
                if last or isinstance(err, httpx.UnsupportedProtocol):
                    reason = str(err) or type(err).__name__
                    raise ServiceUnreachableError(f"{self._http.base_url}: {reason}") from err
                pause = _backoff(attempt)
            else:
                if response.is_success or response.status_code == 304:
                    return response
                pause_asked = _retry_after(response)
                transient = response.status_code in _TRANSIENT or (
                    response.status_code == 409 and pause_asked is not None
                )
                if last or not transient:
                    raise _error(response, retried=attempt > 0)
                pause = _backoff(attempt) if pause_asked is None else pause_asked
                if response.status_code == 429:
                    if pause > _LONGEST_LIMITED_PAUSE:
                        raise _error(response, retried=attempt > 0)
                    longest = _LONGEST_LIMITED_PAUSE
            self._sleep(min(pause, longest))
            attempt += 1


class JobWatch:
    """Polls one job with its ETag, and says how long to pause before the next poll."""

    def __init__(self, client: StancewireClient, job_id: str) -> None:
        self._client = client
        self._path = f"/v1/jobs/{job_id}"
        self._etag: str | None = None
        self._job: Job | None = None
        self.pause = _SHORTEST_POLL

    def poll(self) -> tuple[Job, bool]:
        """The job, and whether it changed since the last poll."""
        headers = {"If-None-Match": self._etag} if self._etag and self._job else {}
        response = self._client._send("GET", self._path, headers=headers)
        asked = _retry_after(response)
        self.pause = min(self.pause * 1.5, _LONGEST_POLL) if asked is None else asked
        if response.status_code == 304 and self._job is not None:
            return self._job, False
        job = Job.from_document(response.json())
        changed = self._job != job
        self._job, self._etag = job, response.headers.get("ETag")
        return job, changed


def _backoff(attempt: int) -> float:
    """0.2 s, 0.4 s, 0.8 s … with jitter, so that clients that failed together part again."""
    longest: float = min(0.2 * 2.0**attempt, _LONGEST_PAUSE)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds that the service asks us to wait; its HTTP-date form is not used by it."""
    try:
        return max(0.0, float(response.headers["Retry-After"]))
    except (KeyError, ValueError):
        return None


def _error(response: httpx.Response, *, retried: bool) -> ProblemError:
    try:
        document = response.json()
    except ValueError:
        document = {}
    if not isinstance(document, dict):
        document = {}
    error = problem_error(Problem.from_document(response.status_code, document))
    if isinstance(error, GoneError):
        error.retried = retried
    return error


def _receipt(document: Mapping[str, Any]) -> Receipt:
    return Receipt(article_id=str(document["article_id"]), job_id=str(document["job_id"]))


def _items(document: Any) -> Iterable[Mapping[str, Any]]:
    items = document["items"] if isinstance(document, dict) else document
    assert isinstance(items, list)
    return items


def _batch_item(index: int, item: Mapping[str, Any]) -> BatchItem:
    problem = item.get("problem")
    if isinstance(problem, Mapping):
        status = problem.get("status")
        status = status if isinstance(status, int) else 422
        return BatchItem(index, None, Problem.from_document(status, problem))
    return BatchItem(index, _receipt(item), None)
