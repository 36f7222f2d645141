"""On what, and of which code, a figure was measured."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_LIBRARIES = ("onnxruntime", "tokenizers", "numpy")
_MATRIX = 384  # the width of the bundled encoders
_YARDSTICK_SECONDS = 0.5


def provenance() -> dict[str, Any]:
    """Time, commit (and whether the tree differs from it), machine and libraries."""
    changes = _git("status", "--porcelain", "--untracked-files=no")
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted_changes": bool(changes),
        "machine": {
            "cpu": _cpu_model(),
            "cores": os.cpu_count(),
            "vector_instructions": _vector_instructions(),
            "kernel": platform.release(),
            "load_average": [round(load, 2) for load in os.getloadavg()],
        },
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in _LIBRARIES},
    }


def yardstick_gflops() -> float:
    """Float32 matrix products on the calling process's cores, in 10⁹ operations a CPU second.

    Lets figures of different machines, or of one machine under different load, be compared.
    """
    import numpy as np

    generator = np.random.default_rng(0)
    one = generator.standard_normal((_MATRIX, _MATRIX), dtype=np.float32)
    other = generator.standard_normal((_MATRIX, _MATRIX), dtype=np.float32)
    products = 0
    began, cpu_began = time.perf_counter(), time.process_time()
    while time.perf_counter() - began < _YARDSTICK_SECONDS:
        one @ other
        products += 1
    return products * 2 * _MATRIX**3 / (time.process_time() - cpu_began) / 1e9


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def _cpu_info(field: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(field)), "")


def _cpu_model() -> str:
    return _cpu_info("model name") or platform.processor() or platform.machine()


def _vector_instructions() -> list[str]:
    """Those that decide how fast int8 runs."""
    flags = set(_cpu_info("flags").split())
    wanted = ("avx2", "avx512f", "avx_vnni", "avx512_vnni", "amx_int8")
    return [name for name in wanted if name in flags]
