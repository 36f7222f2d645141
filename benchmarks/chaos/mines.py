"""Points in the code at which a process kills itself when somebody has laid a mine there.

A mine is a file; whoever reaches its point first and removes the file dies of it, by SIGKILL, so
that one mine costs exactly one process.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from service.domain.job import STAGES

FOLDER = "CHAOS_FOLDER"

# In a worker: the claim is committed; a stage's beginning is committed; between the two
# statements that store an analysis; just before and just after the commit of the result.
WORKER_POINTS = (
    "claimed",
    *(f"stage-{stage.value}" for stage in STAGES),
    "before-complete",
    "inside-complete",
    "completed",
)
# In the web process: the article is committed and the broker has not been told; it has been told
# and that has not been noted.
API_POINTS = ("before-ring", "rung")


def lay(folder: Path, point: str) -> None:
    """The next process at `point` dies."""
    (folder / f"mine-{point}").touch()


def sweep(folder: Path) -> int:
    """Remove what nobody has stepped on; return how many."""
    left = list(folder.glob("mine-*"))
    for mine in left:
        mine.unlink(missing_ok=True)
    return len(left)


def pass_by(folder: Path, point: str) -> None:
    """Die here if there is a mine."""
    try:
        os.unlink(folder / f"mine-{point}")
    except FileNotFoundError:
        return
    (folder / f"died-{point}-{os.getpid()}").touch()
    os.kill(os.getpid(), signal.SIGKILL)
