"""The case shape of a word: what an uncased vocabulary forgets.

The encoders read lower-cased text, so "US" and "us" share a wordpiece. Each
word's shape travels beside its wordpieces as `token_type_ids`; the models'
token type table is resized to `SHAPE_COUNT` rows for it.
"""

from enum import IntEnum


class CaseShape(IntEnum):
    """Row of the token type table. LOWER is 0, the row every encoder was pretrained with."""

    LOWER = 0
    TITLE = 1
    UPPER = 2
    SINGLE_CAPITAL = 3
    MIXED = 4
    DIGIT = 5
    OTHER = 6


SHAPE_COUNT = len(CaseShape)


def case_shape(word: str) -> CaseShape:
    """Shape of one word (no white space inside). Words without case, such as CJK, are OTHER."""
    if any(character.isdigit() for character in word):
        return CaseShape.DIGIT
    if word.islower():
        return CaseShape.LOWER
    if word.isupper():
        return CaseShape.SINGLE_CAPITAL if len(word) == 1 else CaseShape.UPPER
    if word[:1].isupper() and word[1:].islower():
        return CaseShape.TITLE
    if word.lower() != word.upper():
        return CaseShape.MIXED
    return CaseShape.OTHER
