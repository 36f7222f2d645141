"""A model by name: a folder on this machine, or a repository of the Hugging Face Hub.

Knows files, not networks: nothing here imports torch, so that a worker can check its models before
it forks. By default nothing is downloaded (`HF_HUB_OFFLINE=1`): the Hub's local cache must have it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from workers.models.manifest import (
    Manifest,
    ModelCorruptError,
    ModelMissingError,
    ModelUnsuitableError,
)

# A worker reaches nobody but its broker and its database; whoever wants downloads at start says so.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

# How the name of an architecture with the task's head ends.
Head = Literal["ForTokenClassification", "ForSequenceClassification"]
TAGGER: Head = "ForTokenClassification"
CLASSIFIER: Head = "ForSequenceClassification"

_PACKAGES = ("torch", "transformers")
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
# What decides an answer besides the weights: configuration, vocabulary and merges.
_OTHERS = ("*.json", "*.txt", "*.model")


@dataclass(frozen=True, slots=True)
class NamedModel:
    """What is known of a model before it is opened. `labels` are in the order of its columns."""

    name: str
    folder: Path
    labels: tuple[str, ...]
    config: Mapping[str, Any]


def find_model(name: str, head: Head) -> NamedModel:
    """Find a model by the folder's path, or by `owner/name` or `owner/name@revision` on the Hub.

    Its architecture must have `head`. Raises ModelMissingError, ModelCorruptError or
    ModelUnsuitableError; their messages say what to do.
    """
    for package in _PACKAGES:
        if find_spec(package) is None:
            raise ModelMissingError(
                f"the torch backend needs the package {package}: pip install 'stancewire[torch]'"
            )
    folder = Path(name).expanduser()
    if not folder.is_dir():
        folder = _hub_folder(name)
    config = _read_json(folder / "config.json")
    if not weight_files(folder):
        raise ModelMissingError(f"{folder} has no weights ({' or '.join(_WEIGHTS)})")
    architectures = config.get("architectures") or []
    if not any(str(architecture).endswith(head) for architecture in architectures):
        known = ", ".join(map(str, architectures)) or "nothing named"
        raise ModelUnsuitableError(f"{name} holds {known}, not a model …{head}")
    return NamedModel(_shown(name, folder), folder, _labels(name, config), config)


def weight_files(folder: Path) -> list[Path]:
    """The files that `transformers` reads the weights from: safetensors where there are any."""
    for pattern in _WEIGHTS:
        if found := sorted(folder.glob(pattern)):
            return found
    return []


def identity(model: NamedModel, task: str, fields: Mapping[str, Any]) -> Manifest:
    """A manifest as the bundled models have one, made from the files' sums and `fields`.

    Its digest, and with it the pipeline's version, changes with any of them.
    """
    weights = weight_files(model.folder)
    others = sorted({path for pattern in _OTHERS for path in model.folder.glob(pattern)})
    files = {path.name: _sha256(path) for path in [*weights, *others]}
    sums = [files[path.name] for path in weights]
    whole = sums[0] if len(sums) == 1 else hashlib.sha256("".join(sums).encode()).hexdigest()
    document: dict[str, Any] = {
        "name": model.name,
        "task": task,
        "version": whole[:12],
        "backend": "torch",
        "labels": list(model.labels),
        # Others' models bring no scaling that was fitted for these questions.
        "calibrated": False,
        "metrics": {},
        "thresholds": {},
        "sha256": whole,
        "files": files,
        **fields,
    }
    return Manifest(
        folder=model.folder,
        name=model.name,
        task=task,
        version=document["version"],
        labels=model.labels,
        max_length=document["max_length"],
        window=document["window"],
        stride=document["stride"],
        files=files,
        thresholds=document["thresholds"],
        digest=hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest(),
        document=document,
    )


def _hub_folder(name: str) -> Path:
    # Imported late: the package comes with `transformers`, and reads HF_HUB_OFFLINE then.
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    repository, _, revision = name.partition("@")
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", repository):
        raise ModelMissingError(f"there is no folder {name}")
    try:
        return Path(
            snapshot_download(
                repository, revision=revision or None, allow_patterns=[*_WEIGHTS, *_OTHERS]
            )
        )
    except HFValidationError as err:
        raise ModelMissingError(f"there is no folder {name}, and it is no name: {err}") from err
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as err:
        raise ModelMissingError(
            f"{name} is neither a folder nor in the Hub's cache on this machine: fetch it once with"
            f" `hf download {repository}`, or let the worker do so with HF_HUB_OFFLINE=0"
        ) from err


def _labels(name: str, config: Mapping[str, Any]) -> tuple[str, ...]:
    try:
        named = {int(number): str(label) for number, label in config["id2label"].items()}
        return tuple(named[number] for number in range(len(named)))
    except (KeyError, ValueError, AttributeError) as err:
        raise ModelUnsuitableError(f"{name}: config.json names no labels (id2label)") from err


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError as err:
        raise ModelMissingError(f"{path} is missing") from err
    except ValueError as err:
        raise ModelCorruptError(f"{path} is not JSON: {err}") from err
    if not isinstance(document, dict):
        raise ModelCorruptError(f"{path} is not an object")
    return document


def _shown(name: str, folder: Path) -> str:
    """A folder is called by its last part: where it lies is nobody's business at `/v1/models`."""
    return folder.resolve().name if Path(name).expanduser().is_dir() else name


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
