"""Known vulnerabilities of the pinned packages, by pip-audit. `make audit` runs it.

Exit code 0: asked, none known. 1: at least one. 3: the advisory service could not be asked;
pip-audit itself calls that "no known vulnerabilities", so a release that is known to be vulnerable
is asked for first.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LOCKS = ("service.lock", "worker.lock", "local.lock")
# Has had advisories for years (CVE-2019-10906 among them), so an answer without one is none.
KNOWN = "jinja2==2.4.1"


def ask(requirements: Path) -> dict[str, Any]:
    """pip-audit's JSON document; without dependencies when it gave none."""
    command = [sys.executable, "-m", "pip_audit", "--no-deps", "--disable-pip", "--format", "json"]
    done = subprocess.run(  # noqa: S603 (fixed arguments)
        [*command, "--progress-spinner", "off", "--requirement", str(requirements)],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        document = json.loads(done.stdout)
    except ValueError:
        document = {"dependencies": []}
    assert isinstance(document, dict)
    return document


def findings(document: dict[str, Any]) -> list[str]:
    """One line a vulnerability."""
    return [
        f"{package['name']} {package['version']}: {fault['id']}"
        for package in document["dependencies"]
        for fault in package.get("vulns", ())
    ]


def unasked(document: dict[str, Any]) -> list[str]:
    """Packages that the service did not answer for."""
    return [package["name"] for package in document["dependencies"] if "skip_reason" in package]


def main(folder: Path) -> int:
    probe = folder / "known.txt"
    probe.write_text(KNOWN + "\n")
    if not findings(ask(probe)):
        print(f"COULD NOT ASK: no advisory is known for {KNOWN}, so no service answers.")
        return 3
    code = 0
    for lock in LOCKS:
        document = ask(HERE / lock)
        found, silent = findings(document), unasked(document)
        if found:
            code = 1
            print(f"{lock}: VULNERABLE", *found, sep="\n  ")
        elif silent or not document["dependencies"]:
            code = code or 3
            print(f"{lock}: COULD NOT ASK for {', '.join(silent) or 'any package'}")
        else:
            print(f"{lock}: {len(document['dependencies'])} packages, nothing known")
    return code


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        sys.exit(main(Path(name)))
