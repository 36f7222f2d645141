"""A graph is in memory once, however many models are its heads, and what both of them read is
computed once; a changed file is another graph."""

from __future__ import annotations

import gc
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from workers.models.manifest import ModelCorruptError
from workers.models.sessions import _SHARED, Graph, Session, sequence_inputs

WEIGHTS = Path(__file__).parents[2] / "workers" / "weights"
TAGGERS = WEIGHTS / "attribution-accurate" / "model.onnx"
READERS = [WEIGHTS / name / "reader.onnx" for name in ("attribution", "attribution-accurate")]


def test_two_models_of_one_file_share_its_graph_but_not_their_counts(tmp_path: Path) -> None:
    path = tmp_path / "reader.onnx"
    shutil.copy(READERS[0], path)
    one, other = Session(path), Session(tmp_path / "." / "reader.onnx")
    assert one.graph is other.graph
    assert Session(path, threads=2).graph is not one.graph
    one.tokens_read += 5
    assert other.tokens_read == 0


def test_a_replaced_file_is_read_anew_while_the_old_graph_is_open(tmp_path: Path) -> None:
    path = tmp_path / "reader.onnx"
    shutil.copy(READERS[0], path)
    old = Session(path)
    path.unlink()
    shutil.copy(READERS[1], path)
    assert Session(path).graph is not old.graph
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


class CountingRuntime:
    """The runtime's session, with every run counted."""

    def __init__(self, runtime: Any) -> None:
        self.runs = 0
        self._runtime = runtime

    def run(self, *arguments: Any) -> list[NDArray[np.float32]]:
        self.runs += 1
        values: list[NDArray[np.float32]] = self._runtime.run(*arguments)
        return values


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> CountingRuntime:
    """That of the accurate taggers, whose graph stays open; the session that opened it has gone."""
    graph = Session(TAGGERS).graph
    counting = CountingRuntime(graph._session)
    monkeypatch.setattr(graph, "_session", counting)
    return counting


def inputs_of(*ids: int) -> dict[str, NDArray[np.generic]]:
    return sequence_inputs(ids, (0,) * len(ids))


def test_nothing_is_computed_for_another_head_unless_asked_for(runtime: CountingRuntime) -> None:
    names, speech = Session(TAGGERS), Session(TAGGERS)
    for session, output in ((names, "entities"), (names, "entities"), (speech, "tags")):
        session.run(inputs_of(0, 2000, 2), [output])
    assert runtime.runs == 3
    assert not names.graph._kept


def test_what_two_heads_read_is_computed_once_and_to_the_bit(runtime: CountingRuntime) -> None:
    names, speech = Session(TAGGERS), Session(TAGGERS)
    read = [inputs_of(0, word, 2005, 2) for word in (2001, 2002, 2003)]
    alone = [names.run(one, ["entities"]) for one in read]
    before = runtime.runs
    for one, [expected] in zip(read, alone, strict=True):
        np.testing.assert_array_equal(names.run(one, ["entities"], for_both=True)[0], expected)
    found = [speech.run(one, ["features", "tags"]) for one in read]
    assert runtime.runs - before == len(read)
    assert not names.graph._kept
    assert speech.tokens_read == 12
    for one, (features, tags) in zip(read, found, strict=True):
        again, labels = speech.run(one, ["features", "tags"])
        np.testing.assert_array_equal(features, again)
        np.testing.assert_array_equal(tags, labels)
    assert runtime.runs - before == 2 * len(read)


def test_what_nobody_asks_for_is_not_kept_for_ever(
    runtime: CountingRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Graph, "KEPT_INPUTS", 2)
    names, speech = Session(TAGGERS), Session(TAGGERS)
    read = [inputs_of(0, word, 2) for word in (2001, 2002, 2003)]
    for one in read:
        names.run(one, ["entities"], for_both=True)
    assert len(names.graph._kept) == 2
    for one in read[1:]:
        speech.run(one, ["tags"])
    assert runtime.runs == 3
    speech.run(read[0], ["tags"])
    assert runtime.runs == 4
