"""The soak in a short form: `python -m benchmarks.soak` is the long one.

Whether memory is flat takes an hour to see; that every article and every part is in the books does
not.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from benchmarks.soak.picture import draw
from benchmarks.soak.result import result_of
from benchmarks.soak.run import Plan, run

PLAN = Plan(
    minutes=0.5,
    rate=150,
    warm_up=0.1,
    keep_minutes=0.2,
    sample_seconds=1,
    seed=7,
    fast=True,
)
PARTS = {
    "API, parent",
    "API, serving",
    "API, page readers",
    "worker, parent",
    "worker, inference",
    "worker, metrics",
    "broker",
    "broker, its data",
}


def test_every_article_and_every_part_is_in_the_books(tmp_path: Path) -> None:
    result = result_of(PLAN, run(PLAN, tmp_path, tell=print))

    assert result.faults == []
    articles = result.figures["articles"]
    assert articles["submitted"] == articles["accepted"] == articles["accounted_for"] > 50
    assert articles["ended"] == {"succeeded": articles["accepted"]}
    assert 0 < articles["deleted"] < articles["accepted"]
    assert set(articles["submitted_as"]) == {"batch", "json", "page", "plain"}
    assert result.figures["webhooks"]["wanted"] > 0
    assert set(result.figures["parts"]) == set(result.lines) == PARTS
    for part, line in result.lines.items():
        # A page reader is there from the first page on.
        assert len(line) > 10, part
        assert all(megabytes > 0 for _, megabytes in line), part
    assert result.figures["parts"]["API, serving"]["processes"] == 2
    assert result.figures["parts"]["worker, inference"]["processes"] == 1

    drawn = ElementTree.fromstring(draw("Memory", result.lines, warm_up=PLAN.warm_up))
    lines = drawn.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == len(PARTS)
