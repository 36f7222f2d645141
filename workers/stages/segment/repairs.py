"""Where nupunkt's sentence boundaries err on news: quotations and stacked titles.

All repairs join two neighbours; none adds a boundary, so nothing can be lost.
"""

from __future__ import annotations

import re

_CLOSING_ONLY = re.compile(r"(?:[”’»)\]]|''|\"(?=\s|$))+\s*")
_ENDS_IN_QUESTION_QUOTE = re.compile(r"[?!…,-][\"”’»']+$")
_ENDS_IN_QUOTE = re.compile(r"[.?!…,-][\"”’»']+$")
_SPEECH = (
    r"(?:said|says|asked|asks|added|adds|told|replied|wrote|writes|wondered|exclaimed|shouted|"
    r"declared|insisted|warned|continued|noted|remarked|quipped|answered|demanded|concluded|"
    r"explained|tweeted|stressed|argued|cried)"
)
_NAME = r"(?:[A-Z][\w'’.-]{0,30}\s){1,5}"
_NOUN_PHRASE = r"[Tt]he\s(?:\w{1,30}\s){1,4}"
# '"Are you sure?" Harry asked.' but not '"Are you sure?" Harry said he was.'
_SPEECH_TAG = re.compile(
    rf"(?:[Hh]e\s|[Ss]he\s|[Tt]hey\s|{_NAME}|{_NOUN_PHRASE}){_SPEECH}"
    r"(?=[.,:;]|\s(?:on|in|at|during|to|from|after|before|when|as|while|by|last|late|early|"
    r"reporters|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)\b)"
    rf"|{_SPEECH}\s[A-Z]"
)
# Titles that stand before a name, so that the name cannot begin a sentence.
_BEFORE_A_NAME = re.compile(
    r"(?:^|[\s(\"“‘])(?:Mr|Mrs|Ms|Dr|Prof|Gen|Lt|Col|Maj|Capt|Cmdr|Cpl|Sgt|Adm|Brig|Sen|Rep|Gov|"
    r"Rev|Hon|Sens|Reps|Govs|Gens|Pres|Amb|Msgr|Supt|Insp|Messrs|Mme|Mlle)\.$"
)
# A whole sentence that is only "Former U.N."
_INITIALISM_ALONE = re.compile(r"(?:\w{1,10}\s){0,2}(?:[A-Z]\.){2,4}")


def joins(before: str, after: str) -> bool:
    """Whether two neighbouring sentences are really one.

    `before` is the end of the first, at most 16 characters; `after` the start of the second.
    """
    if not any(char.isalnum() for char in after) or after[0] in ",;:.":
        return True
    if _BEFORE_A_NAME.search(before[-12:]) or _INITIALISM_ALONE.fullmatch(before):
        return True
    # News begins no sentence in lower case: it was an abbreviation, a bracket or a link.
    if after[0].islower() and (before[-1] in ".…)" or _ENDS_IN_QUOTE.search(before[-8:])):
        return True
    return bool(_ENDS_IN_QUESTION_QUOTE.search(before[-8:]) and _SPEECH_TAG.match(after[:160]))


def closing_marks(before: str, after: str) -> int:
    """How many characters at the start of `after` close a quotation or bracket of `before`.

    A straight quote looks the same at both ends: it closes if one is open in `before`.
    """
    found = _CLOSING_ONLY.match(after[:12])
    if not found or (after[0] == '"' and before.count('"') % 2 == 0):
        return 0
    return len(found.group())
