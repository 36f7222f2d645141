"""Callers that do not give up: each request has an Idempotency-Key and is sent until it is
accepted."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from threading import Lock, Thread

# One request in `SINGLES` carries one article, the others a batch.
SINGLES = 3
LARGEST_BATCH = 25
# Of a thousand articles: so many fail for good, are tried again and fail, kill their worker,
# take a moment.
PERMANENT, RETRY, DEADLY, SLOW = 10, 5, 1, 50
REQUEST_SECONDS = 30.0
PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Request:
    """One request: its key and its articles' texts."""

    key: str
    texts: tuple[str, ...]


def requests_of(jobs: int, chance: random.Random) -> list[Request]:
    """`jobs` articles in requests of various sizes; at least one of each kind of article."""
    kinds = ["permanent", "retry", "die", "sleep 0.5"]
    for _ in range(jobs - len(kinds)):
        draw = chance.randrange(1000)
        if draw < PERMANENT:
            kinds.append("permanent")
        elif draw < PERMANENT + RETRY:
            kinds.append("retry")
        elif draw < PERMANENT + RETRY + DEADLY:
            kinds.append("die")
        elif draw < PERMANENT + RETRY + DEADLY + SLOW:
            kinds.append(f"sleep {chance.uniform(0.05, 0.5):.2f}")
        else:
            kinds.append(f"number {len(kinds)}")
    chance.shuffle(kinds)
    made: list[Request] = []
    while kinds:
        size = 1 if chance.randrange(SINGLES) == 0 else chance.randint(2, LARGEST_BATCH)
        made.append(Request(f"request-{len(made)}", tuple(kinds[:size])))
        del kinds[:size]
    return made


@dataclass
class Submitters:
    """Threads that send all requests; `accepted` maps job id → text once each is answered."""

    port: int
    requests: list[Request]
    articles_a_second: float
    accepted: dict[str, str] = field(default_factory=dict)
    # Job ids by key: a second, different answer to one key would be a lie.
    answers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    troubles: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    _lock: Lock = field(default_factory=Lock)
    _began: float = 0.0
    _sent: int = 0
    _threads: list[Thread] = field(default_factory=list)

    def start(self, threads: int) -> None:
        """Begin to send."""
        self._began = time.monotonic()
        self._threads = [Thread(target=self._run, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def done(self) -> bool:
        """Whether every request has been accepted."""
        return not any(thread.is_alive() for thread in self._threads)

    def _next(self) -> Request | None:
        with self._lock:
            if not self.requests:
                return None
            request = self.requests.pop()
            self._sent += len(request.texts)
            due = self._began + self._sent / self.articles_a_second
        time.sleep(max(0.0, due - time.monotonic()))
        return request

    def _run(self) -> None:
        while (request := self._next()) is not None:
            # Every tenth caller is impatient and asks again although it has been answered.
            for _ in range(2 if hash(request.key) % 10 == 0 else 1):
                job_ids = self._insist(request)
                with self._lock:
                    known = self.answers.setdefault(request.key, job_ids)
                    assert known == job_ids, f"{request.key} was answered in two ways"
            with self._lock:
                self.accepted |= dict(zip(job_ids, request.texts, strict=True))

    def _insist(self, request: Request) -> tuple[str, ...]:
        while True:
            began = time.monotonic()
            try:
                status, body = self._post(request)
            except (OSError, HTTPException) as err:
                self._note(type(err).__name__)
            else:
                with self._lock:
                    self.slowest = max(self.slowest, time.monotonic() - began)
                if status == 202:
                    document = json.loads(body)
                    items = document.get("items", [document])
                    return tuple(item["job_id"] for item in items)
                kind = json.loads(body).get("type", "") if body else ""
                self._note(f"{status} {kind.rpartition(':')[2]}".strip())
            time.sleep(PAUSE_SECONDS)

    def _post(self, request: Request) -> tuple[int, bytes]:
        articles = [{"text": text} for text in request.texts]
        single = len(articles) == 1
        connection = HTTPConnection("127.0.0.1", self.port, timeout=REQUEST_SECONDS)
        try:
            connection.request(
                "POST",
                "/v1/articles" if single else "/v1/batches",
                json.dumps(articles[0] if single else articles),
                {"Content-Type": "application/json", "Idempotency-Key": request.key},
            )
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def _note(self, trouble: str) -> None:
        with self._lock:
            self.troubles[trouble] += 1
