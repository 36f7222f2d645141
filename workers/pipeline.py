"""The stages in order, and what they add up to: one `Analysis` of one article."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from celery.exceptions import SoftTimeLimitExceeded

from service.domain.analysis import Analysis
from service.domain.article import AnalysisOptions, Article
from service.domain.job import Stage
from service.settings import Settings
from workers.coverage import covered, warnings_of
from workers.errors import AnalysisError, PermanentError, RetryableError, WorkerStartError
from workers.models.attribution import AttributionModel
from workers.models.chosen import Scorer, Tagger, check_models, open_models
from workers.models.manifest import ModelError
from workers.models.profiles import ATTRIBUTION, NER, STANCE
from workers.stages.attribute.stage import attribute
from workers.stages.canonicalise.stage import canonicalise
from workers.stages.clean.language import detect_language
from workers.stages.clean.stage import clean
from workers.stages.recognise.stage import recognise
from workers.stages.segment.stage import segment
from workers.stages.stance.stage import stance

# What decides a result besides the models: the code of the stages and these libraries.
_CODE = ("pipeline.py", "coverage.py", "models", "stages")
_LIBRARIES = ("onnxruntime", "tokenizers", "nupunkt", "py3langid")

OnStage = Callable[[Stage], None]


class Analyser(Protocol):
    """What a task needs of a pipeline; tests bring a small fake."""

    @property
    def version(self) -> str:
        """Names everything that decides a result, up to 64 characters."""
        ...

    @property
    def models(self) -> tuple[dict[str, Any], ...]:
        """The manifests of the models that it runs."""
        ...

    @property
    def tokens_read(self) -> Mapping[str, int]:
        """Task of each model → tokens that it has read since it was loaded."""
        ...

    def run(self, article: Article, options: AnalysisOptions, on_stage: OnStage) -> Analysis:
        """Analyse one article; `on_stage` is called as each stage begins and may raise.

        Raises `RetryableError` or `PermanentError`.
        """
        ...


class AnalyserClass(Protocol):
    """How a worker gets its pipeline: checked in the parent process, loaded after the fork."""

    def check(self, settings: Settings) -> None:
        """Raise `WorkerStartError` if loading cannot succeed. Opens no model."""
        ...

    def load(self, settings: Settings) -> Analyser: ...


class Pipeline:
    """The pipeline over the models that the settings choose."""

    def __init__(self, ner: Tagger, attribution: AttributionModel, scorer: Scorer) -> None:
        self._ner = ner
        self._attribution = attribution
        self._scorer = scorer
        manifests = (ner.manifest, attribution.manifest, *scorer.manifests)
        self.version = pipeline_version(
            {
                NER: ner.digest,
                ATTRIBUTION: attribution.manifest.digest,
                STANCE: scorer.digest,
            }
        )
        # `sha256` names the weights themselves; a model may have further files (`files`).
        self.models: tuple[dict[str, Any], ...] = tuple(
            {
                "sha256": found.files.get("model.onnx"),
                "calibrated": "calibration" in found.document,
                **found.document,
            }
            for found in manifests
        )

    @property
    def tokens_read(self) -> dict[str, int]:
        """Task of each model → wordpieces that it has read since it was loaded."""
        return {
            NER: self._ner.tokens_read,
            ATTRIBUTION: self._attribution.tokens_read,
            STANCE: self._scorer.tokens_read,
        }

    @staticmethod
    def check(settings: Settings) -> None:
        """Raise `WorkerStartError` unless every model is there, whole, and for its task."""
        try:
            check_models(settings)
        except ModelError as err:
            raise WorkerStartError(f"a model cannot be used: {err}") from err

    @classmethod
    def load(cls, settings: Settings) -> Pipeline:
        """Open the models. Raises `WorkerStartError`."""
        try:
            return cls(*open_models(settings))
        except ModelError as err:
            raise WorkerStartError(f"a model cannot be used: {err}") from err

    def run(self, article: Article, options: AnalysisOptions, on_stage: OnStage) -> Analysis:
        """Analyse one article. Raises `RetryableError` or `PermanentError`."""
        text = article.text

        on_stage(Stage.CLEAN)
        with _failing_as(Stage.CLEAN):
            language = detect_language(text)
            cleaned = clean(text, article.title)

        on_stage(Stage.SEGMENT)
        with _failing_as(Stage.SEGMENT):
            sentences = segment(cleaned)

        on_stage(Stage.RECOGNISE)
        with _failing_as(Stage.RECOGNISE):
            recognised = recognise(text, sentences, self._ner)

        on_stage(Stage.ATTRIBUTE)
        with _failing_as(Stage.ATTRIBUTE):
            attributed = attribute(text, sentences, self._attribution)

        on_stage(Stage.CANONICALISE)
        with _failing_as(Stage.CANONICALISE):
            canonical = canonicalise(text, sentences, recognised.mentions, attributed.attributions)

        on_stage(Stage.STANCE)
        with _failing_as(Stage.STANCE):
            stances = stance(text, sentences, canonical, options.targets, self._scorer)

        return Analysis(
            pipeline_version=self.version,
            text_sha256=article.text_sha256,
            language=language.code,
            blocks=cleaned.blocks,
            sentences=sentences,
            mentions=canonical.mentions,
            entities=canonical.entities,
            attributions=canonical.attributions,
            stances=stances.stances,
            coverage=covered(
                text,
                cleaned.blocks,
                sentences,
                windows={
                    NER: recognised.windows,
                    ATTRIBUTION: attributed.windows,
                    STANCE: stances.windows,
                },
                pairs=stances.pairs,
                pairs_skipped=stances.pairs_skipped,
            ),
            warnings=warnings_of(
                declared_language=article.language,
                language=language,
                sentences=sentences,
                pairs=stances.pairs,
                pairs_skipped=stances.pairs_skipped,
            ),
        )


@contextmanager
def _failing_as(stage: Stage) -> Iterator[None]:
    """Wrap what a stage raises in one of the two families, at the stage's border."""
    try:
        yield
    except (AnalysisError, SoftTimeLimitExceeded):
        raise
    except MemoryError as err:
        raise RetryableError("out_of_memory", f"no memory left in stage {stage}") from err
    # Stages are pure: an error that they do not name is a fault of ours that comes again. The
    # inference runtime's own errors have no common base but Exception.
    except Exception as err:
        detail = f"stage {stage} failed: {type(err).__name__}"
        raise PermanentError("internal_error", detail) from err


def pipeline_version(models: dict[str, str], root: Path = Path(__file__).parent) -> str:
    """Hex SHA-256 over the models' digests, the stages' code and the libraries' versions.

    A manifest's digest covers its files' sums and its thresholds. The code is hashed as it
    stands: a changed comment gives a new version, an unchanged version the same analysis.
    """
    code = hashlib.sha256()
    for name in _CODE:
        path = root / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            code.update(file.relative_to(root).as_posix().encode() + b"\0")
            code.update(file.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    named = {
        "models": models,
        "code": code.hexdigest(),
        "libraries": {library: version(library) for library in _LIBRARIES},
    }
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()
