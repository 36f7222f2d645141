"""What a caller submits, and the limits that hold for it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from service.domain.spans import OffsetUnit

MAX_TEXT_CHARACTERS = 200_000
MAX_TARGETS = 20
MAX_TARGET_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class AnalysisOptions:
    """How one article is to be analysed; part of what determines the result.

    `offsets` is only the unit in which the result is presented by default, `callback_url` only
    who is told when the job has ended.
    """

    targets: tuple[str, ...] = ()
    offsets: OffsetUnit = "codepoint"
    callback_url: str | None = None


@dataclass(frozen=True, slots=True)
class Article:
    """One submitted article. `text` is what every offset of its analysis counts in."""

    id: str
    text: str
    created_at: datetime
    title: str | None = None
    source: str | None = None
    url: str | None = None
    published_at: datetime | None = None
    language: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def text_sha256(self) -> str:
        """Hex SHA-256 of the text's UTF-8 bytes: names the exact text that spans refer to."""
        return text_sha256(self.text)


def text_sha256(text: str) -> str:
    """Hex SHA-256 of `text` in UTF-8."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
