"""Hostile pages end a process made for them, and nothing else."""

from __future__ import annotations

import signal
import threading
import zlib
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

from service.extraction import child, page_reader
from service.extraction.page_reader import PageReader, PageTooCostlyError, ReadersBusyError
from tests.integration.processes import wait_for

NEWS = "The minister said on Monday that the dam was a mistake and would not be built."
PAGE = f"<html><head><title>Dam</title></head><body><article><p>{NEWS}</p></article></body></html>"

# Found by growing each kind of markup: these take time that grows with the square of the length.
QUADRATIC = {
    "attributes": "<html><body><p "
    + " ".join(f"a{number}=1" for number in range(300_000))
    + f">{NEWS}</p>",
    "json-ld": "<html><head><script type='application/ld+json'>"
    + '"@type":"Article","author":' * 60_000,
}
# Others that broke parsers and extractors before; each has to be read or refused, soon.
STRANGE = {
    "elements": "<div>" * 400_000 + NEWS,
    "inline": "<b>" * 600_000 + NEWS,
    "lists": "<ul><li>a" * 200_000,
    "tables": "<table><tr><td>a" * 100_000,
    "quotes": "<blockquote>a" * 100_000,
    "comments": "<!--" * 500_000,
    "less-than": "<" * 2_000_000,
    "attribute": "<p class='" + "a " * 900_000 + f"'>{NEWS}</p>",
    "entity bomb": '<!DOCTYPE a [<!ENTITY b "'
    + "x" * 1000
    + '">'
    + '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">' * 20
    + "]><p>&c;</p>",
}


# Applications of earlier tests keep readers of their own while they live.
_others: set[int] = set()


@pytest.fixture(autouse=True)
def _count_from_here() -> None:
    _others.clear()
    _others.update(children())


@pytest.fixture
def reader() -> Iterator[PageReader]:
    found = PageReader(cpu_seconds=2)
    yield found
    found.close()


def children() -> set[int]:
    """The processes that read pages for this test."""
    found = {
        found.pid
        for found in psutil.Process().children()
        if "service.extraction.child" in found.cmdline()
    }
    return found - _others


def test_a_page_is_read_in_a_process_that_is_kept(reader: PageReader) -> None:
    first = reader.read(PAGE)
    assert first is not None
    assert (first.text, first.title) == (NEWS, "Dam")
    kept = children()
    assert len(kept) == 1
    assert reader.read(PAGE.replace("dam", "bridge").encode()) is not None
    assert reader.read("<p></p>") is None
    assert children() == kept
    reader.close()
    assert children() == set()


@pytest.mark.parametrize("name", QUADRATIC)
def test_a_page_that_takes_too_long_is_stopped(reader: PageReader, name: str) -> None:
    with pytest.raises(PageTooCostlyError):
        reader.read(QUADRATIC[name])
    assert children() == set()
    assert reader.read(PAGE) is not None


def test_the_limit_holds_when_nobody_waits_for_the_answer() -> None:
    # The kernel's timer ends the child, not the one who asked: that one may be dead.
    asked = page_reader._Child(0.5)
    content = b"t" + QUADRATIC["json-ld"].encode()
    asked._write(child.LENGTH.pack(len(content)) + content)
    try:
        asked._process.wait(60)
    finally:
        code = asked.end()
    assert code == -signal.SIGPROF


@pytest.mark.parametrize("name", STRANGE)
def test_strange_pages_leave_the_reader_usable(name: str) -> None:
    reader = PageReader(cpu_seconds=4)
    with suppress(PageTooCostlyError):
        reader.read(STRANGE[name])
    after = reader.read(PAGE)
    assert after is not None
    assert after.text == NEWS
    [pid] = children()
    # Never more than its address space allows, however much the page asks for.
    assert psutil.Process(pid).memory_info().vms <= child.MEMORY_BYTES
    reader.close()


@pytest.mark.parametrize("wbits", [zlib.MAX_WBITS, 16 + zlib.MAX_WBITS])
def test_compressed_pages_are_not_unpacked(reader: PageReader, wbits: int) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    packed = packer.compress(PAGE.encode() + b" " * 10_000_000) + packer.flush()
    found = reader.read(packed)
    assert found is None or NEWS not in found.text


def test_the_reading_process_knows_none_of_our_settings(
    reader: PageReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STANCEWIRE_DATABASE_URL", "postgresql+pg8000://u:canary@h/d")
    reader.read(PAGE)
    [pid] = children()
    environment = psutil.Process(pid).environ()
    assert "PYTHONPATH" in environment
    assert not [name for name in environment if name.startswith("STANCEWIRE_")]
    assert "canary" not in str(environment)


def test_many_costly_pages_leave_threads_for_others(
    reader: PageReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()

    def held(_: PageReader, page: str | bytes) -> None:
        release.wait(30)

    monkeypatch.setattr(PageReader, "_read", held)
    threads = [
        threading.Thread(target=reader.read, args=(PAGE,)) for _ in range(page_reader.MAX_PAGES)
    ]
    for thread in threads:
        thread.start()
    wait_for(lambda: reader._places._value == 0, 10, "all places are taken")
    with pytest.raises(ReadersBusyError):
        reader.read(PAGE)
    release.set()
    for thread in threads:
        thread.join()
    assert reader.read(PAGE) is None
