"""Asks processes of its own to read pages, and survives what that does to them."""

from __future__ import annotations

import json
import logging
import os
import selectors
import subprocess
import sys
from pathlib import Path
from queue import Empty, LifoQueue
from threading import BoundedSemaphore
from time import monotonic
from weakref import finalize

from service.extraction.child import CPU_SECONDS, LENGTH
from service.extraction.reading import Found

log = logging.getLogger(__name__)

# Pages read at once by one process of the API, each in a process of some 80 MB.
READERS = 2

# Requests that may have a page read or wait for it. With those that `Prefer: wait` holds (8) they
# leave threads free for the rest, however slow the pages.
MAX_PAGES = 6

# The limit that counts is the child's processor time; this one is for a machine that has none to
# give.
WALL_SECONDS = 60

_ROOT = str(Path(__file__).parents[2])


class PageTooCostlyError(Exception):
    """The page takes more time or memory to read than a page may take."""


class ReadersBusyError(Exception):
    """Too many pages are being read."""


class PageReader:
    """Reads pages in child processes, started when first needed and kept. Safe between threads.

    The parser is a large C library and the extraction's regular expressions take time that grows
    with the square of hostile markup, all of it under the interpreter's lock: in the API's own
    process one page of a megabyte would stop every other request.
    """

    def __init__(self, cpu_seconds: float = CPU_SECONDS) -> None:
        self._cpu_seconds = cpu_seconds
        self._places = BoundedSemaphore(MAX_PAGES)
        self._running = BoundedSemaphore(READERS)
        self._idle: LifoQueue[_Child] = LifoQueue()
        # At the end of the process too: the children see the end of their standard input.
        self.close = finalize(self, _end, self._idle)

    def read(self, page: str | bytes) -> Found | None:
        """The article in `page`, `None` when there is none.

        Raises `PageTooCostlyError`, or `ReadersBusyError` when others wait already.
        """
        if not self._places.acquire(blocking=False):
            raise ReadersBusyError
        try:
            with self._running:
                return self._read(page)
        finally:
            self._places.release()

    def _read(self, page: str | bytes) -> Found | None:
        try:
            child = self._idle.get_nowait()
        except Empty:
            child = _Child(self._cpu_seconds)
        try:
            found = child.ask(page)
        except BaseException:
            log.warning("a page reader was given up, exit code %s", child.end())
            raise
        self._idle.put(child)
        return found


class _Child:
    def __init__(self, cpu_seconds: float) -> None:
        # None of our settings: what reads strangers' pages must not know passwords.
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("STANCEWIRE_")
        }
        environment["PYTHONPATH"] = _ROOT
        self._process = subprocess.Popen(  # noqa: S603 (fixed arguments)
            [sys.executable, "-m", "service.extraction.child", str(cpu_seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # What it could say there quotes the page.
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=environment,
            cwd="/",
        )

    def ask(self, page: str | bytes) -> Found | None:
        content = b"t" + page.encode("utf-8", "replace") if isinstance(page, str) else b"b" + page
        deadline = monotonic() + WALL_SECONDS
        try:
            self._write(LENGTH.pack(len(content)) + content)
            answer = self._take(LENGTH.unpack(self._take(LENGTH.size, deadline))[0], deadline)
        except BrokenPipeError as err:
            raise PageTooCostlyError from err
        document = json.loads(answer)
        return Found(**document) if document is not None else None

    def end(self) -> int:
        """Its exit code: minus the signal that ended it, as a rule SIGPROF or SIGKILL."""
        self._process.kill()
        self._process.communicate()
        return self._process.returncode

    def _write(self, content: bytes) -> None:
        # Blocks no longer than the child starts: it reads a page whole before it looks at it.
        assert self._process.stdin is not None
        rest = memoryview(content)
        while rest:
            rest = rest[self._process.stdin.write(rest) :]

    def _take(self, size: int, deadline: float) -> bytes:
        assert self._process.stdout is not None
        taken = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while len(taken) < size:
                if not selector.select(max(0.0, deadline - monotonic())):
                    raise PageTooCostlyError
                piece = self._process.stdout.read(size - len(taken))
                if not piece:
                    raise PageTooCostlyError
                taken += piece
        return bytes(taken)


def _end(idle: LifoQueue[_Child]) -> None:
    while True:
        try:
            idle.get_nowait().end()
        except Empty:
            return
