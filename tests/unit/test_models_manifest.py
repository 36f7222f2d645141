"""Model folders are checked before they are used."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from workers.models.manifest import (
    ModelCorruptError,
    ModelMissingError,
    ModelUnsuitableError,
    load_manifest,
)
from workers.models.sessions import Session, open_tokenizer


def model_folder(folder: Path, **changes: Any) -> Path:
    """A folder with one small file and a manifest that names it."""
    (folder / "model.onnx").write_bytes(b"not a graph")
    document: dict[str, Any] = {
        "name": "tiny",
        "task": "ner",
        "version": "1",
        "labels": ["O"],
        "max_length": 64,
        "window": 64,
        "stride": 32,
        "files": {"model.onnx": hashlib.sha256(b"not a graph").hexdigest()},
        "thresholds": {"least": 0.5},
    }
    document |= changes
    (folder / "manifest.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


def test_a_sound_folder_loads(tmp_path: Path) -> None:
    manifest = load_manifest(model_folder(tmp_path), "ner")
    assert (manifest.name, manifest.labels, manifest.stride) == ("tiny", ("O",), 32)
    assert manifest.thresholds == {"least": 0.5}
    assert manifest.path("model.onnx").read_bytes() == b"not a graph"
    with pytest.raises(ModelCorruptError, match="names no file"):
        manifest.path("other.onnx")


def test_the_digest_changes_with_any_setting(tmp_path: Path) -> None:
    before = load_manifest(model_folder(tmp_path)).digest
    assert load_manifest(model_folder(tmp_path)).digest == before
    assert load_manifest(model_folder(tmp_path, thresholds={"least": 0.6})).digest != before


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    model_folder(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"tampered")
    with pytest.raises(ModelCorruptError, match="sha256"):
        load_manifest(tmp_path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match=r"manifest\.json"):
        load_manifest(tmp_path)
    model_folder(tmp_path)
    (tmp_path / "model.onnx").unlink()
    with pytest.raises(ModelMissingError, match=r"model\.onnx"):
        load_manifest(tmp_path)


def test_another_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnsuitableError, match="stance"):
        load_manifest(model_folder(tmp_path), "stance")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"name": "x"}', b"\xff\xfe"])
def test_an_unreadable_manifest_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(ModelCorruptError, match="not a manifest"):
        load_manifest(tmp_path)


def test_files_that_are_no_models_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken"
    path.write_bytes(b"no model")
    with pytest.raises(ModelCorruptError, match="broken"):
        Session(path)
    with pytest.raises(ModelCorruptError, match="broken"):
        open_tokenizer(path)
