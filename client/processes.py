"""Child processes of the local stack: each in its own group, with a log, under the watchdog."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_WATCHDOG = Path(__file__).with_name("watchdog.py")
_TAIL_BYTES = 4000
_TAIL_LINES = 12


@dataclass(frozen=True, slots=True)
class Child:
    """A started process. Its id is its group's id, too."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def tail(self) -> str:
        """The last lines of its log."""
        return tail(self.log)


def tail(log: Path) -> str:
    """The last lines of a log file; empty when there is none."""
    try:
        with log.open("rb") as opened:
            opened.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            text = opened.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-_TAIL_LINES:])


class ProcessGroupSet:
    """Starts children and ends them all, whole groups, in the reverse order of their start."""

    def __init__(self, log_dir: Path, *, remove_when_orphaned: Path | None = None) -> None:
        self._log_dir = log_dir
        self._children: list[Child] = []
        # -I: neither the caller's folder nor PYTHON* variables decide what the watchdog runs.
        arguments = [sys.executable, "-I", "-S", str(_WATCHDOG)]
        if remove_when_orphaned is not None:
            arguments.append(str(remove_when_orphaned))
        self._watchdog = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, start_new_session=True, text=True
        )

    @property
    def children(self) -> tuple[Child, ...]:
        """The children in the order of their start."""
        return tuple(self._children)

    def start(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        stdin: bytes | None = None,
        pass_fds: Sequence[int] = (),
    ) -> Child:
        """Start one child; a terminal's Ctrl-C does not reach it, only we end it."""
        log = self._log_dir / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                list(arguments),
                stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=folder,
                pass_fds=tuple(pass_fds),
                start_new_session=True,
            )
        child = Child(name, process, log)
        self._children.append(child)
        self._tell(f"+{process.pid}")
        if stdin is not None and process.stdin is not None:
            with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
                pipe.write(stdin)
        return child

    def dead(self) -> Child | None:
        """The first child that has ended by itself, if any."""
        return next((child for child in self._children if child.process.poll() is not None), None)

    def forget(self, child: Child) -> None:
        """Drop a child that has ended, and end what it may have left behind in its group."""
        _signal_group(child, signal.SIGKILL)
        self._children.remove(child)
        self._tell(f"-{child.process.pid}")

    def stop(self, *, grace: float) -> None:
        """SIGTERM, newest first; what is left `grace` seconds later gets SIGKILL."""
        deadline = time.monotonic() + grace
        try:
            for child in reversed(self._children):
                _signal_group(child, signal.SIGTERM)
                left = max(0.0, deadline - time.monotonic())
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.process.wait(left)
        finally:
            for child in self._children:
                # Also when the leader is gone: its group may hold processes that outlived it.
                _signal_group(child, signal.SIGKILL)
                child.process.wait()
                self._tell(f"-{child.process.pid}")
            self._children.clear()
            if self._watchdog.stdin is not None:
                with contextlib.suppress(BrokenPipeError):
                    self._watchdog.stdin.close()
            self._watchdog.wait()

    def _tell(self, line: str) -> None:
        assert self._watchdog.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._watchdog.stdin.write(line + "\n")
            self._watchdog.stdin.flush()


def _signal_group(child: Child, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, number)
