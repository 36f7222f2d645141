"""A folder for each tiny model that a test asks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.torch.tiny_models import Saved, write_model


@pytest.fixture
def saved(tmp_path: Path) -> Saved:
    """Writes a random model and gives its folder; a second one of a name replaces the first."""

    def write(
        family: str,
        head: str,
        labels: Sequence[str],
        *,
        tokenizer: str | None = None,
        name: str = "model",
        seed: int = 0,
    ) -> Path:
        folder = tmp_path / name
        write_model(folder, family, head, labels, tokenizer, seed)
        return folder

    return write
