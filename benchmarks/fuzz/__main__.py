"""Random input for everything that reads strangers' input: `python -m benchmarks.fuzz`.

Six hunts, each over random examples and what must hold for all of them:

    stages    texts through clean, segment and coverage
    articles  articles through the whole pipeline; the models' tokenisers with random numbers
    models    articles through the whole pipeline with the bundled models
    pages     HTML pages through the page reader
    bodies    JSON and NDJSON bodies through the API over SQLite
    api       schemathesis over the OpenAPI document: coverage, fuzzing, sequences by links

Prints the counts, the seed, commit and machine as JSON and writes them to
`benchmarks/results/fuzz.json`. Where something does not hold it says so with the smallest example
that shows it, writes nothing and ends with exit code 1. The same seed draws the same examples.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.fuzz.api import run_api
from benchmarks.fuzz.bodies import SENT, check_sent, open_app
from benchmarks.fuzz.hunt import hunt
from benchmarks.fuzz.models import random_pipeline
from benchmarks.fuzz.pages import PAGES, check_page
from benchmarks.fuzz.promises import check_stages, check_submission
from benchmarks.fuzz.texts import submissions, texts
from benchmarks.machine import ROOT, provenance
from service.settings import load_settings
from tests.contract.sql_app import open_sql
from workers.pipeline import Pipeline

Hunt = Callable[[int, int], dict[str, Any]]

# How many examples, unless told otherwise. A page, a body or an article costs ten times what the
# first stages do, the models' own numbers a hundred times; `api` counts per operation and phase.
EXAMPLES = {
    "stages": 18_000, "articles": 1_500, "models": 40, "pages": 1_000, "bodies": 1_000, "api": 5,
}  # fmt: skip


def _hunts(folder: Path) -> dict[str, Hunt]:
    settings = load_settings()
    weights = settings.weights_dir

    def of_articles(open_pipeline: Callable[[], Pipeline]) -> Hunt:
        return lambda examples, start: hunt(
            submissions(),
            partial(check_submission, open_pipeline()),
            examples=examples,
            start=start,
        )

    return {
        "stages": lambda examples, start: hunt(
            texts(), check_stages, examples=examples, start=start
        ),
        "articles": of_articles(lambda: random_pipeline(weights)),
        "models": of_articles(lambda: Pipeline.load(settings)),
        "pages": lambda examples, start: hunt(PAGES, check_page, examples=examples, start=start),
        "bodies": lambda examples, start: hunt(
            SENT, partial(check_sent, open_app(folder)), examples=examples, start=start
        ),
        "api": lambda examples, start: run_api(
            open_sql(folder / "api").app, examples=examples, start=start
        ),
    }


def main() -> int:
    """Exit code 0 when everything held; what did not is raised."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", choices=list(EXAMPLES), help="one hunt; writes no file")
    parser.add_argument("--examples", type=int, help="with --only (default: see the source)")
    parser.add_argument("--seed", type=int, help="default: another one each time")
    parser.add_argument("--out", type=Path, help="default: benchmarks/results/fuzz.json")
    chosen = parser.parse_args()
    if chosen.examples is not None and chosen.only is None:
        parser.error("--examples needs --only")
    seed = random.SystemRandom().randrange(2**32) if chosen.seed is None else chosen.seed
    began_with = provenance()
    print(f"seed {seed}", file=sys.stderr)
    began = time.monotonic()
    hunts: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        (Path(folder) / "api").mkdir()
        for name, run in _hunts(Path(folder)).items():
            if chosen.only in {None, name}:
                hunts[name] = run(chosen.examples or EXAMPLES[name], seed)
                print(f"{name}: {hunts[name]}", file=sys.stderr, flush=True)
    result = {
        "benchmark": "fuzz",
        "command": f"python -m benchmarks.fuzz --seed {seed}"
        + (f" --only {chosen.only}" if chosen.only else "")
        + (f" --examples {chosen.examples}" if chosen.examples else ""),
        "seed": seed,
        "examples": sum(found["examples"] for found in hunts.values()),
        "seconds": round(time.monotonic() - began, 1),
        "hunts": hunts,
        **began_with,
    }
    text = json.dumps(result, indent=2)
    out = chosen.out or (None if chosen.only else ROOT / "benchmarks/results/fuzz.json")
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
