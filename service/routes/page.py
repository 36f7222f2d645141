"""An article out of an HTML page: trafilatura finds the body, title, site and date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import trafilatura

from service.domain.article import MAX_TEXT_CHARACTERS
from service.problems import ProblemError
from service.schemas.fields import storable
from service.schemas.submission import SOURCE_CHARACTERS, TITLE_CHARACTERS

# Extraction takes seconds a megabyte; news pages have 0.1 to 1 MB.
MAX_PAGE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Page:
    """What the page says about its article."""

    text: str
    title: str | None
    source: str | None
    published_at: datetime | None


def extract(page: str | bytes) -> Page:
    """The article in `page`. Raises the 422 problem `no-text` when there is none."""
    try:
        found: Any = trafilatura.bare_extraction(
            page,
            include_comments=False,
            with_metadata=True,
            # The extensive search guesses a date from any number on the page.
            date_extraction_params={"extensive_search": False, "original_date": True},
        )
    except (ValueError, TypeError, AttributeError, RecursionError) as err:
        # Markup that breaks the extractor holds no text that it could find.
        raise ProblemError("no-text") from err
    text = (found.text or "") if found is not None else ""
    if not text.strip() or storable(text) is not None:
        raise ProblemError("no-text")
    if len(text) > MAX_TEXT_CHARACTERS:
        detail = f"The extracted text is longer than {MAX_TEXT_CHARACTERS:,} characters."
        raise ProblemError("validation", errors=[{"pointer": "", "detail": detail}])
    return Page(
        text=text,
        title=_short(found.title, TITLE_CHARACTERS),
        source=_short(found.sitename, SOURCE_CHARACTERS),
        published_at=_day(found.date),
    )


def _short(value: str | None, limit: int) -> str | None:
    """`value` unless it breaks the limits that hold for submitted fields."""
    if not value or len(value) > limit or storable(value) is not None:
        return None
    return value


def _day(value: str | None) -> datetime | None:
    try:
        return datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC) if value else None
    except ValueError:
        return None
