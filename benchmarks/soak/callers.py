"""Callers at a steady rate: they submit, poll, read what came of it, list, and delete what is old.

Nobody disturbs the service, so that each answer that is not the expected one is a fault.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Any

import httpx

from benchmarks.soak.requests import Submission, submissions

# As many at once as one API process has threads.
CALLERS = 16
FINAL = {"succeeded", "failed", "cancelled"}
# What the machine's other work may delay; a job that is open for longer is stuck.
PATIENCE_SECONDS = 900.0
LIST_SECONDS = 5.0
SCRAPE_SECONDS = 15.0
VISIT_SECONDS = 30.0
PAGES = ("/", "/docs", "/openapi.json", "/readyz", "/v1/models", "/v1/webhook_deliveries")


class UnexpectedAnswerError(Exception):
    """An answer that a caller of a healthy service does not get."""


@dataclass
class Ledger:
    """Every accepted article, and what its caller saw of it."""

    job_of: dict[str, str] = field(default_factory=dict)
    # Article id → how its job ended, when; in the order in which they ended.
    ended: dict[str, tuple[str, float]] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    wants_webhook: set[str] = field(default_factory=set)
    submitted: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0
    latest: float = 0.0
    seconds_until_seen: list[float] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def open(self) -> int:
        """Articles whose job's end their callers have not seen."""
        return len(self.job_of) - len(self.ended)


