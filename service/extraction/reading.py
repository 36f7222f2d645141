"""What trafilatura finds in a page: body, title, site and date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import trafilatura
from trafilatura.utils import detect_encoding


@dataclass(frozen=True, slots=True)
class Found:
    """What a page says about its article, unchecked."""

    text: str
    title: str | None
    site: str | None
    date: str | None


def read_page(page: str | bytes) -> Found | None:
    """The article in `page`, `None` when there is none. Takes as long as it takes: time and
    memory can grow with the square of the page's length, so pages of strangers go through a
    `PageReader`."""
    try:
        found: Any = trafilatura.bare_extraction(
            page if isinstance(page, str) else _decoded(page),
            include_comments=False,
            with_metadata=True,
            # The extensive search guesses a date from any number on the page.
            date_extraction_params={"extensive_search": False, "original_date": True},
        )
    except (ValueError, TypeError, AttributeError, RecursionError):
        # Markup that breaks the extractor holds no text that it could find.
        return None
    if found is None or not (found.text or "").strip():
        return None
    return Found(found.text, found.title, found.sitename, found.date)


def _decoded(page: bytes) -> str:
    """Bytes as the text that their markup or their statistics tell. Given the bytes, trafilatura
    would also unpack compressed ones."""
    for encoding in detect_encoding(page):
        try:
            return page.decode(encoding)
        except (LookupError, UnicodeDecodeError):
            continue
    return page.decode("utf-8", "replace")
