"""What schemathesis must know that an OpenAPI document cannot say."""

from __future__ import annotations

import re
from itertools import count
from typing import Any

import schemathesis
from hypothesis import strategies
from schemathesis.transport.requests import REQUESTS_TRANSPORT
from schemathesis.transport.wsgi import WSGI_TRANSPORT

from service.schemas.examples import PAGE
from tests.contract.conftest import KEY

_KEY = re.compile(r"[!-~]{1,255}\Z")
_numbers = count()


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: Any) -> None:
    """Give each request a key of its own.

    A key that comes again with another request is refused with 422, as it should be, and
    schemathesis sends the same key with many requests. Keys that are malformed on purpose stay.
    """
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and _KEY.match(key):
        case.headers["Idempotency-Key"] = f"{key[:200]}-{next(_numbers)}"


_send = WSGI_TRANSPORT.send


def _send_in_process(case: schemathesis.Case, **options: Any) -> Any:
    """Where a check repeats a request without its key, schemathesis passes on what only a network
    client takes, and werkzeug's refuses it."""
    for name in ("max_redirects", "verify", "cert", "proxies"):
        options.pop(name, None)
    return _send(case, **options)


WSGI_TRANSPORT.send = _send_in_process


@schemathesis.auth()
class _Key:
    """Send the key with every request: the checks try themselves what happens without."""

    def get(self, case: schemathesis.Case, context: Any) -> str:
        return f"Bearer {KEY.text}"

    def set(self, case: schemathesis.Case, data: str, context: Any) -> None:
        case.headers = {**(case.headers or {}), "Authorization": data}


# Any string is a page, but only pages with an article in them are accepted. A format and not a
# strategy for the media type: with that schemathesis could not send the document's own example.
_words = strategies.text(strategies.characters(categories=["L", "N"]), min_size=1, max_size=40)
schemathesis.openapi.format("html-page", _words.map(lambda words: PAGE.replace("Norland", words)))

# Any https URL has the schema's form, but only those of public hosts are accepted.
schemathesis.openapi.format(
    "callback-url",
    strategies.from_regex(
        r"https://[a-z]{1,10}\.example(:[1-9][0-9]{1,3})?(/[a-z]{0,9})?", fullmatch=True
    ),
)


def _text(context: Any, value: Any) -> dict[str, Any]:
    """Text as it is; what is no string at all has no form as text, so nothing is sent."""
    if isinstance(value, str):
        value = value.encode("utf-8", "replace")
    return {"data": value if isinstance(value, bytes) else b""}


for _transport in (REQUESTS_TRANSPORT, WSGI_TRANSPORT):
    _transport.serializer("application/x-ndjson", "text/plain", "text/html")(_text)
