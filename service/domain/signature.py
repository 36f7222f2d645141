"""Signatures by Standard Webhooks (https://www.standardwebhooks.com, specification 1.0.0)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime

PREFIX = "whsec_"

# What the specification asks for: shorter keys can be guessed, longer ones add nothing.
MIN_KEY_BYTES = 24
MAX_KEY_BYTES = 64


def signing_keys(secret: str) -> tuple[bytes, ...]:
    """The keys in `secret`: one or several, separated by blanks; empty when it is.

    While a secret is changed, the new and the old one both sign. Raises `ValueError`.
    """
    return tuple(_key(part) for part in secret.split())


def signature(keys: tuple[bytes, ...], id_: str, timestamp: int, body: str) -> str:
    """The `webhook-signature` header: a `v1` HMAC-SHA256 over `id.timestamp.body` by each key."""
    signed = f"{id_}.{timestamp}.{body}".encode()
    digests = (hmac.new(key, signed, hashlib.sha256).digest() for key in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def signed_headers(keys: tuple[bytes, ...], id_: str, now: datetime, body: str) -> dict[str, str]:
    """The three headers of one attempt. The id stays through all attempts, the time does not."""
    timestamp = int(now.timestamp())
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(keys, id_, timestamp, body),
    }


def _key(secret: str) -> bytes:
    if not secret.startswith(PREFIX):
        raise ValueError(f"must begin with {PREFIX}")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as err:
        raise ValueError(f"must be {PREFIX} and base64") from err
    if not MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES:
        raise ValueError(f"must hold {MIN_KEY_BYTES} to {MAX_KEY_BYTES} bytes")
    return key
