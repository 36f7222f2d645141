"""Turns `capabilities.toml` into cases: questions to the stance model with the labels expected."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from workers.models.stance_inputs import StanceQuestion

FILE = Path(__file__).parent / "capabilities.toml"
CASES_EACH = 32
_VERBS = ("praised", "praise", "praising", "attacked", "attack", "attacking")
_STRAIGHT = str.maketrans("\u201c\u201d\u2019", '""\'')
_VERSIONS: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "straight": lambda text: text.translate(_STRAIGHT),
    "upper": str.upper,
    "lower": str.lower,
}


@dataclass(frozen=True)
class Check:
    """One question and the labels that are right."""

    question: StanceQuestion
    expected: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """Passes when all its checks do."""

    id: str
    capability: str
    checks: tuple[Check, ...]


def read_capabilities(file: Path = FILE) -> tuple[dict[str, Any], dict[str, Any]]:
    """The lexicon, and the capabilities by name."""
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    lexicon = document.pop("lexicon")
    return lexicon, document


def generate(seed: int = 2020, each: int = CASES_EACH) -> Iterator[Case]:
    """`each` cases a capability, its frames in turn; the same for the same seed."""
    lexicon, capabilities = read_capabilities()
    for capability, rules in capabilities.items():
        rng = random.Random(f"{seed} {capability}")
        for number in range(each):
            frame = rules["frames"][number % len(rules["frames"])]
            checks: list[Check] = []
            for names in _casts(lexicon, rules, rng):
                words = {**names, **_fillers(lexicon, rng)}
                for text in frame.get("texts") or [frame["text"]]:
                    for version in rules.get("versions", ["plain"]):
                        checks += _checks(text, frame["asks"], words, _VERSIONS[version])
            yield Case(f"{capability}-{number + 1:02}", capability, tuple(checks))


def _casts(
    lexicon: dict[str, Any], rules: dict[str, Any], rng: random.Random
) -> Iterator[dict[str, str]]:
    """Names for a to d, of four groups; once, or with a from every group in turn."""
    groups = lexicon["names"]
    firsts = range(len(groups)) if rules.get("names") == "every" else [rng.randrange(len(groups))]
    for first in firsts:
        others = rng.sample([index for index in range(len(groups)) if index != first], 3)
        chosen = [rng.choice(groups[index]) for index in (first, *others)]
        yield dict(zip("abcd", chosen, strict=True))


def _fillers(lexicon: dict[str, Any], rng: random.Random) -> dict[str, str]:
    good, bad = (rng.randrange(len(lexicon[form])) for form in ("praised", "attacked"))
    topic, other = rng.sample(lexicon["topics"], 2)
    verbs = {form: lexicon[form][good if form.startswith("prais") else bad] for form in _VERBS}
    return {**verbs, "t": topic, "u": other}


def _checks(
    frame: str, asks: Sequence[str], words: dict[str, str], version: Callable[[str], str]
) -> list[Check]:
    text = version(_with_articles(_filled(frame, words), words))
    checks = []
    for ask in asks:
        sides, _, labels = ask.rpartition(": ")
        holder, _, target = sides.partition(" > ")
        named = target in "abcd"
        question = StanceQuestion(
            text,
            version(words[target] if target in words else _filled(target, words)),
            holder=None if holder == "author" else version(words[holder]),
            topic=not named,
        )
        checks.append(Check(question, tuple(labels.split("|"))))
    return checks


@cache
def _bodies() -> frozenset[str]:
    lexicon, _ = read_capabilities()
    return frozenset(lexicon["names"][-1])


def _filled(frame: str, words: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda slot: words[slot[1]], frame)


def _with_articles(text: str, words: dict[str, str]) -> str:
    """Bodies get their article, sentences their capital."""
    for name in words.values():
        if name in _bodies():
            text = text.replace(name, f"the {name}")
    return re.sub(
        r"(^\u201c?|[.!?]\u201d? \u201c?)([a-z])", lambda found: found[1] + found[2].upper(), text
    )
