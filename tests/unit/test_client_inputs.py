"""What the command line names becomes articles, and what cannot is told in one line."""

from __future__ import annotations

import io
import json
from pathlib import Path

from client.inputs import Inputs, read_inputs

SEEDS = Path(__file__).parents[2] / "seeds"


def read(*paths: Path | str, stdin: bytes = b"") -> Inputs:
    return read_inputs([str(path) for path in paths], io.BytesIO(stdin))


def test_a_folder_stands_for_its_text_files_with_what_its_manifest_tells(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("Second.")
    (tmp_path / "a.txt").write_text("First.")
    (tmp_path / "notes.md").write_text("Not an article.")
    about = {"file": "a.txt", "outlet": "Daily", "title": "T", "url": None, "language": "en"}
    (tmp_path / "manifest.json").write_text(json.dumps({"articles": [about]}))

    inputs = read(tmp_path)

    assert not inputs.faults
    assert [Path(given.name).name for given in inputs.articles] == ["a.txt", "b.txt"]
    first, second = (given.article for given in inputs.articles)
    assert (first.source, first.title, first.url, first.language) == ("Daily", "T", None, "en")
    assert (second.source, second.title) == (None, None)


def test_the_text_is_kept_character_by_character(tmp_path: Path) -> None:
    text = "\ufeffOne.\r\nTwo “quoted”. 😀\n\n"
    (tmp_path / "a.txt").write_bytes(text.encode())

    assert read(tmp_path / "a.txt").articles[0].article.text == text


def test_standard_input_is_an_article() -> None:
    assert read("-", stdin=b"Piped.").articles[0].article.text == "Piped."


def test_each_unreadable_input_has_its_line_and_the_others_go_on(tmp_path: Path) -> None:
    faulty = {"empty": b" \n", "binary": b"PK\x03\x04\x00", "latin": "caf\xe9".encode("latin-1")}
    for name, data in faulty.items():
        (tmp_path / f"{name}.txt").write_bytes(data)
    (tmp_path / "large.txt").write_bytes(b"x" * 800_001)
    (tmp_path / "good.txt").write_text("Good.")
    empty_folder = tmp_path / "nothing"
    empty_folder.mkdir()

    inputs = read(tmp_path, tmp_path / "missing.txt", empty_folder)

    assert [given.article.text for given in inputs.articles] == ["Good."]
    told = {Path(line.partition(": ")[0]).name: line for line in inputs.faults}
    assert "NUL" in told["binary.txt"]
    assert "empty" in told["empty.txt"]
    assert "not UTF-8" in told["latin.txt"]
    assert "byte 3" in told["latin.txt"]
    assert "200,000" in told["large.txt"]
    assert "no such file" in told["missing.txt"]
    assert "no .txt file" in told["nothing"]


def test_a_broken_manifest_is_told_once_and_the_articles_still_count(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("Text.")
    (tmp_path / "manifest.json").write_text('{"articles": 3}')

    inputs = read(tmp_path)

    assert len(inputs.articles) == 2
    assert len(inputs.faults) == 1
    assert "not a manifest" in inputs.faults[0]


def test_every_sample_article_is_in_the_manifest_and_says_what_its_text_says() -> None:
    entries = json.loads((SEEDS / "manifest.json").read_text("utf-8"))["articles"]

    assert [entry["file"] for entry in entries] == sorted(path.name for path in SEEDS.glob("*.txt"))
    for entry in entries:
        assert entry["outlet"]
        if entry["title"] is not None:
            assert entry["title"] in (SEEDS / entry["file"]).read_text("utf-8")
