"""Every bad input gets its problem document, and never harms the next request."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from api_support import Api, assert_problem, body
from werkzeug.test import TestResponse

from service.extraction.page_reader import PageReader, PageTooCostlyError, ReadersBusyError


@pytest.fixture
def api() -> Api:
    return Api()


def post(api: Api, data: bytes | str, kind: str = "application/json", **more: Any) -> TestResponse:
    response = api.client.post("/v1/articles", data=data, content_type=kind, **more)
    if response.status_code >= 400:
        assert not api.store._articles, "a refused article must leave nothing behind"
        assert api.client.get("/livez").status_code == 200
    return response


def post_json(api: Api, document: Any) -> TestResponse:
    return post(api, json.dumps(document))


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "malformed-json"),
        (b"{", "malformed-json"),
        (b'{"text": "a"} trailing', "malformed-json"),
        (b'{"text": NaN}', "malformed-json"),
        (b'{"text": "a", "metadata": {"n": Infinity}}', "malformed-json"),
        (b'{"text": "a", "metadata": {"n": 1e999}}', "malformed-json"),
        (b'{"text": "a", "text": "b"}', "malformed-json"),
        (b'{"text": "a", "metadata": {"n": ' + b"9" * 5000 + b"}}", "malformed-json"),
        (b"[" * 100_000, "malformed-json"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "malformed-json"),
        (b'{"text": "caf\xe9"}', "invalid-encoding"),
        (b'{"text": "\xed\xa0\x80"}', "invalid-encoding"),
        (b"\xff\xfe{\x00}\x00", "invalid-encoding"),
    ],
)
def test_what_is_not_json(api: Api, data: bytes, name: str) -> None:
    assert_problem(post(api, data), 400, name)


@pytest.mark.parametrize(
    ("document", "places"),
    [
        ([], [""]),
        ("text", [""]),
        (None, [""]),
        ({}, ["/text"]),
        ({"text": ""}, ["/text"]),
        ({"text": " \n\t\u00a0\u2003\ufeff\x1f\x85"}, ["/text"]),
        ({"text": None}, ["/text"]),
        ({"text": 7}, ["/text"]),
        ({"text": ["a"]}, ["/text"]),
        ({"text": "a" * 200_001}, ["/text"]),
        ({"text": "a\0b"}, ["/text"]),
        ({"text": "a", "txet": "b"}, ["/txet"]),
        ({"text": "a", "a/b~c": 1}, ["/a~1b~0c"]),
        ({"text": "a", "title": "t" * 1001}, ["/title"]),
        ({"text": "a", "title": "\0"}, ["/title"]),
        ({"text": "a", "source": {"name": "x"}}, ["/source"]),
        ({"text": "a", "language": "not a tag"}, ["/language"]),
        ({"text": "a", "language": "en\n"}, ["/language"]),
        ({"text": "a", "options": []}, ["/options"]),
        ({"text": "a", "options": {"speed": "fast"}}, ["/options/speed"]),
        ({"text": "a", "options": {"offsets": "bytes"}}, ["/options/offsets"]),
        ({"text": "a", "options": {"targets": "tax"}}, ["/options/targets"]),
        ({"text": "a", "options": {"targets": ["x"] * 21}}, ["/options/targets"]),
        ({"text": "a", "options": {"targets": ["x", " "]}}, ["/options/targets/1"]),
        ({"text": "a", "options": {"targets": ["x" * 301]}}, ["/options/targets/0"]),
        ({"text": "a", "options": {"targets": [None]}}, ["/options/targets/0"]),
        ({"text": "a", "metadata": []}, ["/metadata"]),
        ({"text": "a", "metadata": {"n": 2**53}}, ["/metadata/n"]),
        ({"text": "a", "metadata": {"n": 10**400}}, ["/metadata/n"]),
        ({"text": "a", "metadata": {"s": "x" * 1001}}, ["/metadata/s"]),
        ({"text": "a", "metadata": {"s": ["\0"]}}, ["/metadata/s/0"]),
        ({"text": "a", "metadata": {"\0": 1}}, ["/metadata/\0"]),
        ({"text": "a", "metadata": {str(n): n for n in range(51)}}, ["/metadata"]),
        ({"text": "a", "metadata": {"a": {"b": {"c": {"d": {}}}}}}, ["/metadata/a/b/c/d"]),
    ],
)
def test_what_breaks_the_schema(api: Api, document: Any, places: list[str]) -> None:
    assert_problem(post_json(api, document), 422, "validation", *places)


@pytest.mark.parametrize("text", [r"\ud800", r"a\udfffb", r"\ude00\ud83d"])
def test_lone_surrogates(api: Api, text: str) -> None:
    assert_problem(post(api, '{"text": "' + text + '"}'), 422, "validation", "/text")


def test_a_lone_surrogate_in_a_name_does_not_break_the_answer(api: Api) -> None:
    response = post(api, r'{"text": "a", "\ud800": 1}')
    assert_problem(response, 422, "validation", "/?")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "news",
        "ftp://a.example/",
        "javascript:alert(1)",
        "http://",
        "http://a b/",
        "//a.example",
        "http://[::1",
        "https://user@a.example/",
        "https://a.example/\n",
        "https://a.example/a b",
    ],
)
def test_bad_urls(api: Api, url: str) -> None:
    assert_problem(post_json(api, {"text": "a", "url": url}), 422, "validation", "/url")


@pytest.mark.parametrize(
    "moment",
    [
        "",
        "yesterday",
        "2026-13-01",
        "2026-02-30",
        "2026-01-01T00:00:00",
        "2026-01-01 10:00",
        5,
        "2026-01-01T25:00:00Z",
        "0001-01-01T00:00:00+23:00",
        "٢٠٢٦-01-01",
        "2026-01-01T00:00Z",
    ],
)
def test_bad_dates(api: Api, moment: Any) -> None:
    response = post_json(api, {"text": "a", "published_at": moment})
    assert_problem(response, 422, "validation", "/published_at")


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000,
        "a" * 200_000,
        "\U0001f5de" * 200_000,
        "\u202eright to left\u202c \u200f",
        "\ufeffbyte order mark",
        "bell \x07 and \x1f separators \x85",
        "e\u0301 is not \u00e9",
        "  outer space\r\n\r\n",
        "Der Minister sagte, das sei falsch.",
        "政府は反対した。",
    ],
)
def test_strange_text_is_kept_exactly(api: Api, text: str) -> None:
    for response in (
        post_json(api, {"text": text}),
        post(api, text.encode(), "text/plain"),
        post(api, text.encode(), "text/plain; charset=UTF-8"),
    ):
        assert response.status_code == 202, response.text
        article = body(api.client.get(body(response)["links"]["article"]))
        assert article["text"] == text
        assert article["characters"] == len(text)
        assert article["text_sha256"] == body(response)["text_sha256"]


@pytest.mark.parametrize(
    ("data", "status", "name", "places"),
    [
        (b"", 422, "validation", ["/text"]),
        (b" \n", 422, "validation", ["/text"]),
        (b"a\0b", 422, "validation", ["/text"]),
        (b"caf\xe9", 400, "invalid-encoding", []),
        (b"\x89PNG\r\n\x1a\n\0\0", 400, "invalid-encoding", []),
        (b"\xed\xa0\x80", 400, "invalid-encoding", []),
        (b"a" * 200_001, 422, "validation", ["/text"]),
    ],
)
def test_bad_plain_text(api: Api, data: bytes, status: int, name: str, places: list[str]) -> None:
    assert_problem(post(api, data, "text/plain"), status, name, *places)


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"<html><body></body></html>",
        b"<html><body><script>var a = 1;</script></body></html>",
        b"<div>" * 50_000,
        b"\0\0\0",
        b"\x89PNG\r\n\x1a\n\0\0",
    ],
)
def test_pages_without_text(api: Api, page: bytes) -> None:
    assert_problem(post(api, page, "text/html"), 422, "no-text")


def test_pages_that_are_given_up(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def costly(*_: object) -> None:
        raise PageTooCostlyError

    def busy(*_: object) -> None:
        raise ReadersBusyError

    monkeypatch.setattr(PageReader, "read", costly)
    assert_problem(post(api, b"<p>a</p>", "text/html"), 422, "page-too-costly")
    monkeypatch.setattr(PageReader, "read", busy)
    response = post(api, b"<p>a</p>", "text/html")
    assert_problem(response, 503, "busy")
    assert int(response.headers["Retry-After"]) > 0


def test_bad_pages(api: Api) -> None:
    assert_problem(post(api, b"\xff", "text/html; charset=utf-8"), 400, "invalid-encoding")
    for charset in ("zlib", "idna", "unicode_escape", "nonsense", "\0"):
        kind = f"text/html; charset={charset!r}".replace("'", '"')
        assert_problem(post(api, b"a", kind), 415, "unsupported-media-type")


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "application/xml",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "nonsense",
        "application/json; charset=utf-16",
        "text/plain; charset=latin-1",
        "application/pdf",
    ],
)
def test_media_types(api: Api, kind: str) -> None:
    response = post(api, b'{"text": "a"}', kind)
    assert_problem(response, 415, "unsupported-media-type")
    assert "application/json" in response.headers["Accept"]


def test_compressed_bodies(api: Api) -> None:
    response = post(api, b"x", headers={"Content-Encoding": "gzip"})
    assert_problem(response, 415, "unsupported-media-type")
    assert response.headers["Accept-Encoding"] == "identity"


def test_bodies_beyond_the_limit(api: Api) -> None:
    response = post(api, b"a" * 3_000_001, "text/plain")
    assert_problem(response, 413, "too-large")


def test_chunked_bodies(api: Api) -> None:
    def post_chunked(size: int) -> TestResponse:
        return api.client.post(
            "/v1/articles",
            input_stream=io.BytesIO(b"a" * size),
            content_type="text/plain",
            environ_overrides={"wsgi.input_terminated": True},
        )

    assert_problem(post_chunked(3_000_001), 413, "too-large")
    assert post_chunked(1000).status_code == 202


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("color=red", ["color"]),
        ("title=a&title=b", ["title"]),
        ("title=%00", ["title"]),
        ("url=nonsense", ["url"]),
        ("published_at=monday", ["published_at"]),
        ("offsets=bytes", ["offsets"]),
        ("targets=a&targets=%20", ["targets"]),
        ("offsets=bytes&url=x", ["offsets", "url"]),
    ],
)
def test_bad_queries(api: Api, query: str, places: list[str]) -> None:
    response = api.client.post(f"/v1/articles?{query}", data=b"news", content_type="text/plain")
    assert_problem(response, 422, "validation", *places)


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "caf\xe9"])
def test_bad_idempotency_keys(api: Api, key: str) -> None:
    response = post(api, b'{"text": "a"}', headers={"Idempotency-Key": key})
    assert_problem(response, 422, "validation", "Idempotency-Key")


@pytest.mark.parametrize("id_", ["x", "%00", "1" * 5000, "0199E3A1-5C00-7000-8000-000000000001"])
@pytest.mark.parametrize("path", ["jobs/{}", "articles/{}", "articles/{}/analysis"])
def test_ids_that_are_none(api: Api, path: str, id_: str) -> None:
    assert_problem(api.client.get("/v1/" + path.format(id_)), 404, "not-found")


def test_paths_and_methods(api: Api) -> None:
    assert_problem(api.client.get("/v1/nothing"), 404, "not-found")
    assert_problem(api.client.get("/v1/articles/"), 404, "not-found")
    response = api.client.put("/v1/articles")
    assert_problem(response, 405, "method-not-allowed")
    assert response.headers["Allow"] == "OPTIONS, POST"
