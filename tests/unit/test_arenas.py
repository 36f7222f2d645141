"""Threads share heaps once that is asked for."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from service.arenas import MOST

ROOT = Path(__file__).parents[2]
# Threads that all hold memory at the same time, larger than what the interpreter serves itself.
THREADS = """
import sys
from pathlib import Path
from threading import Barrier, Thread
from service import arenas

if sys.argv[1] == "limited":
    assert arenas.limit()
together = Barrier(13)

def hold():
    kept = [bytes(4000) for _ in range(50)]
    together.wait()
    together.wait()
    assert kept

threads = [Thread(target=hold) for _ in range(12)]
for thread in threads:
    thread.start()
together.wait()
print(Path("/proc/self/maps").read_text())
together.wait()
"""


def heaps_of_threads(how: str) -> int:
    """glibc maps each at a multiple of 64 MiB; the first heap of a process is none of them."""
    done = subprocess.run(
        [sys.executable, "-c", THREADS, how],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    starts = re.findall(r"^([0-9a-f]+)-\S+ rw-p 00000000 00:00 0 *$", done.stdout, re.M)
    return sum(int(start, 16) % (64 << 20) == 0 for start in starts)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has such heaps")
def test_threads_share_heaps_once_that_is_asked_for() -> None:
    assert heaps_of_threads("unlimited") > MOST
    assert heaps_of_threads("limited") < MOST
