"""Choose the attribution thresholds on development data.

python -m training.tune --data FILE [--weights DIR] [--write]

Prints a line for each setting; --write puts the best into the manifest: that with the highest mean
of attribution F1 and the three F1 of words.
"""

import argparse
import itertools
import json
from collections.abc import Collection, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from training.evaluate import WEIGHTS
from training.evaluate_attribution import scores
from workers.models.attribution import AttributionModel, TaggedWindow
from workers.models.words import Window, Word

GRID = {
    "cue_bias": (-1.2, -0.9, -0.6, -0.3, 0.0, 0.3),
    "switch_penalty": (0.1, 0.2),
    "minimum_score": (0.35, 0.4, 0.45),
}


class RememberingModel:
    """The model with every answer kept, so that only the decoding runs again."""

    def __init__(self, model: AttributionModel) -> None:
        self.thresholds = dict(model.thresholds)
        self._model = model
        self._tagged: dict[Window, TaggedWindow] = {}
        self._links: dict[tuple[int, tuple[int, ...]], NDArray[np.float32]] = {}

    def windows(self, words: Sequence[Word], breaks: Collection[int]) -> list[Window]:
        """As the model does it."""
        return self._model.windows(words, breaks)

    def tag(self, windows: Sequence[Window]) -> list[TaggedWindow]:
        """As the model does it, once."""
        for window in windows:
            if window not in self._tagged:
                [self._tagged[window]] = self._model.tag([window])
        return [self._tagged[window] for window in windows]

    def link(self, features: NDArray[np.float32], distances: Sequence[int]) -> NDArray[np.float32]:
        """As the model does it, once. Features are slices of kept arrays: an address names them."""
        key = (features.ctypes.data, tuple(distances))
        if key not in self._links:
            self._links[key] = self._model.link(features, distances)
        return self._links[key]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m training.tune", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=WEIGHTS / "attribution")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    model = RememberingModel(AttributionModel.load(arguments.weights))
    records = [json.loads(line) for line in arguments.data.read_text("utf-8").splitlines()]
    best, chosen = -1.0, dict(model.thresholds)
    for values in itertools.product(*GRID.values()):
        setting = dict(zip(GRID, values, strict=True))
        model.thresholds.update(setting)
        figures = scores(records, model)
        tokens = {role: item["f1"] for role, item in figures["tokens"].items()}
        mean = fmean((figures["attribution"]["f1"], *tokens.values()))
        print(json.dumps({**setting, "attribution": figures["attribution"], "tokens": tokens}))
        if mean > best:
            best, chosen = mean, dict(model.thresholds)
    print(json.dumps({"best": round(best, 4), **chosen}))
    if arguments.write:
        path = arguments.weights / "manifest.json"
        document = json.loads(path.read_text("utf-8"))
        document["thresholds"] = chosen
        document["metrics"] = {}  # measured with other thresholds
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
