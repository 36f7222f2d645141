"""Alerts and dashboard load, name only figures that are exported, and are documented."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from service.domain.job import JobState, Priority
from service.domain.ports import DeliveryFigures, QueueFigures, StoreFigures
from service.metrics import ApiMetrics
from tests.fakes import FakeDoorbell, FakeStore
from workers.metrics import WorkerMetrics

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs/monitoring"
ALERTS = [
    rule
    for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())
EXPRESSIONS = [rule["expr"] for rule in ALERTS] + [
    target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]
]
# What Prometheus itself adds.
_BUILT_IN = {"instance", "job", "le"}


class EveryFigure(FakeStore):
    def figures(self, *, workers_within: int) -> StoreFigures:
        line = QueueFigures(Priority.BULK, JobState.QUEUED, 1, 1.0, 1, 1.0, 0)
        return StoreFigures((line,), {"p1": 1}, {"internal_error": 1}, DeliveryFigures())


def exported() -> dict[str, set[str]]:
    """Every sample's name → its labels, from a real exposition of API and worker."""
    api, worker = ApiMetrics(), WorkerMetrics()
    api.answered("GET", "/livez", 200, 0.1)
    worker._failures.labels("internal_error")
    worker._windows.labels("ner")
    worker._tokens.labels("ner")
    worker._webhook_failures.labels("timeout")
    worker._wait_seconds.labels("bulk")
    text = api.exposition(EveryFigure(), FakeDoorbell(), workers_within=30) + generate_latest(
        worker.registry
    )
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


EXPORTED = exported()


def names(expression: str) -> set[str]:
    return set(re.findall(r"\bstancewire_\w+", expression))


def labels(expression: str) -> Iterator[str]:
    for inside in re.findall(r"\{([^}]*)\}", expression):
        yield from re.findall(r"(\w+)\s*[=!]", inside)
    for inside in re.findall(r"\b(?:by|without|ignoring|on)\s*\(([^)]*)\)", expression):
        yield from (name.strip() for name in inside.split(","))


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_expression_names_exported_figures_and_labels(expression: str) -> None:
    used = names(expression)
    assert used or expression.startswith("up{")
    assert used <= set(EXPORTED)
    known = set().union(_BUILT_IN, *(EXPORTED[name] for name in used))
    assert set(labels(expression)) <= known


def test_every_exported_figure_is_documented() -> None:
    families = {
        re.sub(r"_(bucket|count|sum)$", "", name)
        for name in EXPORTED
        if not name.endswith("_created")
    }
    documented = set(
        re.findall(r"^\| `(stancewire_\w+)` \|", (ROOT / "docs/operations.md").read_text(), re.M)
    )
    assert documented == families


def test_every_alert_is_whole_and_documented() -> None:
    documented = set(
        re.findall(r"^\| `(Stancewire\w+)` \|", (ROOT / "docs/operations.md").read_text(), re.M)
    )
    assert documented == {rule["alert"] for rule in ALERTS}
    for rule in ALERTS:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]


def test_every_alert_is_seen_to_fire() -> None:
    fired = {
        case["alertname"]
        for group in yaml.safe_load((FOLDER / "alerts.test.yaml").read_text())["tests"]
        for case in group["alert_rule_test"]
        if case["exp_alerts"]
    }
    assert fired == {rule["alert"] for rule in ALERTS}


def test_the_dashboard_is_one_that_grafana_imports() -> None:
    assert DASHBOARD["title"]
    assert DASHBOARD["schemaVersion"] >= 36
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    occupied: set[tuple[int, int]] = set()
    for panel in panels:
        assert panel["title"]
        assert panel["type"] in {"stat", "timeseries"}
        assert panel["datasource"]["uid"] == "${datasource}"
        place: dict[str, Any] = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & occupied
        occupied |= cells


def test_prometheus_takes_rules_and_expressions(tmp_path: Path) -> None:
    if shutil.which("promtool") is None:
        if os.environ.get("STANCEWIRE_REQUIRE_PROMTOOL"):
            pytest.fail("STANCEWIRE_REQUIRE_PROMTOOL is set and no promtool is installed")
        pytest.skip("promtool is not installed")
    checked = tmp_path / "expressions.yaml"
    rules = [
        {"record": f"checked:{number}", "expr": expression}
        for number, expression in enumerate(EXPRESSIONS)
    ]
    checked.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    for command in (
        ["check", "config", "prometheus.yaml"],
        ["check", "rules", str(checked)],
        ["test", "rules", "alerts.test.yaml"],
    ):
        done = subprocess.run(
            ["promtool", *command], cwd=FOLDER, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr
