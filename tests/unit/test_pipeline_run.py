"""The pipeline over fake models: order, spans, failures at the stages' borders, its version."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from celery.exceptions import SoftTimeLimitExceeded
from numpy.typing import NDArray

import workers
from service.domain.analysis import Analysis, Probabilities
from service.domain.article import AnalysisOptions, Article
from service.domain.documents import to_document
from service.domain.job import STAGES, Stage
from service.settings import load_settings
from workers.errors import PermanentError, RetryableError, WorkerStartError
from workers.models.attribution import TAG_LABELS, TaggedWindow
from workers.models.bio import bio_labels
from workers.models.stance import Answer
from workers.models.words import EncodedWords, Window, Word, make_windows
from workers.pipeline import Pipeline, pipeline_version

LABELS = bio_labels(("PER", "ORG", "LOC", "MISC"))
TEXT = "Follow us on Twitter\n\nMekdad praised Syria on Monday. The talks went on."


class Manifest:
    def __init__(self, task: str) -> None:
        self.task = task
        self.digest = f"digest of {task}"
        self.document = {"task": task}
        self.files = {"model.onnx": f"sum of {task}"}


class FakeModel:
    """A tagger and a reader in one: names Mekdad and Syria, finds no attribution."""

    labels = LABELS

    def __init__(self, task: str, error: BaseException | None = None) -> None:
        self.manifest = Manifest(task)
        self.manifests = (self.manifest,)
        self.digest = self.manifest.digest
        self.error = error
        self.words: list[str] = []
        self.tokens_read = len(task)
        self.whole_paragraphs = False
        self.thresholds = {
            "cue_bias": 0.0, "rescue_bias": 0.0, "switch_penalty": 1.0, "minimum_score": 0.0,
            "radius": 96.0,
            "relation": 0.5, "author": 0.5, "topic": 0.5,
        }  # fmt: skip

    def windows(self, words: Sequence[Word], breaks: Any) -> list[Window]:
        self.words = [word.text for word in words]
        encoded = EncodedWords(tuple(words), ((7,),) * len(words), (0,) * len(words))
        return make_windows(encoded, breaks=breaks, cls_id=1, sep_id=2, max_length=64, stride=40)

    def tag(self, windows: Sequence[Window]) -> list[Any]:
        if self.error is not None:
            raise self.error
        if self.manifest.task == "ner":
            return [self._names(window) for window in windows]
        return [
            TaggedWindow(
                np.eye(1, len(TAG_LABELS), dtype=np.float32).repeat(len(window.positions), 0) * 9,
                np.zeros((len(window.positions), 4), dtype=np.float32),
            )
            for window in windows
        ]

    def _names(self, window: Window) -> NDArray[np.float32]:
        tags = {"Mekdad": "B-PER", "Syria": "B-LOC"}
        rows = np.zeros((window.last_word - window.first_word, len(LABELS)), dtype=np.float32)
        for row, word in zip(rows, self.words[window.first_word : window.last_word], strict=True):
            row[LABELS.index(tags.get(word, "O"))] = 9.0
        return rows

    def score(self, questions: Sequence[object]) -> list[Answer]:
        if self.error is not None:
            raise self.error
        return [Answer(Probabilities(0.8, 0.1, 0.1), False) for _ in questions]


def pipeline(**errors: BaseException) -> Pipeline:
    models: list[Any] = [FakeModel(task, errors.get(task)) for task in ("ner", "attribution")]
    scorer: Any = FakeModel("stance", errors.get("stance"))
    return Pipeline(models[0], models[1], scorer)


def run(
    made: Pipeline, text: str = TEXT, stages: list[Stage] | None = None, **article: Any
) -> Analysis:
    given = Article(id="a", text=text, created_at=datetime(2026, 1, 1, tzinfo=UTC), **article)
    return made.run(given, AnalysisOptions(("peace",)), (stages or []).append)


def test_the_stages_run_in_their_order() -> None:
    stages: list[Stage] = [Stage.CLEAN]
    run(pipeline(), stages=stages)
    assert tuple(stages[1:]) == STAGES[:-1]


def test_an_analysis_is_whole_and_its_spans_are_exact() -> None:
    made = pipeline()
    found = run(made)
    assert [entity.name for entity in found.entities] == ["Mekdad", "Syria"]
    assert found.pipeline_version == made.version
    assert found.language == "en"
    assert found.coverage.windows["ner"] == 1
    assert [TEXT[span.start : span.end] for span in found.coverage.skipped] == [
        "Follow us on Twitter"
    ]
    assert found.stances
    document = to_document(found)

    def check(value: Any) -> None:
        if isinstance(value, dict):
            if {"start", "end", "text"} <= value.keys():
                assert TEXT[value["start"] : value["end"]] == value["text"]
            for item in value.values():
                check(item)
        elif isinstance(value, list):
            for item in value:
                check(item)

    check(document)


def test_the_pipeline_says_what_each_model_has_read() -> None:
    assert pipeline().tokens_read == {"ner": 3, "attribution": 11, "stance": 6}


def test_the_same_article_gives_the_same_analysis() -> None:
    assert run(pipeline()) == run(pipeline())


def test_a_text_without_sentences_is_analysed_with_a_warning() -> None:
    found = run(pipeline(), "—\n\n")
    assert [warning.code for warning in found.warnings] == ["no_body"]
    assert found.mentions == ()


def test_an_unexpected_error_is_permanent_and_names_its_stage() -> None:
    with pytest.raises(PermanentError, match="attribute failed: IndexError") as caught:
        run(pipeline(attribution=IndexError("nine")))
    assert caught.value.code == "internal_error"


def test_a_lack_of_memory_may_pass() -> None:
    with pytest.raises(RetryableError, match="out_of_memory"):
        run(pipeline(stance=MemoryError()))


@pytest.mark.parametrize("error", [SoftTimeLimitExceeded(), RetryableError("busy", "…")])
def test_what_has_a_name_passes_unchanged(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        run(pipeline(ner=error))
    assert caught.value is error


def test_the_version_names_models_and_code(tmp_path: Path) -> None:
    root = Path(workers.__file__).parent
    copy = tmp_path / "workers"
    skipped = shutil.ignore_patterns("weights", "__pycache__")
    shutil.copytree(root, copy, ignore=skipped)
    models = {"ner": "1", "stance": "2"}
    version = pipeline_version(models, root)
    assert len(version) == 64
    assert pipeline_version(models, copy) == version
    assert pipeline_version({"ner": "1", "stance": "3"}, copy) != version
    stage = copy / "stages" / "clean" / "stage.py"
    stage.write_text(stage.read_text().replace("30", "31"))
    assert pipeline_version(models, copy) != version


def test_a_worker_without_models_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STANCEWIRE_WEIGHTS_DIR", str(tmp_path))
    for start in (Pipeline.check, Pipeline.load):
        with pytest.raises(WorkerStartError, match=r"manifest\.json is missing"):
            start(load_settings())
