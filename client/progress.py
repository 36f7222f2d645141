"""What happens while one waits, on standard error: a live display, or plain lines."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from client.resources import Job
from client.terminal import printable


class Display(Protocol):
    """Told what goes on. Use it as a context manager."""

    def __enter__(self) -> Display: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def step(self, what: str) -> None:
        """A step before the first article."""
        ...

    def expect(self, names: list[str]) -> None:
        """The articles that will be analysed."""
        ...

    def job(self, at: int, job: Job) -> None:
        """The job of article number `at` has changed."""
        ...

    def failed(self, at: int, reason: str) -> None:
        """Article number `at` will have no analysis."""
        ...


class LiveDisplay:
    """A bar an article, redrawn in place and gone at the end; for terminals."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[stage]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._tasks: list[TaskID] = []
        self._names: list[str] = []
        self._starting: TaskID | None = None

    def __enter__(self) -> LiveDisplay:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def step(self, what: str) -> None:
        if self._starting is None:
            self._starting = self._progress.add_task("local stack", total=None, stage=what)
        self._progress.update(self._starting, stage=what)

    def expect(self, names: list[str]) -> None:
        if self._starting is not None:
            self._progress.remove_task(self._starting)
            self._starting = None
        self._names = names
        self._tasks = [
            self._progress.add_task(_shortened(name), total=1.0, stage="waits", start=False)
            for name in names
        ]

    def job(self, at: int, job: Job) -> None:
        task = self._tasks[at]
        if job.state != "queued":
            self._progress.start_task(task)
        stage = job.stage if job.state == "running" and job.stage else job.state
        self._progress.update(task, completed=job.progress, stage=stage)
        if job.is_final:
            self._progress.stop_task(task)

    def failed(self, at: int, reason: str) -> None:
        self._progress.update(self._tasks[at], stage="failed")
        self._console.print(_failure(self._names[at], reason))


class LineDisplay:
    """One line for each event that matters; for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._names: list[str] = []
        self._done = 0

    def __enter__(self) -> LineDisplay:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return

    def step(self, what: str) -> None:
        self._print(f"local stack: {what}")

    def expect(self, names: list[str]) -> None:
        self._names = names

    def job(self, at: int, job: Job) -> None:
        if job.state == "succeeded":
            self._done += 1
            self._print(f"[{self._done}/{len(self._names)}] {printable(self._names[at])}: done")

    def failed(self, at: int, reason: str) -> None:
        self._done += 1
        self._console.print(_failure(self._names[at], reason), soft_wrap=True)

    def _print(self, line: str) -> None:
        self._console.print(Text(line), soft_wrap=True)


class SilentDisplay(LineDisplay):
    """Failures only."""

    def _print(self, line: str) -> None:
        return


def _shortened(name: str, width: int = 40) -> str:
    name = printable(name)
    return name if len(name) <= width else f"…{name[1 - width :]}"


def _failure(name: str, reason: str) -> Text:
    return Text(f"stancewire: {printable(name)}: {printable(reason)}", style="red")
