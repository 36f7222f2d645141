"""The audit never takes silence for an answer."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

PATH = Path(__file__).parents[2] / "requirements/audit.py"
_spec = importlib.util.spec_from_file_location("audit", PATH)
assert _spec is not None
assert _spec.loader is not None
audit: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(audit)

FAULT = {"name": "jinja2", "version": "2.4.1", "vulns": [{"id": "CVE-2019-10906"}]}
CLEAN = {"name": "flask", "version": "3.1.3", "vulns": []}
SKIPPED = {"name": "flask", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("probe", "lock", "code", "said"),
    [
        ([FAULT], [CLEAN], 0, "nothing known"),
        ([FAULT], [CLEAN, FAULT], 1, "jinja2 2.4.1: CVE-2019-10906"),
        ([FAULT], [SKIPPED, FAULT], 1, "VULNERABLE"),
        ([FAULT], [CLEAN, SKIPPED], 3, "COULD NOT ASK for flask"),
        ([FAULT], [], 3, "COULD NOT ASK"),
        ([{"name": "jinja2", "skip_reason": "not found"}], [CLEAN], 3, "COULD NOT ASK"),
        ([], [CLEAN], 3, "COULD NOT ASK"),
    ],
)
def test_exit_codes(
    probe: list[Any],
    lock: list[Any],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def ask(requirements: Path) -> dict[str, Any]:
        return {"dependencies": probe if requirements.name == "known.txt" else lock}

    monkeypatch.setattr(audit, "ask", ask)
    assert audit.main(tmp_path) == code
    assert said in capsys.readouterr().out
