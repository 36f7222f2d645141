"""Lines that the page says twice: captions under a picture, pull quotes."""

from __future__ import annotations

from collections.abc import Sequence

from workers.stages.clean.furniture import Finding
from workers.stages.clean.lines import Line

# People repeat themselves in short lines ("No comment."); pages repeat long ones.
MIN_REPEATED_CHARACTERS = 40


def mark_repeats(lines: Sequence[Line], findings: list[Finding | None]) -> None:
    """Mark exact repeats (case and spacing aside), in place.

    Two neighbours that are no sentence are a caption and its alternative text: both go. A
    repeated sentence is kept where it first stands, so nothing that was said is lost.
    """
    first_seen: dict[str, int] = {}
    for at, line in enumerate(lines):
        if len(line.text) < MIN_REPEATED_CHARACTERS:
            continue
        key = " ".join(line.visible.casefold().split())
        earlier = first_seen.setdefault(key, at)
        if earlier == at or findings[at] is not None:
            continue
        if earlier + 1 == at and earlier > 0 and not line.ends_sentence:
            findings[earlier] = findings[at] = Finding("caption", "said_twice")
        else:
            findings[at] = Finding("repeat", "said_before")
