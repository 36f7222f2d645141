"""Measure a shipped model with the shipped runtime (no torch).

python -m training.evaluate TASK --data FILE [--profile P | --weights DIR] [--json]

What a profile answers, for stance with one model or two; `--weights` measures one model alone.
One JSON object on stdout: task, data, metrics, rows, seconds.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from service.settings import DEFAULT_PROFILE
from workers.models.chosen import open_stance, open_tagger
from workers.models.profiles import NER, PROFILES, STANCE, model_folder

WEIGHTS = Path(__file__).parent.parent / "workers" / "weights"

# Each module has evaluate(data, weights, **options) → {"rows": …, metrics}. Imported
# when asked for: one task's needs are no other's.
TASKS = {
    "ner": "training.evaluate_ner",
    "stance": "training.evaluate_stance",
    "attribution": "training.evaluate_attribution",
}


def evaluator(task: str) -> Callable[..., dict[str, Any]]:
    """The task's `evaluate` function."""
    function: Callable[..., dict[str, Any]] = import_module(TASKS[task]).evaluate
    return function


def evaluate_profile(task: str, data: Path, profile: str, **options: Any) -> dict[str, Any]:
    """Figures of what the profile answers with."""
    if task == STANCE:
        from training.evaluate_stance import answered_by

        return answered_by(open_stance(WEIGHTS, profile), data, **options)
    if task == NER:
        from training.evaluate_ner import found_by

        return found_by(open_tagger(WEIGHTS, profile), data, **options)
    return evaluator(task)(data, model_folder(WEIGHTS, profile, task), **options)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    parser.add_argument("task", choices=sorted(TASKS))
    parser.add_argument("--data", type=Path, required=True, help="file in the task's layout")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--profile", choices=PROFILES, default=DEFAULT_PROFILE)
    which.add_argument("--weights", type=Path, help="one model's folder")
    parser.add_argument("--json", action="store_true", help="one line (default: indented)")
    parser.add_argument(
        "--paired", action="store_true", help="stance: rows are p→q, q→p pairs; 5-class F1 too"
    )
    arguments = parser.parse_args()
    if arguments.paired and arguments.task != "stance":
        parser.error("--paired is for stance")
    if not arguments.data.is_file():
        parser.error(f"no such file: {arguments.data}")
    options = {"paired": True} if arguments.paired else {}
    start = time.perf_counter()
    if arguments.weights is not None:
        metrics = evaluator(arguments.task)(arguments.data, arguments.weights, **options)
    else:
        metrics = evaluate_profile(arguments.task, arguments.data, arguments.profile, **options)
    result = {
        "task": arguments.task,
        "data": str(arguments.data),
        **metrics,
        "seconds": round(time.perf_counter() - start, 2),
    }
    json.dump(result, sys.stdout, indent=None if arguments.json else 2, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
