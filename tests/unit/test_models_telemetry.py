"""The inference runtime's reports to its maker stay off."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
OPEN_A_MODEL = """
import sys
from pathlib import Path
from workers.models.sessions import Session
Session(Path(sys.argv[1]))
"""


def test_opening_a_model_leaves_no_trace_of_telemetry(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if "TELEMETRY" not in key}
    homes = {name: str(tmp_path) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME")}

    subprocess.run(
        [sys.executable, "-c", OPEN_A_MODEL, str(ROOT / "workers/weights/ner/model.onnx")],
        cwd=ROOT,
        env={**environment, **homes, "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
        timeout=60,
    )

    assert list(tmp_path.rglob("*")) == []
