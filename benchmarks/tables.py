"""The tables of README, docs and model cards, from the results: `python -m benchmarks.tables`.

Nothing is measured here. A test holds the documents to what this prints.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT
from workers.models.profiles import ACCURATE, CASCADE, FAST

RESULTS = ROOT / "benchmarks/results"
PROFILES = (FAST, CASCADE, ACCURATE)
# Task, set and figure as README names them, and the figures of a result that stand there.
_LINES = (
    ("named entities", "conll2003 dev", "F1", "ner/conll2003/dev.conll", ("f1",)),
    ("", "crossner_politics dev", "F1", "ner/crossner_politics/dev.conll", ("f1",)),
    (
        "",
        "newsmtsc dev, who is named there",
        "recall",
        "stance/newsmtsc/dev.jsonl",
        ("named_recall",),
    ),
    ("", "dse dev, who is named there", "recall", "stance/dse/dev.jsonl", ("named_recall",)),
    ("attribution", "polnear dev", "F1", "attribution/polnear/dev.jsonl", ("attribution f1",)),
    (
        "",
        "",
        "words: source / cue / content",
        "attribution/polnear/dev.jsonl",
        ("tokens source f1", "tokens cue f1", "tokens content f1"),
    ),
    ("stance", "newsmtsc dev", "macro F1", "stance/newsmtsc/dev.jsonl", ("macro_f1",)),
    ("", "vast dev (new topics)", "macro F1", "stance/vast/dev.jsonl", ("macro_f1",)),
    (
        "",
        "dse dev, five relations",
        "micro / macro F1",
        "stance/dse/dev.jsonl",
        ("paired_micro_f1", "paired_macro_f1"),
    ),
    ("", "perspectrum dev", "accuracy", "stance/perspectrum/dev.jsonl", ("accuracy",)),
)
_BEHAVIOUR = "[behavioural tests](workers/weights/stance-accurate/README.md)"


def read(name: str, folder: Path = RESULTS) -> dict[str, Any]:
    """One result. Raises FileNotFoundError."""
    result: dict[str, Any] = json.loads((folder / f"{name}.json").read_text("utf-8"))
    return result


def readme(folder: Path = RESULTS) -> str:
    """Quality, speed and memory of the profiles."""
    quality = {profile: _figures(read(f"quality-{profile}", folder)) for profile in PROFILES}
    rows = [["task", "set", "figure", *PROFILES], ["---"] * (3 + len(PROFILES))]
    for task, data, figure, file, names in _LINES:
        shown = [" / ".join(f"{quality[p][file, name]:.3f}" for name in names) for p in PROFILES]
        rows.append([task, data, figure, *shown])
    behaviour = [read(f"behaviour-{profile}", folder)["pass_rate"] for profile in PROFILES]
    rows.append(["", _BEHAVIOUR, "passed", *(f"{rate:.3f}" for rate in behaviour)])
    speed = [read(f"speed-{profile}", folder) for profile in PROFILES]
    minutes = [one["articles_a_minute"] for one in speed]
    rows.append(
        ["speed", "600 words", "articles a minute"]
        + [f"{value:.0f}" if value >= 10 else f"{value:.1f}" for value in minutes]
    )
    memory = [str(one["peak_memory_megabytes"]) for one in speed]
    rows.append(["memory", "", "MB at the most", *memory])
    return _markdown(rows)


def pair(folder: Path = RESULTS) -> str:
    """Both stance models alone and together."""
    result = read("pair", folder)
    rows = [
        ["", "small alone", "large alone", "pooled", "cascade", "large one asked"],
        ["---"] * 6,
    ]
    names = {
        "newsmtsc": ("newsmtsc, macro F1", ("macro_f1",)),
        "vast": ("vast, macro F1", ("macro_f1",)),
        "dse": (
            "dse, five relations, micro / macro F1",
            ("paired_micro_f1", "paired_macro_f1"),
        ),
        "perspectrum": ("perspectrum, accuracy", ("accuracy",)),
    }
    for name, (shown, figures) in names.items():
        at = result["at"][name]
        ways = (at[way] for way in ("small_alone", "large_alone", "pooled", "cascade"))
        rows.append(
            [shown]
            + [" / ".join(f"{100 * way[figure]:.1f}" for figure in figures) for way in ways]
            + [f"{100 * at['asked']:.0f} %"]
        )
    return _markdown(rows)


def behaviour(folder: Path = RESULTS) -> str:
    """The capabilities of the profile `accurate`."""
    rows = [["capability", "", "passed", "rate"], ["---"] * 4]
    for name, row in read("behaviour-accurate", folder)["capabilities"].items():
        passed = f"{row['passed']} / {row['cases']}"
        rows.append([name, row["about"], passed, f"{row['pass_rate']:.2f}"])
    return _markdown(rows)


def behaviour_line(profile: str, folder: Path = RESULTS) -> str:
    """The capabilities of a profile in a sentence."""
    capabilities = read(f"behaviour-{profile}", folder)["capabilities"]
    return ", ".join(f"{name} {row['pass_rate']:.2f}" for name, row in capabilities.items())


def _figures(result: dict[str, Any]) -> dict[tuple[str, str], float]:
    return {(row["set"], row["figure"]): row["value"] for row in result["rows"]}


def _markdown(rows: list[list[str]]) -> str:
    padded = [[cell if cell == "---" else f" {cell} " if cell else " " for cell in r] for r in rows]
    return "\n".join(f"|{'|'.join(row)}|" for row in padded)


def main() -> None:
    """Prints all of them."""
    for title, table in (
        ("README.md", readme()),
        ("docs/models.md", pair()),
        ("workers/weights/stance-accurate/README.md", behaviour()),
        ("workers/weights/stance/README.md", behaviour_line(FAST)),
    ):
        print(f"{title}\n\n{table}\n")


if __name__ == "__main__":
    main()
