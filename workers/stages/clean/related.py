"""Teasers of other stories behind a header such as "Check Also"."""

from __future__ import annotations

from collections.abc import Sequence

from workers.stages.clean.furniture import Finding
from workers.stages.clean.lines import Line

# A teaser is cut off by the page: "… Ambassador of Venezuela and …", "... [Read more]".
_CUT_OFF = ("…", "...", "[…]", "[...]", "»", "→", ">>")
MAX_TEASER_CHARACTERS = 400
# Behind a header at the end of the page everything is teasers, if it is not much.
MAX_TAIL_SHARE = 0.2


def mark_related(lines: Sequence[Line], findings: list[Finding | None]) -> None:
    """Mark the teasers that follow each header, in place, until the article goes on.

    A teaser stops without a full stop or is cut off; the first complete sentence is the article
    again, unless a teaser came before it and only a small rest of the page follows. A header
    above the article's first sentence has no teasers: its next line may be the title.
    """
    characters = sum(len(line.text) for line in lines)
    after = characters
    rest = []
    for line in lines:
        after -= len(line.text)
        rest.append(after)
    at = 0
    has_begun = False
    while at < len(lines):
        finding = findings[at]
        has_begun = has_begun or (finding is None and lines[at].ends_sentence)
        at += 1
        if not has_begun or finding is None or finding.reason != "related_header":
            continue
        is_tail = rest[at - 1] <= MAX_TAIL_SHARE * characters
        seen = False
        while at < len(lines) and (
            findings[at] is not None or _is_teaser(lines[at]) or (seen and is_tail)
        ):
            seen = seen or findings[at] is None
            findings[at] = findings[at] or Finding("related", "related_teaser")
            at += 1


def _is_teaser(line: Line) -> bool:
    shown = line.visible
    if len(shown) > MAX_TEASER_CHARACTERS:
        return False
    return shown.endswith(_CUT_OFF) or not line.ends_sentence
