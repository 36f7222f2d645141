"""Which models a worker runs: the bundled ones, or others by name where the settings say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from service.settings import Settings
from workers.models.attribution import AttributionModel
from workers.models.foreign_labels import entity_columns, stance_columns
from workers.models.manifest import Manifest, load_manifest, read_manifest
from workers.models.named import CLASSIFIER, TAGGER, find_model
from workers.models.profiles import (
    ATTRIBUTION,
    CASCADE,
    NER,
    STANCE,
    model_folder,
    stance_folders,
)
from workers.models.stance import Answer, StanceModel
from workers.models.stance_inputs import QuestionKind, StanceQuestion
from workers.models.stance_pair import StancePair
from workers.models.token_tagger import TokenTagger, WordTagger


class Tagger(WordTagger, Protocol):
    """An entity tagger that says what it is."""

    @property
    def manifest(self) -> Manifest: ...

    @property
    def digest(self) -> str:
        """Of all that its answers depend on."""
        ...

    @property
    def tokens_read(self) -> int: ...


class Scorer(Protocol):
    """A stance model, or a pair of them, that says what it is."""

    @property
    def manifests(self) -> tuple[Manifest, ...]: ...

    @property
    def digest(self) -> str:
        """Of all that its answers depend on."""
        ...

    @property
    def tokens_read(self) -> int: ...

    @property
    def thresholds(self) -> Mapping[QuestionKind, float]: ...

    def score(self, questions: Sequence[StanceQuestion]) -> list[Answer]: ...


def check_models(settings: Settings) -> None:
    """Raise ModelError unless every model is there and for its task. Opens none."""
    named = _named(settings)
    weights, profile = settings.weights_dir, settings.profile
    for task in (NER, ATTRIBUTION):
        if task not in named:
            load_manifest(model_folder(weights, profile, task), task)
    if STANCE not in named:
        for folder in stance_folders(weights, profile):
            load_manifest(folder, STANCE)
    if NER in named:
        entity_columns(find_model(named[NER], TAGGER).labels)
    if STANCE in named:
        stance_columns(find_model(named[STANCE], CLASSIFIER).labels)


def open_models(settings: Settings) -> tuple[Tagger, AttributionModel, Scorer]:
    """Open the models of the three tasks. Raises ModelError."""
    threads = settings.inference_threads
    weights, profile = settings.weights_dir, settings.profile
    named = _named(settings)
    tagger: Tagger
    scorer: Scorer
    if NER in named:
        tagger = _torch_tagger(named[NER], threads)
    else:
        tagger = open_tagger(weights, profile, threads)
    if STANCE in named:
        scorer = _torch_stance(named[STANCE], settings.stance_hypothesis, threads)
    else:
        scorer = open_stance(weights, profile, threads)
    reader = AttributionModel.load(model_folder(weights, profile, ATTRIBUTION), threads)
    return tagger, reader, scorer


def open_tagger(weights: Path, profile: str, threads: int = 1) -> TokenTagger:
    """The bundled entity tagger of a profile; that of the cascade reads along with attribution.

    Raises ModelError.
    """
    along_with = None
    if profile == CASCADE:
        along_with = read_manifest(model_folder(weights, profile, ATTRIBUTION))
    return TokenTagger.load(model_folder(weights, profile, NER), threads, along_with)


def open_stance(weights: Path, profile: str, threads: int = 1) -> Scorer:
    """The bundled stance model of a profile, or its two. Raises ModelError."""
    models = [StanceModel.load(folder, threads) for folder in stance_folders(weights, profile)]
    if len(models) == 1:
        return models[0]
    small, large = models
    return StancePair(small, large, cascade=profile == CASCADE)


def _named(settings: Settings) -> dict[str, str]:
    """Task → name of another model."""
    if settings.backend != "torch":
        return {}
    named = {NER: settings.ner_model, STANCE: settings.stance_model}
    return {task: name for task, name in named.items() if name}


def _torch_tagger(name: str, threads: int) -> Tagger:
    # Imported when chosen: the bundled models must not pay for torch.
    from workers.models.torch_tagger import TorchTagger

    return TorchTagger(find_model(name, TAGGER), threads)


def _torch_stance(name: str, template: str, threads: int) -> Scorer:
    from workers.models.torch_stance import TorchStance

    return TorchStance(find_model(name, CLASSIFIER), template, threads)
