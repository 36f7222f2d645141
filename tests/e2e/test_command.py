"""`stancewire` with the embedded stack, as a stranger runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import psutil
import pytest
from e2e_texts import ROOT, SEED_FILES

STANCEWIRE = [sys.executable, "-m", "client.cli"]
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "STANCEWIRE_URL"}


def left_over(marker: str) -> list[str]:
    """Command lines of processes that still run with `marker` in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("STANCEWIRE_TEST_MARKER") == marker:
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


def wait_for_none(marker: str, seconds: float) -> list[str]:
    deadline = time.monotonic() + seconds
    while (found := left_over(marker)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


@pytest.fixture
def marked(tmp_path: Path) -> tuple[str, dict[str, str]]:
    """A marker that every process of a run inherits, and the run's environment."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    marker = str(tmp_path)
    return marker, {**ENVIRONMENT, "STANCEWIRE_TEST_MARKER": marker, "TMPDIR": str(temporary)}


def test_five_articles_give_five_lines_that_keep_the_contract(
    openapi: dict[str, Any], marked: tuple[str, dict[str, str]]
) -> None:
    marker, environment = marked

    done = subprocess.run(
        [*STANCEWIRE, "analyze", "--json", *map(str, SEED_FILES)],
        capture_output=True,
        cwd=ROOT,
        env=environment,
        timeout=300,
    )

    assert done.returncode == 0, done.stderr.decode()
    schema = {"$ref": "#/components/schemas/Analysis", "components": openapi["components"]}
    lines = done.stdout.decode("utf-8").splitlines()
    assert len(lines) == 5
    outlets = []
    for line, path in zip(lines, SEED_FILES, strict=True):
        analysis = json.loads(line)
        jsonschema.validate(analysis, schema)
        text = path.read_bytes().decode("utf-8")
        assert [text[s["start"] : s["end"]] for s in analysis["sentences"]] == [
            s["text"] for s in analysis["sentences"]
        ]
        outlets.append(analysis["source"])
    assert outlets == ["Alwaght", "SANA", "The BRICS Post", "TASS", "VOV"]
    assert left_over(marker) == []
    assert list(Path(environment["TMPDIR"]).iterdir()) == []


def started_up(environment: dict[str, str], *options: str) -> tuple[subprocess.Popen[str], str]:
    """`stancewire up` on a free port, and its URL."""
    process = subprocess.Popen(
        [*STANCEWIRE, "up", "--bind", "127.0.0.1:0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
        # A suite that was started in the background of a script has SIGINT ignored, for good.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    words = process.stdout.readline().split()
    return process, next(word for word in words if word.startswith("http"))


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_local_stack_stays_up_keeps_its_data_and_ends_cleanly(
    marked: tuple[str, dict[str, str]], tmp_path: Path, ending: signal.Signals
) -> None:
    marker, environment = marked
    data = tmp_path / "data"
    process, url = started_up(environment, "--data-dir", str(data))
    ready = httpx.get(f"{url}/readyz", trust_env=False)
    process.send_signal(ending)
    _, errors = process.communicate(timeout=60)

    assert ready.status_code == 200
    assert process.returncode == 0, errors
    assert left_over(marker) == []
    assert (data / "stancewire.db").is_file()


def test_a_worker_that_dies_is_replaced_while_the_stack_is_up(
    marked: tuple[str, dict[str, str]],
) -> None:
    _, environment = marked
    process, url = started_up({**environment, "STANCEWIRE_SWEEP_INTERVAL": "1"})
    try:
        for child in psutil.Process(process.pid).children():
            if "workers" in child.cmdline():
                os.killpg(child.pid, signal.SIGKILL)
        done = subprocess.run(
            [*STANCEWIRE, "analyze", "--json", "-q", str(SEED_FILES[1])],
            capture_output=True,
            cwd=ROOT,
            env={**environment, "STANCEWIRE_URL": url},
            timeout=120,
        )
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=60)

    assert "the worker died; starting another" in errors
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["source"] == "SANA"


def test_nothing_outlives_a_command_that_is_killed(
    marked: tuple[str, dict[str, str]],
) -> None:
    marker, environment = marked
    process, _ = started_up(environment)
    assert len(left_over(marker)) > 3

    process.kill()
    process.communicate(timeout=60)

    assert wait_for_none(marker, 20) == []
    assert list(Path(environment["TMPDIR"]).iterdir()) == []


def test_a_part_that_cannot_start_is_told_with_its_last_words(
    marked: tuple[str, dict[str, str]], tmp_path: Path
) -> None:
    marker, environment = marked

    done = subprocess.run(
        [*STANCEWIRE, "analyze", str(SEED_FILES[0])],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**environment, "STANCEWIRE_WEIGHTS_DIR": str(tmp_path / "no-weights")},
        timeout=120,
    )

    assert done.returncode == 3
    assert "the worker ended with exit code" in done.stderr
    assert "no-weights" in done.stderr
    assert "Traceback" not in done.stderr.splitlines()[0]
    assert left_over(marker) == []
