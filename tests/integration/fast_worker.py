"""A real worker over a pipeline that takes no time and does what an article's text says."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

from service.domain.analysis import Analysis, Coverage
from service.domain.article import AnalysisOptions, Article
from service.domain.job import STAGES, Stage
from service.settings import Settings
from workers import celery_app
from workers.__main__ import main
from workers.errors import PermanentError, RetryableError, WorkerStartError
from workers.pipeline import OnStage


class FastPipeline:
    """Commands, one a text: `sleep SECONDS`, `wait FILE` (until it is there), `deaf` (to the soft
    time limit), `stuck` (deaf to anything), `eat MEGABYTES`, `die`, `retry`, `permanent`."""

    version = "fast-1"
    models: tuple[dict[str, Any], ...] = ({"name": "fast", "task": "ner"},)
    # Of all texts, in words.
    tokens_read: dict[str, int]

    def __init__(self) -> None:
        self.tokens_read = {"ner": 0}

    @staticmethod
    def check(settings: Settings) -> None:
        if os.environ.get("FAST_WORKER") == "unfit":
            raise WorkerStartError("a model cannot be used: it is not there")

    @classmethod
    def load(cls, settings: Settings) -> FastPipeline:
        if os.environ.get("FAST_WORKER") == "breaks":
            raise WorkerStartError("no memory for the models")
        return cls()

    def run(self, article: Article, options: AnalysisOptions, on_stage: OnStage) -> Analysis:
        for stage in STAGES[:-1]:
            on_stage(stage)
            if stage is Stage.RECOGNISE:
                self.tokens_read["ner"] += len(article.text.split())
                obey(article.text)
        return Analysis(
            pipeline_version=self.version,
            text_sha256=article.text_sha256,
            language="en",
            blocks=(),
            sentences=(),
            mentions=(),
            entities=(),
            attributions=(),
            stances=(),
            coverage=Coverage(len(article.text), 0, {}, 0, 0, ()),
            warnings=(),
        )


def obey(command: str) -> None:
    match command.split():
        case ["sleep", seconds]:
            end = time.monotonic() + float(seconds)
            while time.monotonic() < end:
                time.sleep(0.05)
        case ["wait", file]:
            while not os.path.exists(file):
                time.sleep(0.05)
        case ["deaf"]:
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)
            time.sleep(60)
        case ["stuck"]:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGTERM})
            time.sleep(60)
        case ["eat", megabytes]:
            assert b"x" * (int(megabytes) * 1_000_000)
        case ["die"]:
            os.kill(os.getpid(), signal.SIGKILL)
        case ["retry"]:
            raise RetryableError("busy", "something was in the way")
        case ["permanent"]:
            raise PermanentError("unreadable", "nothing can be made of it")
        case _:
            pass


if __name__ == "__main__":
    celery_app.GRACE_SECONDS = float(os.environ.get("FAST_WORKER_GRACE", "20"))
    sys.exit(main(sys.argv[1:], FastPipeline))
