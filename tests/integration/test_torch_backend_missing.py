"""A worker that is told to use torch where torch is not installed."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.integration.processes import ROOT


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed here")
def test_the_worker_says_what_to_install_and_ends(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "STANCEWIRE_DATABASE_URL": f"sqlite:///{tmp_path}/x.db",
        "STANCEWIRE_BACKEND": "torch",
        "STANCEWIRE_NER_MODEL": "owner/name",
    }
    migrated = subprocess.run(
        [sys.executable, "-m", "service.store", "upgrade"],
        cwd=ROOT,
        env=environment,
        check=False,
        timeout=60,
    )
    assert migrated.returncode == 0
    ended = subprocess.run(
        [sys.executable, "-m", "workers"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1, ended.stderr
    assert "pip install 'stancewire[torch]'" in ended.stderr
