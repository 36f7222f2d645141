"""The project's own promises about itself: documented dependencies, licences and settings."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from service.settings import SETTING_NAMES

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
COPYLEFT = re.compile(r"\bA?GPL|GNU (Affero )?General Public", re.IGNORECASE)
ALTERNATIVE = re.compile(r"MPL|MIT|BSD|Apache", re.IGNORECASE)


def direct_dependencies() -> set[str]:
    names = set()
    for requirements in PROJECT["optional-dependencies"].values():
        for requirement in requirements:
            name = re.split(r"[<>=\[ ]", requirement)[0]
            if name != "stancewire":
                names.add(name)
    return names


def pinned(lock: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements" / lock).read_text(), re.M))


def licence(name: str) -> str:
    about = metadata.metadata(name)
    classifiers = [c for c in about.get_all("Classifier") or [] if c.startswith("License ::")]
    return str(about.get("License-Expression") or "; ".join(classifiers) or about.get("License"))


def test_every_direct_dependency_has_its_reason() -> None:
    rows = re.findall(
        r"^\| ([a-z0-9-]+)(?:\[[a-z]+\])? \|.*\| .{10,} \|$",
        (ROOT / "docs/dependencies.md").read_text(),
        re.M,
    )
    assert set(rows) - {"package"} == direct_dependencies()


def test_no_pinned_package_is_under_gpl_or_agpl_alone() -> None:
    installed = {re.sub(r"[-_.]+", "-", d.name).lower() for d in metadata.distributions()}
    checked = pinned("dev.lock") & installed
    assert len(checked) > 50
    offenders = {
        name: licence(name)
        for name in checked
        if COPYLEFT.search(licence(name)) and not ALTERNATIVE.search(licence(name))
    }
    assert offenders == {}


@pytest.mark.parametrize(
    ("lock", "absent"),
    [
        ("service.lock", {"torch", "onnxruntime", "tokenizers", "transformers", "numpy"}),
        ("worker.lock", {"torch", "transformers", "flask", "gunicorn"}),
        ("local.lock", {"torch", "transformers"}),
    ],
)
def test_a_part_carries_only_its_own_packages(lock: str, absent: set[str]) -> None:
    assert pinned(lock) & absent == set()
    assert pinned(lock) <= pinned("dev.lock")


def test_every_setting_is_documented() -> None:
    documented = set(
        re.findall(r"^\| `(STANCEWIRE_\w+)` \|", (ROOT / "docs/operations.md").read_text(), re.M)
    )
    assert documented == set(SETTING_NAMES)
