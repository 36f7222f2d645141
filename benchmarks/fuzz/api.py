"""schemathesis over the whole API: examples, coverage, fuzzing and sequences by links.

What `schemathesis run` does, on the WSGI application.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import schemathesis
from flask import Flask
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from tests.contract import hooks  # noqa: F401 - importing registers them

PHASES = ("examples", "coverage", "fuzzing", "stateful")


def run_api(
    app: Flask, *, examples: int, start: int, phases: Sequence[str] = PHASES
) -> dict[str, Any]:
    """Figures of a run over `app` with `examples` a phase and operation.

    Raises `AssertionError` with everything that schemathesis has to say.
    """
    config = SchemathesisConfig.discover()
    config.update(seed=start, max_failures=None)
    served = schemathesis.openapi.from_wsgi("/openapi.json", app, config=config)
    served.config.generation.max_examples = examples
    served.config.phases.update(phases=list(phases))
    cases: Counter[str] = Counter()
    said: list[str] = []
    began = time.monotonic()
    for event in from_schema(served).execute():
        if isinstance(event, events.NonFatalError):
            said.append(f"{event.label}: {event.value}")
        elif isinstance(event, events.FatalError):
            said.append(f"{event.exception!r}")
        elif isinstance(event, events.ScenarioFinished):
            cases[event.phase.value] += len(event.recorder.cases)
            if event.status not in {Status.SUCCESS, Status.SKIP}:
                said += _failures(event)
    assert not said, "\n\n".join(said)
    return {
        "examples": sum(cases.values()),
        "seconds": round(time.monotonic() - began, 1),
        "phases": dict(sorted(cases.items())),
    }


def _failures(event: events.ScenarioFinished) -> list[str]:
    return [
        f"{event.phase.value}: {check.name}: {check.failure_info.failure}\n"
        f"{check.failure_info.code_sample}"
        for checks in event.recorder.checks.values()
        for check in checks
        if check.failure_info is not None
    ]
