"""Reads request bodies strictly: what is accepted here can be stored and given back."""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Iterator
from typing import Any, NoReturn

from flask import request
from marshmallow import Schema, ValidationError, fields
from werkzeug.exceptions import RequestEntityTooLarge

from service.problems import ProblemError, faults

JSON = "application/json"
NDJSON = "application/x-ndjson"
PLAIN = "text/plain"
HTML = "text/html"

# Encodings that web pages use (the WHATWG list in Python's names). Other names that Python knows
# ("zlib", "idna", "unicode_escape") are not encodings of a page.
_PAGE_ENCODINGS = frozenset(
    {"utf-8", "ascii", "utf-16", "utf-16-le", "utf-16-be", "shift_jis", "euc_jp", "euc_kr"}
    | {"gbk", "gb2312", "gb18030", "big5", "koi8-r", "koi8-u", "mac-roman", "cp866"}
    | {f"cp125{number}" for number in range(9)}
    | {f"iso8859-{number}" for number in range(1, 17)}
)


def media_type(accepted: tuple[str, ...]) -> str:
    """The request's media type, one of `accepted`. Raises the 415 problem otherwise."""
    offered = {"Accept": ", ".join(accepted)}
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in {"", "identity"}:
        raise ProblemError(
            "unsupported-media-type",
            "Compressed bodies are not accepted.",
            headers={"Accept-Encoding": "identity"},
        )
    if request.mimetype not in accepted:
        raise ProblemError("unsupported-media-type", headers=offered)
    charset = request.mimetype_params.get("charset")
    if charset is not None and request.mimetype != HTML and _codec(charset) != "utf-8":
        raise ProblemError("unsupported-media-type", "Only UTF-8 is accepted.", headers=offered)
    return request.mimetype


def read_bytes() -> bytes:
    """The whole body. Raises the 413 problem beyond the limit of the settings."""
    limit = request.max_content_length
    assert limit is not None
    too_large = ProblemError("too-large", f"The body is larger than {limit:,} bytes.")
    try:
        body = request.get_data(cache=True)
    except RequestEntityTooLarge as err:
        raise too_large from err
    # Werkzeug stops reading a chunked body at the limit without a word: the rest would be lost.
    if request.content_length is None and len(body) >= limit:
        raise too_large
    return body


def read_text() -> str:
    """A plain text body, exactly as it came."""
    return decode(read_bytes())


def read_page(limit: int) -> str | bytes:
    """An HTML body: text when its encoding is known, else bytes whose markup must tell."""
    body = read_bytes()
    if len(body) > limit:
        raise ProblemError("too-large", f"An HTML page may have {limit:,} bytes.")
    charset = request.mimetype_params.get("charset")
    if charset is not None:
        codec = _codec(charset)
        if codec is None:
            raise ProblemError("unsupported-media-type", "The charset is unknown.")
        return decode(body, codec)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body


def read_json() -> Any:
    """A JSON body as plain Python values."""
    return parse_json(decode(read_bytes(), "utf-8-sig"))


def read_lines() -> Iterator[bytes]:
    """The lines of an NDJSON body that are not blank."""
    return (line for line in read_bytes().split(b"\n") if line.strip())


def decode(body: bytes, encoding: str = "utf-8") -> str:
    """`body` as text. Raises the 400 problem with the first position that is wrong."""
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as err:
        detail = f"Not valid {encoding.removesuffix('-sig').upper()} at byte {err.start}."
        raise ProblemError("invalid-encoding", detail) from err


def parse_json(text: str) -> Any:
    """One JSON document (RFC 8259), without NaN, infinities, doubled members or endless nesting."""
    try:
        return json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_unique,
        )
    except json.JSONDecodeError as err:
        detail = f"{err.msg} at line {err.lineno}, column {err.colno}."
        raise ProblemError("malformed-json", detail) from err
    except RecursionError as err:
        raise ProblemError("malformed-json", "Nested too deeply.") from err
    except ValueError as err:
        # Python refuses integers of more than 4,300 digits; ours say what they refuse.
        raise ProblemError("malformed-json", str(err).partition(";")[0] + ".") from err


def load(schema: Schema, document: Any) -> dict[str, Any]:
    """`document` checked against `schema`. Raises the 422 problem with a pointer per fault."""
    try:
        loaded = schema.load(document)
    except ValidationError as err:
        raise invalid(err) from err
    assert isinstance(loaded, dict)
    return loaded


def invalid(err: ValidationError) -> ProblemError:
    """The problem for what `err` says."""
    return ProblemError("validation", errors=faults(err.messages))


def load_query(schema: Schema) -> dict[str, Any]:
    """The query parameters checked against `schema`; lists are given by repeating the name."""
    values: dict[str, Any] = {}
    doubled: list[dict[str, str]] = []
    for name, given in request.args.lists():
        if isinstance(schema.fields.get(name), fields.List):
            values[name] = given
        elif len(given) > 1:
            doubled.append({"parameter": name, "detail": "Given more than once."})
        else:
            values[name] = given[0]
    found = list(doubled)
    loaded: Any = {}
    try:
        loaded = schema.load(values)
    except ValidationError as err:
        for fault in faults(err.messages):
            name = fault["pointer"].split("/")[1] if fault["pointer"] else ""
            found.append({"parameter": name, "detail": fault["detail"]})
    if found:
        raise ProblemError("validation", errors=found)
    assert isinstance(loaded, dict)
    return loaded


def _codec(charset: str) -> str | None:
    """Python's name for a page encoding; ASCII is read as the UTF-8 that it is."""
    try:
        name = codecs.lookup(charset).name
    except (LookupError, ValueError):
        return None
    if name not in _PAGE_ENCODINGS:
        return None
    return "utf-8" if name == "ascii" else name


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits[:20]} is out of range")
    return number


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("an object names a member twice")
    return members
