"""Random request bodies: JSON and NDJSON, whole, damaged or nothing like it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from flask import Flask
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from benchmarks.fuzz.texts import CHARACTERS, CORNERS, texts
from service.app import create_app
from service.domain.job import Priority
from service.problems import CONTENT_TYPE, PROBLEMS
from service.settings import load_settings
from service.store import migrate, open_store

# Small, so that random bodies reach them.
MAX_BYTES = 20_000
MAX_ARTICLES = 12

# What a body can be answered with; anything else is a fault of ours.
DOCUMENTED = {
    "malformed-json",
    "invalid-encoding",
    "too-large",
    "unsupported-media-type",
    "validation",
    "no-text",
    "webhooks-off",
}

_STRINGS = st.one_of(
    st.text(CHARACTERS, max_size=20),
    st.sampled_from(CORNERS),
    st.sampled_from(("", " ", "\0", "\ud800", "\udfff\ud800", "en", "de-AT", "utf16", "x" * 1001)),
    st.sampled_from(("https://a.example/b", "http://127.0.0.1", "//", "2024-06-03", "9999-99-99")),
    st.sampled_from(("2024-06-03T23:59:60Z", "0001-01-01T00:00:00+23:59")),
    st.just("9999-12-31T23:59:59-01:00"),
)
_NUMBERS = st.one_of(
    st.integers(), st.floats(), st.sampled_from((2**53, -(2**53), 10**400, 1e308, -0.0))
)
_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), _NUMBERS, _STRINGS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(_STRINGS, inner, max_size=4)
    ),
    max_leaves=10,
)
_OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "targets": st.one_of(st.lists(_STRINGS, max_size=22), _VALUES),
        "offsets": st.one_of(st.sampled_from(("codepoint", "utf16", "utf8")), _VALUES),
        "callback_url": st.one_of(st.none(), _STRINGS, _VALUES),
    },
)
_ARTICLES = st.fixed_dictionaries(
    {"text": st.one_of(texts(), texts(), _STRINGS, _VALUES)},
    optional={
        "title": st.one_of(st.none(), _STRINGS, _VALUES),
        "source": st.one_of(st.none(), _STRINGS),
        "url": _STRINGS,
        "published_at": st.one_of(_STRINGS, _VALUES),
        "language": _STRINGS,
        "metadata": st.one_of(st.dictionaries(_STRINGS, _VALUES, max_size=4), _VALUES),
        "options": st.one_of(_OPTIONS, _VALUES),
        "unknown": _VALUES,
    },
)
_DOCUMENTS = st.one_of(_ARTICLES, _ARTICLES, st.lists(_ARTICLES, max_size=14), _VALUES)
# Pieces that JSON readers stumble over.
_ODD = (
    b"NaN", b"-Infinity", b"1e999", b"01", b"1." + b"0" * 400, b"9" * 5_000, b"\xef\xbb\xbf",
    b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b'"\\ud800"', b'"\\u0000"', b'"\\x"', b"[" * 3_000,
    b'{"a":' * 3_000, b'{"a":1,"a":2}', b"//", b"\x00", b",", b"}", b"]", b'"', b"\n", b"\r\n",
    b"\r", b"\xe2\x80\xa8", b" " * 30_000,
)  # fmt: skip
_LINE_ENDS = st.sampled_from((b"\n", b"\r\n", b"\n\n", b" \n", b"\r", b"\x0b\n", b""))


def _json(value: Any, ascii_only: bool) -> bytes:
    return json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


@st.composite
def _documents(draw: st.DrawFn) -> bytes:
    return _json(draw(_DOCUMENTS), draw(st.booleans()))


@st.composite
def _lines(draw: st.DrawFn) -> bytes:
    article = st.builds(_json, _ARTICLES, st.booleans())
    one = st.one_of(article, article, _documents(), st.sampled_from(_ODD))
    lines = draw(st.lists(st.tuples(one, _LINE_ENDS), max_size=15))
    return b"".join(line + end for line, end in lines)


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    body = draw(st.one_of(_documents(), _lines()))
    damages = st.tuples(
        st.floats(0, 1), st.integers(0, 9), st.one_of(st.sampled_from(_ODD), st.binary(max_size=4))
    )
    for share, cut, piece in draw(st.lists(damages, max_size=3)):
        at = int(share * len(body))
        body = body[:at] + piece + body[at + cut :]
    return body


@dataclass(frozen=True, slots=True)
class Sent:
    """One POST. A `chunked` body comes without its length."""

    path: str
    content_type: str
    body: bytes
    chunked: bool = False


SENT = st.builds(
    Sent,
    path=st.sampled_from(("/v1/articles", "/v1/batches")),
    content_type=st.sampled_from(
        ("application/json", "application/json", "application/x-ndjson", "application/x-ndjson",
         "text/plain", "application/json; charset=utf-8", "text/plain; charset=latin-1",
         "application/x-ndjson; charset=zlib", "application/xml", "", "application/json;;=")
    ),
    body=st.one_of(_documents(), _lines(), _damaged(), _damaged(), st.binary(max_size=60)),
    chunked=st.sampled_from((False, False, False, True)),
)  # fmt: skip


class SilentDoorbell:
    """A broker that takes every message and has no workers."""

    def ring(self, job_id: str, priority: Priority) -> bool:
        return True

    def ping(self) -> bool:
        return True


def open_app(folder: Path, **changes: Any) -> Flask:
    """The application over a new SQLite store in `folder`."""
    settings = replace(
        load_settings(),
        database_url=f"sqlite:///{folder}/store.db",
        max_request_bytes=MAX_BYTES,
        max_batch_articles=MAX_ARTICLES,
        max_queued=10**9,
        **changes,
    )
    migrate(settings)
    return create_app(settings, open_store(settings), SilentDoorbell())


def check_sent(app: Flask, sent: Sent) -> None:
    """It is accepted and kept as it came, or refused as documented."""
    client = app.test_client()
    response = client.post(
        sent.path,
        content_type=sent.content_type,
        **({"input_stream": BytesIO(sent.body)} if sent.chunked else {"data": sent.body}),
        headers={"Transfer-Encoding": "chunked"} if sent.chunked else {},
        environ_overrides={"wsgi.input_terminated": True} if sent.chunked else {},
    )
    if response.status_code >= 400:
        check_problem(response)
        if len(sent.body) > MAX_BYTES:
            assert response.status_code in {413, 415}, response.text
        return
    assert len(sent.body) <= MAX_BYTES, "the limit holds"
    answer = response.get_json()
    if sent.path == "/v1/articles":
        assert response.status_code == 202
        given = (
            json.loads(sent.body.decode("utf-8-sig"))
            if sent.content_type.startswith("application/json")
            else {"text": sent.body.decode()}
        )
        _check_kept(client.get(answer["links"]["article"]), given)
        return
    documents = _of_batch(sent)
    assert len(answer["items"]) == len(documents) <= MAX_ARTICLES
    assert answer["accepted"] + answer["rejected"] == len(documents)
    assert response.status_code == (207 if answer["rejected"] else 202)
    for index, (item, document) in enumerate(zip(answer["items"], documents, strict=True)):
        assert item["index"] == index
        if item["status"] == 202:
            if isinstance(document, bytes):
                document = json.loads(document.decode("utf-8-sig"))
            _check_kept(client.get(item["links"]["article"]), document)
        else:
            name = item["problem"]["type"].rpartition(":")[2]
            assert name in DOCUMENTED, item
            assert item["status"] == PROBLEMS[name].status, item


def check_problem(response: TestResponse) -> None:
    """One of the documented problems, whole."""
    assert response.content_type == CONTENT_TYPE, response.text
    document = response.get_json(force=True)
    name = document["type"].rpartition(":")[2]
    assert name in DOCUMENTED, response.text
    assert document["status"] == response.status_code == PROBLEMS[name].status
    assert document["detail"]
    assert document["request_id"] == response.headers["X-Request-Id"]
    for error in document.get("errors", ()):
        assert error["detail"], error
        assert {"pointer", "parameter"} & error.keys(), error


def _of_batch(sent: Sent) -> list[Any]:
    if sent.content_type.startswith("application/json"):
        found = json.loads(sent.body.decode("utf-8-sig"))
        assert isinstance(found, list)
        return found
    return [line for line in sent.body.split(b"\n") if line.strip()]


def _check_kept(response: TestResponse, given: dict[str, Any]) -> None:
    """Every member comes back as it was sent."""
    assert response.status_code == 200, response.text
    kept = response.get_json()
    for name in ("text", "title", "source", "url", "language"):
        assert kept[name] == given.get(name), name
    assert kept["metadata"] == given.get("metadata", {})
    assert kept["characters"] == len(given["text"])
