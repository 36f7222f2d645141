"""The dateline in front of an article's first sentence: "MOSCOW, June 3 (Agency) –"."""

from __future__ import annotations

import re

# A dateline is short: what comes later in the paragraph is never looked at.
MAX_DATELINE_CHARACTERS = 120

_PLACE = r"[A-Z][\w.'’-]{0,30}(?:\s[A-Z][\w.'’-]{0,30}){0,3}"
_PLACES = rf"{_PLACE}(?:(?:,\s|/){_PLACE}){{0,2}}"
_CAPITALS = r"[A-Z][A-Z.'’-]{2,30}(?:\s[A-Z][A-Z.'’-]{1,30}){0,3}"
_DATE = (
    r"(?:(?:[Jj]an|[Ff]eb|[Mm]ar|[Aa]pr|[Mm]ay|[Jj]un|[Jj]ul|[Aa]ug|[Ss]ep|[Oo]ct|[Nn]ov|[Dd]ec)"
    r"[a-z]{0,6}\.?\s\d{1,2}(?:,\s\d{4})?"
    r"|\d{1,2}\s(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.?(?:,?\s\d{4})?)"
)
_AGENCY = r"(?:\([A-Z][\w .&/'’-]{0,40}\)|/[A-Z][\w .&'’-]{0,30}/|\[[A-Z][\w .&/'’-]{0,40}\])"
_DASH = r"(?:--?-?|–|—)"
# What follows has to begin a sentence.
_SENTENCE = r"(?=[\"'“‘«(]?[A-Z0-9])"

_FORMS = tuple(
    re.compile(form)
    for form in (
        # "TOKYO, September 21. /TASS/. ", "LONDON, Sept 3 (Reuters) - ", "GENEVA (AP) — "
        rf"{_PLACES}(?:,?\s{_DATE})?[.,]?\s{_AGENCY}\s?(?:{_DASH}|[.:])\s{_SENTENCE}",
        # "MOSCOW, June 3 – "
        rf"{_PLACES},?\s{_DATE}[.,]?\s?{_DASH}\s{_SENTENCE}",
        # "Moscow, SANA – ", "Sweida, SANA- "
        rf"{_PLACE},\s[A-Z][A-Z.]{{1,9}}\s?{_DASH}\s{_SENTENCE}",
        # "(Reuters) - ", "/TASS/. "
        rf"{_AGENCY}\s?(?:{_DASH}|[.])\s{_SENTENCE}",
        # "BEIRUT — ", "WASHINGTON, D.C. -- "
        rf"{_CAPITALS}(?:,\s(?:{_PLACE}))?\s?(?:---?|—)\s{_SENTENCE}",
        # "Outlet- The minister": a dash that clings to the name and not to the sentence
        rf"{_PLACE}(?<=\w)-\s{_SENTENCE}",
    )
)


def dateline_end(paragraph: str) -> int:
    """Length of the dateline at the start of `paragraph` without trailing space; 0 if none."""
    head = paragraph[:MAX_DATELINE_CHARACTERS]
    for form in _FORMS:
        found = form.match(head)
        if found:
            return len(found.group().rstrip())
    return 0
