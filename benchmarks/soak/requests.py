"""What the callers of a soak submit: articles that never were before, in every form there is."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

from benchmarks.articles import invented_article

# From a note to a long report, 500 in the mean.
WORDS = (100, 200, 300, 400, 600, 800, 1_100)
BATCH = (3, 8)
TARGETS = ("the ceasefire", "peace talks", "the airstrikes")
# Of a hundred requests; the others are single articles as JSON.
BATCHES, PAGES, PLAIN = 10, 15, 10
# Of a hundred: want a webhook; let the request wait for the analysis.
WEBHOOKS, WAITING = 20, 30


@dataclass(frozen=True, slots=True)
class Submission:
    """One request and how many articles it carries."""

    form: str
    path: str
    body: bytes
    headers: dict[str, str]
    query: dict[str, str]
    articles: int


def submissions(chance: random.Random, callback_url: str) -> Iterator[Submission]:
    """Without end."""
    while True:
        draw = chance.randrange(100)
        query = {"callback_url": callback_url} if chance.randrange(100) < WEBHOOKS else {}
        headers = {"Prefer": "wait=10"} if chance.randrange(100) < WAITING else {}
        if draw < BATCHES:
            documents = [_document(chance) for _ in range(chance.randint(*BATCH))]
            body = "\n".join(json.dumps(document) for document in documents)
            yield _submission("batch", "application/x-ndjson", body, {}, query, len(documents))
        elif draw < BATCHES + PAGES:
            yield _submission("page", "text/html", _page(chance), headers, query)
        elif draw < BATCHES + PAGES + PLAIN:
            query["targets"] = chance.choice(TARGETS)
            yield _submission("plain", "text/plain", _text(chance), headers, query)
        else:
            body = json.dumps(_document(chance))
            yield _submission("json", "application/json", body, headers, query)


def _submission(
    form: str,
    kind: str,
    body: str,
    headers: dict[str, str],
    query: dict[str, str],
    articles: int = 1,
) -> Submission:
    path = "/v1/batches" if form == "batch" else "/v1/articles"
    return Submission(form, path, body.encode(), {**headers, "Content-Type": kind}, query, articles)


def _text(chance: random.Random) -> str:
    return invented_article(chance, chance.choice(WORDS))


def _document(chance: random.Random) -> dict[str, Any]:
    return {
        "text": _text(chance),
        "title": f"Report {chance.randrange(10**9)}",
        "source": f"Outlet {chance.randrange(50)}",
        "metadata": {"run": "soak"},
        "options": {"targets": chance.sample(TARGETS, chance.randint(0, len(TARGETS)))},
    }


def _page(chance: random.Random) -> str:
    paragraphs = "".join(f"<p>{escape(part)}</p>" for part in _text(chance).split("\n\n"))
    return (
        f"<!doctype html><html><head><title>Report {chance.randrange(10**9)}</title></head><body>"
        f"<nav><a href='/'>Home</a> <a href='/world'>World</a></nav><article><h1>Report</h1>"
        f"{paragraphs}</article><footer>All rights reserved.</footer></body></html>"
    )
