"""Every threat of the threat model names a test that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_threat_has_its_test() -> None:
    rows = [
        line
        for line in (ROOT / "docs/security.md").read_text("utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| part |")
    ]
    assert len(rows) > 10
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row.split(" | ")[-1])
        assert named, f"names no test: {row}"
        for path, name in named:
            tree = ast.parse((ROOT / path).read_text("utf-8"))
            assert name in {
                node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
            }, f"no such test: {path}::{name}"
