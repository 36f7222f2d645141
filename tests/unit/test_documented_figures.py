"""README, docs and model cards say what was measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import tables
from workers.models.profiles import FAST

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("document", "table"),
    [
        ("README.md", tables.readme()),
        ("docs/models.md", tables.pair()),
        ("workers/weights/stance-accurate/README.md", tables.behaviour()),
        ("workers/weights/stance/README.md", tables.behaviour_line(FAST)),
    ],
)
def test_the_tables_of_a_document_are_the_measured_ones(document: str, table: str) -> None:
    written = (ROOT / document).read_text("utf-8")
    assert " ".join(table.split()) in " ".join(written.split())
