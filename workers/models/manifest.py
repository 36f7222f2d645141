"""A model folder's manifest: what the model is and the sums of its files."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"


class ModelError(RuntimeError):
    """A bundled model cannot be used; a retry does not help."""


class ModelMissingError(ModelError):
    """A file of the model is not there."""


class ModelCorruptError(ModelError):
    """The manifest is unreadable, or a file is not the one that it names."""


class ModelUnsuitableError(ModelError):
    """The folder holds a model for another task."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What `manifest.json` says. `digest` is the sha256 of its bytes, and so of everything named.

    `window` and `stride` are in wordpieces. `document` is the whole file, for `/v1/models`. Its
    `files_in`, where there is one, names the folder of the files from this one: two tasks can
    share a graph.
    """

    folder: Path
    name: str
    task: str
    version: str
    labels: tuple[str, ...]
    max_length: int
    window: int
    stride: int
    files: dict[str, str]
    thresholds: dict[str, float]
    digest: str
    document: dict[str, Any]

    def path(self, name: str) -> Path:
        """Path of one of the model's files."""
        if name not in self.files:
            raise ModelCorruptError(f"{self.folder / MANIFEST} names no file {name}")
        return self.folder / str(self.document.get("files_in", ".")) / name

    @property
    def outputs(self) -> list[str] | None:
        """The graph's outputs that this task reads, where it has others too; None for all."""
        outputs: list[str] | None = self.document.get("outputs")
        return outputs


class OneModel:
    """What a model of one manifest says about itself; a pair of stance models says it of two."""

    manifest: Manifest

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """Of every model that answers."""
        return (self.manifest,)

    @property
    def digest(self) -> str:
        """Of all that the answers depend on."""
        return self.manifest.digest


def load_manifest(folder: Path, task: str | None = None) -> Manifest:
    """Read a model folder's manifest and check the sum of every file that it names.

    Raises ModelMissingError, ModelCorruptError, or ModelUnsuitableError if `task` is
    given and differs.
    """
    manifest = read_manifest(folder)
    if task is not None and manifest.task != task:
        raise ModelUnsuitableError(f"{folder} holds a model for {manifest.task!r}, not {task!r}")
    for name, wanted in manifest.files.items():
        path = manifest.path(name)
        if not path.is_file():
            raise ModelMissingError(f"{path} is missing")
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found != wanted:
            raise ModelCorruptError(f"{path} has sha256 {found}, its manifest says {wanted}")
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Read `manifest.json` without touching the files that it names."""
    path = folder / MANIFEST
    try:
        content = path.read_bytes()
    except FileNotFoundError as err:
        raise ModelMissingError(f"{path} is missing") from err
    try:
        document = json.loads(content)
        return Manifest(
            folder=folder,
            name=document["name"],
            task=document["task"],
            version=document["version"],
            labels=tuple(document["labels"]),
            max_length=int(document["max_length"]),
            window=int(document["window"]),
            stride=int(document["stride"]),
            files=dict(document["files"]),
            thresholds={key: float(value) for key, value in document["thresholds"].items()},
            digest=hashlib.sha256(content).hexdigest(),
            document=document,
        )
    except (ValueError, KeyError, TypeError) as err:
        raise ModelCorruptError(f"{path} is not a manifest: {err!r}") from err
