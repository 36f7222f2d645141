"""A small service on a loopback port that answers as the real one does, and analyses to match."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def span(text: str, part: str) -> dict[str, Any]:
    """The first occurrence of `part` in `text`."""
    start = text.index(part)
    return {"start": start, "end": start + len(part), "text": part}


def entity(number: int, name: str, kind: str = "PER", *aliases: str) -> dict[str, Any]:
    """An entity with as many mentions as names."""
    names = [name, *aliases]
    return {
        "id": f"e{number}",
        "name": name,
        "type": kind,
        "aliases": names,
        "mention_ids": [f"m{number}{at}" for at, _ in enumerate(names)],
    }


def party(found: dict[str, Any] | str) -> dict[str, Any]:
    """An entity, the author (`"author"`), or a topic, as the holder or the target of a stance."""
    if found == "author":
        return {"kind": "author", "name": "author", "entity_id": None}
    if isinstance(found, str):
        return {"kind": "topic", "name": found, "entity_id": None}
    return {"kind": "entity", "name": found["name"], "entity_id": found["id"]}


def stance(
    holder: dict[str, Any] | str,
    target: dict[str, Any] | str,
    label: str | None,
    *sentence_ids: str,
) -> dict[str, Any]:
    """A stance at 80 %, or an abstention."""
    probabilities = {"favor": 0.1, "against": 0.1, "neutral": 0.1}
    if label is not None:
        probabilities[label] = 0.8
    evidence = [
        {
            "start": 0,
            "end": 1,
            "text": "x",
            "sentence_id": place,
            "attribution_id": None,
            "label": label or "neutral",
            "probabilities": probabilities,
        }
        for place in sentence_ids
    ]
    return {
        "id": "st1",
        "holder": party(holder),
        "target": party(target),
        "label": label,
        "abstention": None if label else "no_evidence",
        "probabilities": probabilities if label else None,
        "evidence": evidence,
    }


def analysis(text: str, **parts: Any) -> dict[str, Any]:
    """An analysis of `text` whose sentences are its lines; `parts` replace empty members."""
    sentences = [
        {"id": f"s{number}", "paragraph": 0, **span(text, line)}
        for number, line in enumerate(filter(None, text.splitlines()), start=1)
    ]
    return {
        "article_id": "a",
        "job_id": "j",
        "created_at": "2030-01-01T00:00:00Z",
        "pipeline_version": "test",
        "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "language": "en",
        "title": None,
        "source": None,
        "url": None,
        "published_at": None,
        "offsets": "codepoint",
        "blocks": [],
        "sentences": sentences,
        "mentions": [],
        "entities": [],
        "attributions": [],
        "stances": [],
        "coverage": {
            "characters": len(text),
            "analysed_characters": len(text),
            "windows": {},
            "stance_pairs": 0,
            "stance_pairs_skipped": 0,
            "skipped": [],
        },
        "warnings": [],
        **parts,
    }


class FakeService:
    """Jobs take `polls` polls. A text with FAIL fails, one with REFUSE is refused."""

    def __init__(self, polls: int = 2) -> None:
        self.polls = polls
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.articles: dict[str, dict[str, Any]] = {}
        self.polled: dict[str, int] = {}
        self.deleted: set[str] = set()
        self.url = ""

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        """Status, JSON body and headers."""
        if (method, path) == ("POST", "/v1/articles"):
            if "REFUSE" in body["text"]:
                return self._problem(422, "validation", [{"pointer": "/text", "detail": "bad"}])
            number = str(len(self.articles) + 1)
            self.articles[number] = body
            return 202, {"article_id": number, "job_id": number}, {}
        kind, number, *rest = path.removeprefix("/v1/").split("/")
        if number in self.deleted:
            return self._problem(410, "gone")
        if number not in self.articles:
            return self._problem(404, "not-found")
        if kind == "jobs":
            return 200, self._job(number, cancelled=rest == ["cancel"]), {"Retry-After": "0"}
        if method == "DELETE":
            self.deleted.add(number)
            return 204, None, {}
        article = self.articles[number]
        if not rest:
            return 200, {"source": None, "title": None, "published_at": None, **article}, {}
        return 200, analysis(article["text"], article_id=number, title=article.get("title")), {}

    def _job(self, number: str, *, cancelled: bool) -> dict[str, Any]:
        self.polled[number] = self.polled.get(number, 0) + 1
        failing = "FAIL" in self.articles[number]["text"]
        state = "running"
        if self.polled[number] >= self.polls:
            state = "failed" if failing else "succeeded"
        return {
            "id": number,
            "article_id": number,
            "state": "cancelled" if cancelled else state,
            "stage": "recognise",
            "progress": 1.0 if state == "succeeded" else 0.3,
            "attempts": 3,
            "failure": {"code": "crash", "detail": "it broke"} if state == "failed" else None,
        }

    def _problem(
        self, status: int, name: str, errors: Any = None
    ) -> tuple[int, Any, dict[str, str]]:
        document = {
            "type": f"urn:stancewire:problem:{name}",
            "title": name,
            "status": status,
            "detail": f"{name} it is",
            "request_id": "r1",
        }
        return status, {**document, **({"errors": errors} if errors else {})}, {}


@contextmanager
def serving(service: FakeService) -> Iterator[FakeService]:
    """Serve `service` on a free loopback port."""

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            path = self.path.partition("?")[0]
            service.requests.append((self.command, self.path, dict(self.headers)))
            status, answer, headers = service.answer(self.command, path, body)
            data = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = _any  # noqa: N815 - the names http.server looks for

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
