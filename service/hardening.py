"""Headers that every answer has, whoever writes it."""

from __future__ import annotations

# For answers that are no pages; pages bring a policy of their own. Strict-Transport-Security is
# for whoever speaks TLS, which is the proxy in front.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
