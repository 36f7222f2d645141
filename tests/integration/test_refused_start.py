"""gunicorn and the application that it cannot load."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.integration.processes import REFUSED, ROOT


def test_an_api_that_cannot_start_ends_instead_of_trying_for_ever(tmp_path: Path) -> None:
    missing = tmp_path / "path" / "opentelemetry"
    missing.mkdir(parents=True)
    (missing / "__init__.py").write_text("raise ImportError('not installed')\n")
    environment = {
        **os.environ,
        "PYTHONPATH": str(missing.parent),
        "STANCEWIRE_DATABASE_URL": f"sqlite:///{tmp_path}/x.db",
        "STANCEWIRE_BIND": "127.0.0.1:0",
        "STANCEWIRE_OTLP_ENDPOINT": "http://127.0.0.1:9",
    }
    ended = subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", "python:service.gunicorn_conf", "service.wsgi"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode in REFUSED, ended.stderr
    assert "install stancewire[tracing]" in ended.stderr
