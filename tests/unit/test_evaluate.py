"""`python -m training.evaluate`: what a profile answers, or one model alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from service.settings import DEFAULT_PROFILE
from training import evaluate
from training.evaluate import WEIGHTS
from training.stance_data import read_stance
from workers.models.chosen import open_stance
from workers.models.profiles import PROFILES

ROWS = [
    ("Ann Lee praised Bo Park in Oslo.", "Ann Lee", "Bo Park", "favor"),
    ("Ann Lee praised Bo Park in Oslo.", "Bo Park", "Ann Lee", "neutral"),
    ("Ann Lee called the tax on bread a crime.", None, "the tax on bread", "neutral"),
]
NAMES = {
    "fast": "stancewire-stance-minilm",
    "cascade": "stancewire-stance-minilm + stancewire-stance-mpnet",
    "accurate": "stancewire-stance-minilm + stancewire-stance-mpnet",
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    file = tmp_path / "rows.jsonl"
    rows = [
        {"text": text, "holder": holder, "target": target, "label": label}
        for text, holder, target, label in ROWS
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return file


def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object
) -> Any:
    monkeypatch.setattr("sys.argv", ["evaluate", *map(str, arguments)])
    evaluate.main()
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_is_measured_with_what_it_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], data: Path, profile: str
) -> None:
    found = call(monkeypatch, capsys, "stance", "--data", data, "--profile", profile, "--json")
    questions = [row.question for row in read_stance(data, "rows")]
    answers = open_stance(WEIGHTS, profile).score(questions)
    right = 0
    for answer, (_, _, _, label) in zip(answers, ROWS, strict=True):
        given = {name: getattr(answer.probabilities, name) for name in ("favor", "against")}
        given["neutral"] = answer.probabilities.neutral
        right += max(given, key=given.__getitem__) == label
    assert found["accuracy"] == pytest.approx(right / len(ROWS), abs=1e-4)
    assert (found["rows"], found["model"]) == (len(ROWS), NAMES[profile])


def test_without_a_profile_it_is_the_default_one_and_weights_are_one_model_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], data: Path
) -> None:
    assert call(monkeypatch, capsys, "stance", "--data", data)["model"] == NAMES[DEFAULT_PROFILE]
    alone = ("--weights", WEIGHTS / "stance-accurate")
    found = call(monkeypatch, capsys, "stance", "--data", data, *alone)
    assert found["model"] == "stancewire-stance-mpnet"


def test_names_are_read_as_the_profile_reads_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "rows.conll"
    sentence = "Ann\tB-PER\nLee\tI-PER\nleft\tO\nOslo\tB-LOC\n.\tO\n\n"
    file.write_text(sentence * 100, "utf-8")
    asked = ("ner", "--data", file, "--profile")
    found = {name: call(monkeypatch, capsys, *asked, name) for name in PROFILES}
    assert all(one["f1"] > 0.9 for one in found.values())
    # Windows that lie 192 pieces apart, and 144.
    assert found["fast"]["windows"] == found["accurate"]["windows"] == 3
    assert found["cascade"]["windows"] == 4
    assert found["cascade"]["model"] == found["accurate"]["model"] == "stancewire-ner-mpnet"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("stance", "--profile", "fast", "--weights", "x"), "not allowed with"),
        (("ner", "--paired"), "--paired is for stance"),
        (("ner", "--profile", "best"), "invalid choice"),
    ],
)
def test_what_does_not_go_together_is_refused(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    data: Path,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.setattr("sys.argv", ["evaluate", *arguments, "--data", str(data)])
    with pytest.raises(SystemExit) as ended:
        evaluate.main()
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
