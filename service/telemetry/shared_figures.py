"""Figures that the processes of one service keep together: prometheus-client's files in a folder.

A process writes its counters to a file of its own; whoever is asked adds up all files. Only
counters and histograms are kept so: they stay true when a process is gone.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from prometheus_client import CollectorRegistry, values
from prometheus_client.multiprocess import MultiProcessCollector

# prometheus-client looks for this name when a figure is made.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def share(name_of_process: Callable[[], int] = os.getpid) -> Path:
    """Keep the figures that this process and its children make from now on in a new folder.

    `name_of_process` tells the processes that live at the same time apart; one that comes after
    another under the same name goes on with its file. A folder that was used before would count
    the dead: whatever the environment names is not taken over.
    """
    folder = Path(tempfile.mkdtemp(prefix="stancewire-figures-"))
    os.environ[FOLDER] = str(folder)
    # As prometheus-client's manual does for uWSGI; by itself it decides when it is imported.
    values.ValueClass = values.MultiProcessValue(name_of_process)  # type: ignore[no-untyped-call]
    return folder


def shared_registry() -> CollectorRegistry | None:
    """The figures of all processes together; `None` when this process is alone."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        return None
    registry = CollectorRegistry()
    MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    return registry
