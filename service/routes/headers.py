"""Request headers that change what happens: Idempotency-Key and Prefer."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence

from flask import request

from service.domain.ports import IdempotencyClaim, Receipt
from service.problems import ProblemError
from service.routes.body import read_bytes

KEY_PATTERN = r"^[\x21-\x7e]{1,255}$"
_KEY = re.compile(r"[\x21-\x7e]{1,255}\Z")
_WAIT = re.compile(r'wait\s*=\s*"?(\d{1,9})"?\s*(?:;.*)?\Z', re.IGNORECASE | re.ASCII)


def idempotency_claim(respond: Callable[[Sequence[Receipt]], str]) -> IdempotencyClaim | None:
    """The request's claim, when it carries a key. Raises the 422 problem for a malformed key."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not _KEY.match(key):
        fault = {
            "parameter": "Idempotency-Key",
            "detail": "Must be 1 to 255 visible ASCII characters.",
        }
        raise ProblemError("validation", errors=[fault])
    asked = (request.method, request.path, request.query_string.decode("latin-1"))
    kind = request.content_type or ""
    digest = hashlib.sha256("\n".join((*asked, kind)).encode("utf-8", "replace"))
    digest.update(b"\n" + read_bytes())
    return IdempotencyClaim(key=key, fingerprint=digest.hexdigest(), respond=respond)


def preferred_wait(longest: int) -> int | None:
    """Seconds the caller would wait (`Prefer: wait=N`, RFC 7240), at most `longest`.

    Preferences that are malformed or unknown are ignored, as the RFC asks.
    """
    for header in request.headers.getlist("Prefer"):
        for preference in header.split(","):
            found = _WAIT.match(preference.strip())
            if found:
                return min(int(found.group(1)), longest)
    return None
