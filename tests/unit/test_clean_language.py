"""The language check: a code and a probability, or `und`."""

from __future__ import annotations

import pytest

from workers.stages.clean.language import UNDETERMINED, detect_language


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The council voted on Monday to reopen the old bridge over the river.", "en"),
        ("Der Stadtrat hat am Montag beschlossen, die alte Brücke wieder zu öffnen.", "de"),
        ("Le conseil municipal a décidé lundi de rouvrir le vieux pont sur la rivière.", "fr"),
        ("Городской совет решил в понедельник вновь открыть старый мост через реку.", "ru"),
    ],
)
def test_languages_are_told_apart(text: str, code: str) -> None:
    found = detect_language(text)
    assert found.code == code
    assert 0.5 < found.probability <= 1.0


@pytest.mark.parametrize("text", ["", "OK.", "1 2 3 4 " * 50, "!" * 300, "\u0301" * 500, "a" * 900])
def test_without_enough_words_the_language_is_undetermined(text: str) -> None:
    assert detect_language(text).code == UNDETERMINED


def test_only_the_beginning_is_read() -> None:
    text = "The council voted on Monday to reopen the bridge. " * 200
    assert detect_language(text + "мост " * 10_000) == detect_language(text)
