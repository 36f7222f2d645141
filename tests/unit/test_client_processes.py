"""Children of the local stack end with it, whatever they do about it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from client.processes import ProcessGroupSet

# A parent that shrugs at SIGTERM, with a child of its own; both tell their ids.
STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child:
    print(os.getpid(), child, flush=True)
time.sleep(60)
"""
STARTER = """
import os, sys
from pathlib import Path
from client.processes import ProcessGroupSet
folder = Path(sys.argv[1])
processes = ProcessGroupSet(folder, remove_when_orphaned=folder)
processes.start("child", [sys.executable, "-c", "import time; time.sleep(60)"],
                environment=os.environ, folder=folder)
print(processes.children[0].process.pid, flush=True)
os.kill(os.getpid(), 9)
"""


def until(done: object, seconds: float = 10.0) -> bool:
    assert callable(done)
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(done())


def running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_stubborn_child_and_its_children_are_killed_after_the_grace_time(tmp_path: Path) -> None:
    processes = ProcessGroupSet(tmp_path)
    child = processes.start(
        "stubborn", [sys.executable, "-c", STUBBORN], environment=os.environ, folder=tmp_path
    )
    assert until(lambda: len(child.tail().split()) == 2)
    pids = [int(pid) for pid in child.tail().split()]

    processes.stop(grace=0.2)

    assert until(lambda: not any(running(pid) for pid in pids))


def test_a_child_that_ends_by_itself_is_noticed_with_its_last_lines(tmp_path: Path) -> None:
    processes = ProcessGroupSet(tmp_path)
    last_words = "import sys; print(*range(30), sep='\\n'); sys.exit(3)"
    child = processes.start(
        "brief", [sys.executable, "-c", last_words], environment=os.environ, folder=tmp_path
    )

    assert until(lambda: processes.dead() is child)
    assert child.process.returncode == 3
    assert child.tail().splitlines() == [str(number) for number in range(18, 30)]
    processes.stop(grace=1)


def test_children_and_their_folder_go_when_the_starter_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()

    starter = subprocess.run(
        [sys.executable, "-c", STARTER, str(folder)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        timeout=30,
    )

    assert starter.returncode == -9
    assert until(lambda: not running(int(starter.stdout)))
    assert until(lambda: not folder.exists())
