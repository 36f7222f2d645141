"""What the parts of the local stack are told."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from client.local_stack import LocalStack

PROCESSES = "STANCEWIRE_WORKER_PROCESSES"


def told(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    stack = LocalStack(folder, environment=environment)
    return stack._part_environment("redis://127.0.0.1:1/0", "127.0.0.1:2")


@pytest.mark.parametrize(
    ("cores", "processes"), [(None, "1"), (1, "1"), (2, "2"), (4, "4"), (64, "4")]
)
def test_the_worker_has_a_process_a_core_up_to_four(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int | None, processes: str
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert told(tmp_path, {})[PROCESSES] == processes


def test_what_is_set_stays(tmp_path: Path) -> None:
    assert told(tmp_path, {PROCESSES: "7", "OTHER": "x"})[PROCESSES] == "7"
    assert told(tmp_path, {"OTHER": "x"})["OTHER"] == "x"
