"""Which language a text is in, by py3langid and the model that it bundles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

# Enough to be sure of the language, and the same cost for every article.
MAX_SAMPLE_CHARACTERS = 5_000
# Below so many letters the guess is noise ("OK", a name).
MIN_LETTERS = 20

UNDETERMINED = "und"


@dataclass(frozen=True, slots=True)
class Language:
    """An ISO 639-1 code, or `und`, and the probability of it (0 to 1)."""

    code: str
    probability: float


@cache
def _identifier() -> Any:
    # Loaded on first use: the model takes about a third of a second that the API never needs.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def detect_language(text: str) -> Language:
    """The language of `text`, judged by its first characters; `und` without enough letters."""
    sample = text[:MAX_SAMPLE_CHARACTERS]
    if sum(char.isalpha() for char in sample) < MIN_LETTERS or not any(map(str.isspace, sample)):
        return Language(UNDETERMINED, 0.0)
    code, probability = _identifier().classify(sample)
    return Language(str(code), round(float(probability), 4))
