"""What a worker loads that serves the maintenance queue only: no models."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NoReturn

from service.domain.article import AnalysisOptions, Article
from service.settings import Settings
from workers.pipeline import OnStage


class NoPipeline:
    """An `Analyser` that is never asked: articles come by other queues."""

    version = "none"
    models: tuple[dict[str, Any], ...] = ()
    tokens_read: Mapping[str, int] = MappingProxyType({})

    @staticmethod
    def check(settings: Settings) -> None:
        """Nothing can be missing."""

    @classmethod
    def load(cls, settings: Settings) -> NoPipeline:
        """Takes no time and no memory."""
        return cls()

    def run(self, article: Article, options: AnalysisOptions, on_stage: OnStage) -> NoReturn:
        """Raises: a job came by the maintenance queue."""
        raise AssertionError("this worker analyses nothing")
