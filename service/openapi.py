"""Writes the published contract: `python -m service.openapi [FOLDER]` (default `api_spec`)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from flask import Flask

from service.app import register_api
from service.schemas.examples import FILES


def contract() -> dict[str, Any]:
    """The OpenAPI document; needs neither a store nor a broker."""
    return register_api(Flask("service", static_folder=None))


def contents() -> dict[str, str]:
    """Path below the folder → text of every file of the contract."""
    texts = {"openapi.json": _text(contract())}
    texts |= {f"examples/{name}.json": _text(example) for name, _, example in FILES}
    return texts


def _text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def main(folder: Path) -> None:
    """Write all files."""
    (folder / "examples").mkdir(parents=True, exist_ok=True)
    for name, text in contents().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "api_spec"))
