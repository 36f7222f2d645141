"""The report and the comparison, as a reader sees them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from client_fake import analysis, entity, span, stance
from rich.console import Console

from client.comparison import outlet_names, print_comparison
from client.inputs import ArticleInput
from client.report import print_report
from client.resources import NewArticle
from client.terminal import console, printable

TEXT = "Anna Petrov spoke.\n\nShe said the tax was wrong.\nThe union cheered the tax."
PETROV, UNION = entity(1, "Anna Petrov", "PER", "Petrov"), entity(2, "Steel Union", "ORG")


def attribution() -> dict[str, Any]:
    return {
        "id": "a1",
        "source": {
            "spans": [span(TEXT, "She")],
            "entity_id": "e1",
            "resolution": "pronoun",
            "reason": None,
        },
        "cue": [span(TEXT, "said")],
        "content": [span(TEXT, "the tax was wrong")],
        "kind": "indirect",
        "score": 0.9,
        "sentence_ids": ["s2"],
    }


def sample() -> dict[str, Any]:
    return analysis(
        TEXT,
        entities=[PETROV, UNION],
        attributions=[attribution()],
        stances=[
            stance(PETROV, "the tax", "against", "s2"),
            stance(UNION, "the tax", "favor", "s3"),
            stance("author", "the tax", None),
            stance(PETROV, UNION, "neutral", "s1"),
        ],
        warnings=[{"code": "language", "detail": "Not English."}],
    )


def rendered(width: int = 100, colour: bool = False) -> str:
    stream = io.StringIO()
    output = Console(file=stream, width=width, force_terminal=colour, highlight=False)
    given = ArticleInput("a.txt", NewArticle(TEXT, title="Tax row", source="Daily"))
    print_report(output, given, sample())
    return stream.getvalue()


def lines_with(text: str, part: str) -> list[str]:
    return [line for line in text.splitlines() if part in line]


def test_the_report_names_people_and_what_they_said() -> None:
    report = rendered()

    assert "Daily — Tax row" in report
    assert "Not English." in report
    (named,) = lines_with(report, "also Petrov")
    assert "PER" in named
    assert "Anna Petrov" in named
    (statement,) = lines_with(report, "the tax was wrong")[:1]
    assert statement.strip() == "[2] indirect · She – said: the tax was wrong"


def test_the_table_says_labels_in_words_with_probability_and_sentence() -> None:
    report = rendered()

    petrov = next(line for line in lines_with(report, "Anna Petrov") if "%" in line)
    assert "against 80 %" in petrov
    union = next(line for line in lines_with(report, "Steel Union") if "%" in line)
    assert "favor 80 %" in union
    author = next(line for line in lines_with(report, "the article itself"))
    assert "–" in author


def test_the_evidence_leads_to_the_line_of_the_file() -> None:
    assert "[2] line 3: She said the tax was wrong." in rendered()
    assert "[3] line 4: The union cheered the tax." in rendered()


def test_colour_is_added_for_terminals_only() -> None:
    assert "\x1b[1;31magainst" in rendered(colour=True)
    assert "\x1b" not in rendered()


@pytest.mark.parametrize("width", [24, 40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(len(line) for line in rendered(width).splitlines()) <= width


def test_text_of_an_article_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[31mb\u202ec\x07\n d\ud800") == "a[31mbc d"


def test_a_pipe_gets_no_colour_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert console(io.StringIO()).color_system is None


def compare(*pairs: tuple[str | None, dict[str, Any]], width: int = 120) -> str:
    stream = io.StringIO()
    given = [
        ArticleInput(f"{at}.txt", NewArticle("x", source=outlet))
        for at, (outlet, _) in enumerate(pairs)
    ]
    output = Console(file=stream, width=width, highlight=False)
    print_comparison(output, given, [found for _, found in pairs])
    return stream.getvalue()


def taking_sides(name: str, label: str) -> dict[str, Any]:
    """An article in which Petrov and the author take the same side on the union."""
    person = entity(1, name)
    return analysis(
        "x",
        entities=[person, UNION],
        stances=[stance(person, UNION, label, "s1"), stance("author", UNION, label, "s1")],
    )


def test_the_comparison_shows_who_contradicts_whom_under_one_name() -> None:
    text = compare(
        ("Daily", taking_sides("Anna Petrov", "favor")),
        ("Weekly", taking_sides("Petrov", "against")),
    )

    assert "Anna Petrov → Steel Union" in text
    assert "Daily: favor 80 %" in text
    assert "Weekly: against 80 %" in text
    (own,) = [line for line in lines_with(text, "Steel Union") if "%" in line]
    assert own.index("favor") < own.index("against")


def test_a_target_of_one_article_is_not_compared() -> None:
    alone = analysis("x", entities=[PETROV], stances=[stance("author", PETROV, "favor")])

    text = compare(("Daily", alone), ("Weekly", analysis("x")))

    assert "No target that two of these articles judge" in text


@pytest.mark.parametrize("width", [40, 80])
def test_the_comparison_keeps_to_the_width(width: int) -> None:
    side = taking_sides("Anna Petrov", "favor")
    text = compare(*[(f"Outlet {at}", side) for at in range(5)], width=width)

    assert max(len(line) for line in text.splitlines()) <= width
    assert text.count("Outlet 4") >= 2


def test_outlets_are_told_apart() -> None:
    given = [
        ArticleInput("x/a.txt", NewArticle("x", source="Daily")),
        ArticleInput("x/b.txt", NewArticle("x", source="Daily")),
        ArticleInput("x/c.txt", NewArticle("x")),
    ]
    assert outlet_names(given) == ["Daily (1)", "Daily (2)", "c.txt"]
