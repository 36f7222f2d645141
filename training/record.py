"""Evaluate a model folder and write the figures into its manifest.

python -m training.record TASK NAME=FILE [NAME=FILE …] [--weights DIR]
"""

import argparse
import json
from pathlib import Path

from training.evaluate import TASKS, WEIGHTS, evaluator


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m training.record", description=__doc__)
    parser.add_argument("task", choices=sorted(TASKS))
    parser.add_argument("sets", nargs="+", metavar="NAME=FILE")
    parser.add_argument("--weights", type=Path)
    arguments = parser.parse_args()
    weights = arguments.weights or WEIGHTS / arguments.task
    path = weights / "manifest.json"
    for pair in arguments.sets:
        name, _, file = pair.partition("=")
        metrics = evaluator(arguments.task)(Path(file), weights)
        metrics.pop("model", None)
        document = json.loads(path.read_text(encoding="utf-8"))
        document["metrics"][name] = metrics
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        print(name, json.dumps(metrics))


if __name__ == "__main__":
    main()
