"""A graph is in memory once, however many models are its heads; a changed file is another graph."""

from __future__ import annotations

import gc
import shutil
from pathlib import Path

import pytest

from workers.models.manifest import ModelCorruptError
from workers.models.sessions import _SHARED, Session

WEIGHTS = Path(__file__).parents[2] / "workers" / "weights"
READERS = [WEIGHTS / name / "reader.onnx" for name in ("attribution", "attribution-accurate")]


def test_two_models_of_one_file_share_its_graph_but_not_their_counts(tmp_path: Path) -> None:
    path = tmp_path / "reader.onnx"
    shutil.copy(READERS[0], path)
    one, other = Session(path), Session(tmp_path / "." / "reader.onnx")
    assert one._session is other._session
    assert Session(path, threads=2)._session is not one._session
    one.tokens_read += 5
    assert other.tokens_read == 0


def test_a_replaced_file_is_read_anew_while_the_old_graph_is_open(tmp_path: Path) -> None:
    path = tmp_path / "reader.onnx"
    shutil.copy(READERS[0], path)
    old = Session(path)
    path.unlink()
    shutil.copy(READERS[1], path)
    assert Session(path)._session is not old._session
    path.write_bytes(b"broken")
    with pytest.raises(ModelCorruptError, match=r"reader\.onnx"):
        Session(path)


def test_a_graph_goes_when_its_last_model_goes(tmp_path: Path) -> None:
    path = tmp_path / "reader.onnx"
    shutil.copy(READERS[0], path)
    session = Session(path)
    assert any(str(path) in key for key in _SHARED)
    del session
    gc.collect()
    assert not any(str(path) in key for key in _SHARED)
