"""The JSON form of an analysis, as it is stored and (after offset conversion) served."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Any

from service.domain.analysis import Analysis
from service.domain.spans import OffsetMap


def to_document(analysis: Analysis) -> dict[str, Any]:
    """`analysis` as plain dicts, lists, strings and numbers."""
    plain = _plain(asdict(analysis))
    assert isinstance(plain, dict)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def with_offsets(document: dict[str, Any], offsets: OffsetMap) -> dict[str, Any]:
    """A copy of an analysis document whose `start` and `end` count in another unit."""
    moved = _moved(document, offsets)
    assert isinstance(moved, dict)
    return moved


def _moved(value: Any, offsets: OffsetMap) -> Any:
    if isinstance(value, dict):
        return {
            key: offsets(item) if key in {"start", "end"} else _moved(item, offsets)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_moved(item, offsets) for item in value]
    return value