class Callers:
    """All callers of one run."""

    def __init__(
        self,
        base_url: str,
        metrics_url: str,
        callback_url: str,
        *,
        articles_a_minute: float,
        keep_seconds: float,
        seed: int,
        told: Callable[[], Collection[str]],
    ) -> None:
        self.ledger = Ledger()
        self._base_url = base_url
        self._metrics_url = metrics_url
        self._rate = articles_a_minute / 60
        self._keep_seconds = keep_seconds
        # Ids of the articles of which a webhook came.
        self._told = told
        self._wanted = submissions(random.Random(seed), callback_url)
        # Dropped before gunicorn drops them, or a request meets a connection that just closes.
        limits = httpx.Limits(keepalive_expiry=2.0)
        self._http = httpx.Client(base_url=base_url, timeout=60, limits=limits, trust_env=False)
        self._pool = ThreadPoolExecutor(CALLERS, thread_name_prefix="caller")
        self._calls: list[Future[None]] = []
        self._stop = Event()
        self._threads = [
            Thread(target=self._guarded, args=(work,), daemon=True)
            for work in (self._submit_all, self._look_around)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Submit nothing more; wait for the callers that still wait."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._pool.shutdown()

    def check_all(self) -> None:
        """What was deleted is gone, what was analysed can still be read."""
        ledger = self.ledger
        for article_id in ledger.job_of:
            with self._noting():
                if article_id in ledger.deleted:
                    self._ask("GET", f"/v1/articles/{article_id}", 410)
                elif ledger.ended.get(article_id, ("", 0.0))[0] == "succeeded":
                    self._ask("GET", f"/v1/articles/{article_id}/analysis")
        self._http.close()

    def _submit_all(self) -> None:
        began, sent = time.monotonic(), 0
        for wanted in self._wanted:
            due = began + sent / self._rate
            if self._stop.wait(max(0.0, due - time.monotonic())):
                return
            sent += wanted.articles
            self._pool.submit(self._guarded, self._call, wanted, due)

    def _call(self, wanted: Submission, due: float) -> None:
        """One caller: submits and waits for the end of all that it submitted."""
        ledger = self.ledger
        with ledger.lock:
            ledger.latest = max(ledger.latest, time.monotonic() - due)
            ledger.submitted[wanted.form] += wanted.articles
        began = time.monotonic()
        response = self._ask(
            "POST",
            wanted.path,
            202,
            200,
            content=wanted.body,
            headers=wanted.headers,
            params=wanted.query,
        )
        accepted = _accepted(wanted, response)
        if len(accepted) != wanted.articles:
            raise UnexpectedAnswerError(f"{len(accepted)} of {wanted.articles} articles accepted")
        with ledger.lock:
            ledger.job_of |= accepted
            if "callback_url" in wanted.query:
                ledger.wants_webhook |= set(accepted)
        for article_id, job_id in accepted.items():
            with self._noting():
                state = self._await(job_id)
                with ledger.lock:
                    ledger.ended[article_id] = (state, time.monotonic())
                    ledger.seconds_until_seen.append(time.monotonic() - began)
                if state == "succeeded":
                    self._read(article_id)

    def _await(self, job_id: str) -> str:
        """Poll with the ETag until the job is final; its state, or its failure's code."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        path, headers = f"/v1/jobs/{job_id}", {}
        while time.monotonic() < deadline:
            response = self._ask("GET", path, 200, 304, headers=headers)
            if response.status_code == 200:
                headers = {"If-None-Match": response.headers["ETag"]}
                job = response.json()
                if job["state"] in FINAL:
                    return str(job["failure"]["code"] if job["failure"] else job["state"])
            time.sleep(float(response.headers.get("Retry-After", "1")))
        raise UnexpectedAnswerError(f"job {job_id} is not final after {PATIENCE_SECONDS:.0f} s")

    def _read(self, article_id: str) -> None:
        """The analysis, again because nothing tells the caller not to, and in other offsets."""
        path = f"/v1/articles/{article_id}/analysis"
        etag = self._ask("GET", path).headers["ETag"]
        self._ask("GET", path, 304, headers={"If-None-Match": etag})
        self._ask("GET", path, params={"offsets": "utf16"})
        self._ask("GET", f"/v1/articles/{article_id}")

    def _look_around(self) -> None:
        """Lists, figures, pages for people; and what is older than the caller keeps is deleted."""
        due = {self._list: 0.0, self._scrape: 0.0, self._visit: 0.0}
        every = {
            self._list: LIST_SECONDS,
            self._scrape: SCRAPE_SECONDS,
            self._visit: VISIT_SECONDS,
        }
        while not self._stop.wait(0.5):
            self._delete_old()
            for work, when in due.items():
                if time.monotonic() >= when:
                    due[work] = time.monotonic() + every[work]
                    with self._noting():
                        work()

    def _list(self) -> None:
        first = self._ask("GET", "/v1/jobs", params={"limit": "50"}).json()
        if first["next_cursor"]:
            self._ask("GET", "/v1/jobs", params={"limit": "50", "cursor": first["next_cursor"]})
        self._ask("GET", "/v1/jobs", params={"state": "succeeded"})

    def _scrape(self) -> None:
        self._ask("GET", "/metrics")
        self._ask("GET", self._metrics_url)

    def _visit(self) -> None:
        for page in PAGES:
            self._ask("GET", page)

    def _delete_old(self) -> None:
        ledger = self.ledger
        before = time.monotonic() - self._keep_seconds
        with ledger.lock:
            old = [
                article_id
                for article_id, (_, when) in ledger.ended.items()
                if when < before and article_id not in ledger.deleted
            ]
            awaited = ledger.wants_webhook.intersection(old)
        # A delivery goes with its article: whoever wants it deletes later.
        untold = awaited.difference(self._told()) if awaited else set()
        for article_id in old:
            if article_id in untold:
                continue
            with self._noting():
                self._ask("DELETE", f"/v1/articles/{article_id}", 204)
                with ledger.lock:
                    ledger.deleted.add(article_id)

    def _ask(self, method: str, path: str, *expected: int, **request: Any) -> httpx.Response:
        began = time.monotonic()
        response = self._http.request(method, path, **request)
        taken = time.monotonic() - began
        with self.ledger.lock:
            self.ledger.requests[f"{method} {response.status_code}"] += 1
            if "Prefer" not in request.get("headers", {}):
                self.ledger.slowest = max(self.ledger.slowest, taken)
        if response.status_code not in (expected or (200,)):
            raise UnexpectedAnswerError(
                f"{method} {path}: {response.status_code} {response.text[:200]}"
            )
        return response

    def _guarded(self, work: Any, *arguments: Any) -> None:
        with self._noting():
            work(*arguments)

    @contextmanager
    def _noting(self) -> Iterator[None]:
        """A fault of one request is one sentence, and the run goes on."""
        try:
            yield
        except (httpx.HTTPError, UnexpectedAnswerError) as err:
            with self.ledger.lock:
                self.ledger.faults.append(f"{type(err).__name__}: {err}")


def _accepted(wanted: Submission, response: httpx.Response) -> Mapping[str, str]:
    """Article id → job id."""
    if response.status_code == 200:
        # Done already: the body is the analysis, the headers say of what.
        article_id = response.headers["Content-Location"].split("/")[-2]
        return {article_id: response.headers["Location"].split("/")[-1]}
    document = response.json()
    items = document["items"] if wanted.form == "batch" else [document]
    return {item["article_id"]: item["job_id"] for item in items if "job_id" in item}
