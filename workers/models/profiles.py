"""Which model folder serves which task in which profile.

`fast` is for two cores; `accurate` has a larger model where one is shipped, and the fast one
elsewhere; `cascade` asks the larger stance model only where the fast one is not certain. Every
model brings its own thresholds and calibration in its manifest.
"""

from __future__ import annotations

from pathlib import Path

NER, ATTRIBUTION, STANCE = "ner", "attribution", "stance"
TASKS = (NER, ATTRIBUTION, STANCE)

_ACCURATE = {NER: NER, ATTRIBUTION: ATTRIBUTION, STANCE: "stance-accurate"}
_FOLDERS = {
    "fast": {task: task for task in TASKS},
    "accurate": _ACCURATE,
    "cascade": _ACCURATE,
}
# Profile → folder of the stance model that is asked first.
_ASKED_FIRST = {"cascade": STANCE}
PROFILES = tuple(_FOLDERS)


def model_folder(weights: Path, profile: str, task: str) -> Path:
    """The folder below `weights`. Raises KeyError for an unknown profile or task."""
    return weights / _FOLDERS[profile][task]


def stance_folders(weights: Path, profile: str) -> list[Path]:
    """The stance models in the order in which they are asked. Raises KeyError likewise."""
    last = model_folder(weights, profile, STANCE)
    first = _ASKED_FIRST.get(profile)
    return [last] if first is None else [weights / first, last]
