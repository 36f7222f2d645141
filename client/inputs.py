"""Which articles a command line names: files, folders, standard input, and their manifest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from client.resources import NewArticle

MANIFEST = "manifest.json"
STDIN = "-"
# The service's own limit is 200,000 characters; four bytes each is the most they can take.
_LARGEST_FILE = 800_000


class InputFaultError(Exception):
    """One input cannot be read as an article; the message is a line for the user."""


@dataclass(frozen=True, slots=True)
class ArticleInput:
    """One article to submit and the name that the user knows it by."""

    name: str
    article: NewArticle


@dataclass(frozen=True, slots=True)
class Inputs:
    """What could be read, in the order of the command line, and a line for each fault."""

    articles: tuple[ArticleInput, ...]
    faults: tuple[str, ...]


def read_inputs(paths: Iterable[str], stdin: BinaryIO, targets: tuple[str, ...] = ()) -> Inputs:
    """Read every path. A folder stands for its `*.txt` files in name order, `-` for `stdin`."""
    articles: list[ArticleInput] = []
    faults: list[str] = []
    manifests = _Manifests()
    for path in paths:
        try:
            if path == STDIN:
                text = _decode(stdin.read(_LARGEST_FILE + 1), "standard input")
                articles.append(ArticleInput("standard input", NewArticle(text, targets=targets)))
                continue
            files = _files(Path(path))
        except InputFaultError as fault:
            faults.append(str(fault))
            continue
        for file in files:
            about: Mapping[str, Any] = {}
            try:
                about = manifests.entry(file)
            except InputFaultError as fault:
                faults.append(str(fault))
            try:
                text = _decode(_bytes(file), str(file))
            except InputFaultError as fault:
                faults.append(str(fault))
                continue
            articles.append(ArticleInput(str(file), _article(text, about, targets)))
    return Inputs(tuple(articles), tuple(faults))


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.glob("*.txt") if file.is_file())
    if not found:
        raise InputFaultError(f"{path}: no .txt file in this folder")
    return found


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(_LARGEST_FILE + 1)
    except FileNotFoundError:
        raise InputFaultError(f"{file}: no such file or folder") from None
    except OSError as err:
        raise InputFaultError(f"{file}: cannot be read ({err.strerror or err})") from err


def _decode(data: bytes, name: str) -> str:
    """The text byte for byte (line ends included): offsets of the analysis count in it."""
    if len(data) > _LARGEST_FILE:
        raise InputFaultError(f"{name}: larger than an article may be (200,000 characters)")
    if b"\x00" in data:
        raise InputFaultError(f"{name}: not a text file (it holds NUL bytes)")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as err:
        raise InputFaultError(f"{name}: not UTF-8 text (byte {err.start} is wrong)") from err
    if not text.strip():
        raise InputFaultError(f"{name}: empty, there is nothing to analyse")
    return text


class _Manifests:
    """The manifests of the folders that were met, each read once."""

    def __init__(self) -> None:
        self._by_folder: dict[Path, Mapping[str, Mapping[str, Any]]] = {}

    def entry(self, file: Path) -> Mapping[str, Any]:
        """What the manifest beside `file` says about it; empty when it says nothing."""
        folder = file.parent
        if folder not in self._by_folder:
            self._by_folder[folder] = {}  # a broken manifest is reported once, by its first file
            self._by_folder[folder] = _manifest(folder / MANIFEST)
        return self._by_folder[folder].get(file.name, {})


def _manifest(path: Path) -> dict[str, Mapping[str, Any]]:
    if not path.is_file():
        return {}
    try:
        document = json.loads(path.read_text("utf-8"))
        return {entry["file"]: entry for entry in document["articles"]}
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise InputFaultError(
            f'{path}: not a manifest ({{"articles": [{{"file": …, "outlet": …}}]}}): {err}'
        ) from err


def _article(text: str, about: Mapping[str, Any], targets: tuple[str, ...]) -> NewArticle:
    def value(name: str) -> str | None:
        found = about.get(name)
        return found if isinstance(found, str) and found else None

    return NewArticle(
        text=text,
        title=value("title"),
        source=value("outlet"),
        url=value("url"),
        published_at=value("published_at"),
        language=value("language"),
        targets=targets,
    )
