"""Which model folder serves which task in which profile.

`fast` has small models. `accurate` has larger taggers, and a larger stance model beside the fast
one, whose answers are pooled; `cascade` has the same models, but runs the taggers' encoder once for
both, and asks the larger stance model only where the fast one is not certain. Every model brings
its own thresholds and calibration in its manifest, a pair in the larger one's.
"""

from __future__ import annotations

from pathlib import Path

NER, ATTRIBUTION, STANCE = "ner", "attribution", "stance"
TASKS = (NER, ATTRIBUTION, STANCE)

FAST, ACCURATE, CASCADE = "fast", "accurate", "cascade"
PROFILES = (FAST, ACCURATE, CASCADE)

_FAST = {task: task for task in TASKS}
_ACCURATE = {task: f"{task}-accurate" for task in TASKS}
_FOLDERS = {FAST: _FAST, ACCURATE: _ACCURATE, CASCADE: _ACCURATE}


def model_folder(weights: Path, profile: str, task: str) -> Path:
    """The folder below `weights`; of two models for stance the larger one's. Raises KeyError for an
    unknown profile or task."""
    return weights / _FOLDERS[profile][task]


def stance_folders(weights: Path, profile: str) -> list[Path]:
    """The stance model, or the small and the large one. Raises KeyError likewise."""
    folders = (model_folder(weights, one, STANCE) for one in (FAST, profile))
    return list(dict.fromkeys(folders))
