"""Whether a piece of text bears on a topic or claim, by its content words."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]+|\d+")
_FUNCTION_WORDS = frozenset(
    word
    for line in (
        "a about above after again against all also am an and any are as at be because been",
        "before being below between both but by can could did do does doing done down during each",
        "few for from further get gets give given had has have having he her here hers him his how",
        "i if in into is it its itself just let may me might more most much must my need needs no",
        "nor not now of off on once only or other ought our out over own per same shall she should",
        "so some such than that the their them then there these they this those through to too",
        "under until up upon us very was we were what when where which while who whom why will",
        "with within without would you your s t",
    )
    for word in line.split()
)
# Words that share this much of their beginning are taken as forms of one another
# ("elect", "election"; "Russia", "Russian"): crude, but it only decides what is asked.
_SHARED_LETTERS = 5
_SHARED_PART = 0.6


def content_words(text: str) -> frozenset[str]:
    """Lower-cased words of `text` that are no function words, plural s removed."""
    words = (word.lower() for word in _WORD.findall(text))
    return frozenset(_singular(word) for word in words if word not in _FUNCTION_WORDS)


def share_found(topic: frozenset[str], text: frozenset[str]) -> float:
    """The part of the topic's content words that `text` has in some form, 0 to 1."""
    if not topic:
        return 0.0
    return sum(any(_alike(word, other) for other in text) for word in topic) / len(topic)


def _singular(word: str) -> str:
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _alike(one: str, other: str) -> bool:
    if one == other:
        return True
    shared = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        shared += 1
    return shared >= _SHARED_LETTERS and shared >= _SHARED_PART * max(len(one), len(other))
