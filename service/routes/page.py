"""An article out of an HTML page, within the limits that hold for submitted fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from service.domain.article import MAX_TEXT_CHARACTERS
from service.extraction.page_reader import PageTooCostlyError, ReadersBusyError
from service.extraction.reading import Found, read_page
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


def extract(page: str | bytes, read: Callable[[str | bytes], Found | None] = read_page) -> Page:
    """The article in `page`. Raises the 422 problem `no-text` when there is none,
    `page-too-costly` when `read` gave it up, and the 503 problem `busy`."""
    try:
        found = read(page)
    except PageTooCostlyError as err:
        raise ProblemError("page-too-costly") from err
    except ReadersBusyError as err:
        raise ProblemError("busy") from err
    if found is None or storable(found.text) is not None:
        raise ProblemError("no-text")
    if len(found.text) > MAX_TEXT_CHARACTERS:
        detail = f"The extracted text is longer than {MAX_TEXT_CHARACTERS:,} characters."
        raise ProblemError("validation", errors=[{"pointer": "", "detail": detail}])
    return Page(
        text=found.text,
        title=_short(found.title, TITLE_CHARACTERS),
        source=_short(found.site, SOURCE_CHARACTERS),
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
