"""Which model folder serves which task in which profile.

`fast` is for two cores; `accurate` has a larger model where one is shipped, and the fast one
elsewhere. Every model brings its own thresholds and calibration in its manifest.
"""

from __future__ import annotations

from pathlib import Path

NER, ATTRIBUTION, STANCE = "ner", "attribution", "stance"
TASKS = (NER, ATTRIBUTION, STANCE)

_FOLDERS = {
    "fast": {task: task for task in TASKS},
    "accurate": {NER: NER, ATTRIBUTION: ATTRIBUTION, STANCE: "stance-accurate"},
}


def model_folder(weights: Path, profile: str, task: str) -> Path:
    """The folder below `weights`. Raises KeyError for an unknown profile or task."""
    return weights / _FOLDERS[profile][task]
