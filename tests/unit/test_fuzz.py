"""The fuzzers in their short form: `python -m benchmarks.fuzz` is the long one."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from benchmarks.fuzz.bodies import SENT, Sent, check_sent, open_app
from benchmarks.fuzz.hunt import hunt
from benchmarks.fuzz.models import random_pipeline
from benchmarks.fuzz.pages import PAGES, check_page
from benchmarks.fuzz.promises import check_stages, check_submission
from benchmarks.fuzz.texts import CORNERS, Submitted, submissions, texts
from service.settings import load_settings

# Derandomised, so that a failure in CI is a failure everywhere.
_short = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
_pipeline = random_pipeline(load_settings().weights_dir)


@given(texts())
@settings(_short, max_examples=200)
def test_texts_through_the_first_stages(text: str) -> None:
    check_stages(text)


@given(submissions())
@settings(_short, max_examples=40)
def test_articles_through_the_pipeline(submitted: Submitted) -> None:
    check_submission(_pipeline, submitted)


@given(PAGES)
@settings(_short, max_examples=60)
def test_pages_through_the_reader(page: str | bytes) -> None:
    check_page(page)


def test_bodies_through_the_api(tmp_path: Path) -> None:
    app = open_app(tmp_path)

    @given(SENT)
    @settings(_short, max_examples=80)
    def each(sent: Sent) -> None:
        check_sent(app, sent)

    each()


@pytest.mark.parametrize("corner", CORNERS)
def test_each_corner_of_unicode_by_itself(corner: str) -> None:
    for text in (corner, f"Ann {corner} said “{corner}” on Monday.\r\n{corner}\u2028{corner}x"):
        check_stages(text)


def test_a_hunt_tells_of_the_smallest_example() -> None:
    def check(text: str) -> None:
        assert "Ann" not in text

    with pytest.raises(AssertionError) as caught:
        hunt(texts(), check, examples=500, start=1)
    assert "Example: 'Ann" in "".join(caught.value.__notes__)


def test_a_hunt_counts_and_repeats_itself() -> None:
    first: list[str] = []
    second: list[str] = []
    figures = hunt(texts(), first.append, examples=20, start=7)
    hunt(texts(), second.append, examples=20, start=7)
    assert figures["examples"] == len(first) >= 20
    assert first == second


def test_a_body_that_is_not_kept_as_it_came_is_found(tmp_path: Path) -> None:
    """The fuzzer's own alarm: an API that changes a text."""
    app = open_app(tmp_path)
    sent = Sent("/v1/articles", "application/json", json.dumps({"text": "Some news."}).encode())
    check_sent(app, sent)
    inner = app.wsgi_app

    def respelling(environ: dict[str, Any], start_response: Any) -> Any:
        body = environ["wsgi.input"].read().replace(b"news", b"NEWS")
        return inner({**environ, "wsgi.input": BytesIO(body)}, start_response)

    app.wsgi_app = respelling  # type: ignore[method-assign]
    with pytest.raises(AssertionError, match="text"):
        check_sent(app, sent)
