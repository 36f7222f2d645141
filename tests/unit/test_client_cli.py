"""The `stancewire` command as a process, against a small service that answers like the real one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from client_fake import FakeService, serving

ROOT = Path(__file__).parents[2]


@pytest.fixture
def service() -> Iterator[FakeService]:
    with serving(FakeService()) as found:
        yield found


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.txt"
    path.write_text("Fine “text”.", "utf-8")
    return path


def stancewire(
    *arguments: str | Path, url: str = "", stdin: bytes = b"", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "client.cli", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "STANCEWIRE_URL": url, **environment},
        timeout=30,
    )


def test_json_is_one_analysis_a_line_in_the_order_of_the_articles(
    service: FakeService, tmp_path: Path
) -> None:
    paths = [tmp_path / f"{number}.txt" for number in range(3)]
    for number, path in enumerate(paths):
        path.write_text(f"Text {number}.")

    done = stancewire("analyze", "--json", *paths, url=service.url)

    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["sentences"][0]["text"] for one in found] == ["Text 0.", "Text 1.", "Text 2."]
    assert b"[3/3]" in done.stderr


def test_the_report_is_on_standard_output_and_progress_is_not(
    service: FakeService, good: Path
) -> None:
    done = stancewire("analyze", good, url=service.url)

    assert done.returncode == 0
    assert b"Who stands where" in done.stdout
    assert b"[1/1]" not in done.stdout
    assert b"\x1b" not in done.stdout + done.stderr


def test_targets_and_standard_input_reach_the_service(service: FakeService) -> None:
    done = stancewire(
        "analyze", "-q", "--target", "the tax", "--target", "b", "-", url=service.url, stdin=b"Hi."
    )

    assert done.returncode == 0
    assert done.stderr == b""
    assert service.articles["1"] == {"text": "Hi.", "options": {"targets": ["the tax", "b"]}}


@pytest.mark.parametrize(("text", "reason"), [("FAIL", b"it broke"), ("REFUSE", b"bad")])
def test_a_failed_article_is_told_and_the_others_are_shown(
    service: FakeService, good: Path, tmp_path: Path, text: str, reason: bytes
) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_text(text)

    done = stancewire("analyze", "--json", bad, good, url=service.url)

    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    assert b"bad.txt" in done.stderr
    assert reason in done.stderr


def test_an_unreadable_input_ends_with_2_and_the_others_are_analysed(
    service: FakeService, good: Path, tmp_path: Path
) -> None:
    binary = tmp_path / "binary.txt"
    binary.write_bytes(b"\x00\x01")

    done = stancewire("analyze", "--json", binary, good, url=service.url)

    assert done.returncode == 2
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr.startswith(f"stancewire: {binary}: not a text file".encode())


def test_nothing_readable_starts_nothing(tmp_path: Path) -> None:
    done = stancewire("analyze", tmp_path / "missing.txt")

    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    "arguments", [["analyze"], ["analyze", "--offsets", "utf8", "-"], ["nonsense"]]
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    done = stancewire(*arguments)

    assert done.returncode == 2
    assert b"Usage" in done.stderr


def test_a_service_that_is_not_there_ends_with_3_in_one_line(good: Path) -> None:
    done = stancewire("analyze", "-q", good, url="http://127.0.0.1:9")

    assert done.returncode == 3
    assert done.stderr.startswith(b"stancewire: http://127.0.0.1:9: ")
    assert done.stderr.count(b"\n") == 1


def test_a_reader_that_goes_away_is_no_fault(service: FakeService, good: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "client.cli", "analyze", "--json", "-q", str(good)],
            stdout=closed,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "STANCEWIRE_URL": service.url},
            timeout=30,
        )

    assert done.returncode == 141
    assert done.stderr == b""


def test_output_is_utf8_and_no_fault_where_the_terminal_cannot_show_it(
    service: FakeService, good: Path
) -> None:
    plain = stancewire("analyze", "-q", good, url=service.url, PYTHONIOENCODING="ascii")
    lines = stancewire("analyze", "-q", "--json", good, url=service.url, PYTHONIOENCODING="ascii")

    assert plain.returncode == 0, plain.stderr
    assert "“text”" in lines.stdout.decode("utf-8")


def test_submit_status_result_cancel_delete(service: FakeService, good: Path) -> None:
    def run(*arguments: str | Path) -> tuple[int, str]:
        done = stancewire(*arguments, url=service.url)
        return done.returncode, done.stdout.decode() + done.stderr.decode()

    assert run("submit", good) == (0, f"1\t1\t{good}\n")
    assert run("status", "1") == (0, "1\trunning\trecognise (30%)\n")
    assert run("status", "1", "--wait", "9") == (0, "1\tsucceeded\n")
    code, report = run("result", "1")
    assert code == 0
    assert "Who stands where" in report
    assert run("cancel", "1") == (0, "1\tcancelled\n")
    assert run("delete", "1") == (0, "1 is deleted\n")
    assert run("delete", "1") == (1, "stancewire: gone it is\n")
    assert run("status", "7") == (1, "stancewire: not-found it is\n")


def test_a_failed_job_shows_in_the_exit_code_of_status(service: FakeService) -> None:
    stancewire("submit", "-", url=service.url, stdin=b"FAIL")

    done = stancewire("status", "1", "--wait", "9", url=service.url)

    assert done.returncode == 1
    assert b"it broke" in done.stdout
