"""Articles of 600 words a minute of one worker process on one core: `python -m benchmarks.speed`.

Runs the worker's own pipeline with its shipped weights in this process, pinned to one core, with
one inference thread; no broker, database or HTTP. Every article is analysed once a run. Prints
the result as JSON and writes it to `benchmarks/results/speed-PROFILE.json`.

The wall clock counts what others take of the core, too; `cpu` figures count only what this
process used. They agree on an idle machine (`cpu_share` says how well).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.articles import articles_of
from benchmarks.machine import ROOT, provenance, yardstick_gflops
from service.settings import DEFAULT_PROFILE
from workers.models.profiles import PROFILES

if TYPE_CHECKING:
    from workers.pipeline import Pipeline

WORDS = 600
RESULTS = ROOT / "benchmarks/results"


class StageClock:
    """Adds up the wall seconds of each stage of one article after the other."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._stage: str | None = None
        self._began = 0.0

    def enter(self, stage: str) -> None:
        """A stage begins, and the one before it ends."""
        self.leave()
        self._stage, self._began = stage, time.perf_counter()

    def leave(self) -> None:
        """The last stage ends."""
        if self._stage is not None:
            self.seconds[self._stage] += time.perf_counter() - self._began
        self._stage = None


def pin(core: int | None) -> int:
    """Keep this process, and every thread it starts from now on, on one core."""
    chosen = max(os.sched_getaffinity(0)) if core is None else core
    os.sched_setaffinity(0, {chosen})
    return chosen


def load(profile: str) -> tuple[Pipeline, float]:
    """The worker's pipeline with one inference thread, and the seconds that loading took."""
    # Imported here: what they start must already be pinned.
    from service.settings import load_settings
    from workers.pipeline import Pipeline

    began = time.perf_counter()
    pipeline = Pipeline.load(replace(load_settings(), inference_threads=1, profile=profile))
    return pipeline, time.perf_counter() - began


def one_run(pipeline: Pipeline, texts: list[str]) -> dict[str, Any]:
    """Wall, CPU and stage seconds of analysing every text once."""
    from service.domain.article import AnalysisOptions, Article

    clock = StageClock()
    began, cpu_began = time.perf_counter(), time.process_time()
    for number, text in enumerate(texts):
        article = Article(id=str(number), text=text, created_at=datetime.now(UTC))
        pipeline.run(article, AnalysisOptions(), lambda stage: clock.enter(str(stage)))
        clock.leave()
    return {
        "wall_seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - cpu_began,
        "stage_seconds": dict(clock.seconds),
    }


def measure(runs: int, core: int | None, profile: str) -> dict[str, Any]:
    """The whole result."""
    pinned = pin(core)
    began_with = provenance()
    pipeline, load_seconds = load(profile)
    texts = articles_of(WORDS)
    one_run(pipeline, texts[:1])  # the first inference allocates
    yardstick = yardstick_gflops()
    measured = [one_run(pipeline, texts) for _ in range(runs)]
    count = len(texts)
    wall = median(run["wall_seconds"] for run in measured)
    cpu = median(run["cpu_seconds"] for run in measured)
    stages = {
        stage: round(median(run["stage_seconds"][stage] for run in measured) / count, 4)
        for stage in measured[0]["stage_seconds"]
    }
    return {
        "benchmark": "speed",
        "command": f"python -m benchmarks.speed --runs {runs} --profile {profile}",
        "profile": profile,
        "what": f"articles of {WORDS} words, one process, one core, one inference thread",
        "articles_a_minute": round(60 * count / wall, 1),
        "articles_a_cpu_minute": round(60 * count / cpu, 1),
        "cpu_share": round(cpu / wall, 3),
        "seconds_an_article": round(wall / count, 4),
        "stage_seconds_an_article": stages,
        "runs": [round(run["wall_seconds"], 3) for run in measured],
        "articles_a_run": count,
        "load_seconds": round(load_seconds, 2),
        # Of this process, models and texts included (Linux: kibibytes).
        "peak_memory_megabytes": round(getrusage(RUSAGE_SELF).ru_maxrss * 1024 / 1e6),
        "yardstick_gflops": round(yardstick, 1),
        "pinned_to_core": pinned,
        "pipeline_version": pipeline.version,
        **began_with,
    }


def main() -> int:
    """Exit code 1 when fewer than `--at-least` articles a minute were reached."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs over all articles (default 5)")
    parser.add_argument("--core", type=int, help="which core (default: the last allowed one)")
    parser.add_argument("--at-least", type=float, default=0.0, help="articles a minute, wall clock")
    parser.add_argument("--profile", choices=PROFILES, default=DEFAULT_PROFILE)
    parser.add_argument("--out", type=Path, help="default: benchmarks/results/speed-PROFILE.json")
    chosen = parser.parse_args()
    out = chosen.out or RESULTS / f"speed-{chosen.profile}.json"
    result = measure(chosen.runs, chosen.core, chosen.profile)
    text = json.dumps(result, indent=2)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text + "\n", encoding="utf-8")
    print(text)
    if result["cpu_share"] < 0.9:
        print("other processes used the core, too: see articles_a_cpu_minute", file=sys.stderr)
    return 1 if result["articles_a_minute"] < chosen.at_least else 0


if __name__ == "__main__":
    sys.exit(main())
