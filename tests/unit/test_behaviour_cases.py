"""The behavioural tests' cases: whole, repeatable, and apart from what a model was trained on."""

from __future__ import annotations

from collections import Counter

from benchmarks.behaviour.cases import CASES_EACH, generate, read_capabilities
from workers.models.stance import LABELS
from workers.models.stance_inputs import find_mentions


def test_every_capability_has_its_cases_and_known_labels() -> None:
    cases = list(generate())
    _, capabilities = read_capabilities()
    assert len(capabilities) >= 12
    assert Counter(case.capability for case in cases) == dict.fromkeys(capabilities, CASES_EACH)
    assert len({case.id for case in cases}) == len(cases)
    for case in cases:
        assert case.checks
        for check in case.checks:
            assert check.expected
            assert set(check.expected) <= set(LABELS)
            assert not set("{}") & set(check.question.text + check.question.target)


def test_the_same_seed_gives_the_same_cases() -> None:
    assert list(generate()) == list(generate())
    assert list(generate()) != list(generate(seed=1))


def test_holders_and_named_targets_are_in_their_texts() -> None:
    for case in generate():
        for check in case.checks:
            question = check.question
            if question.holder is not None:
                assert find_mentions(question.text, question.holder), question
            if not question.topic:
                assert find_mentions(question.text, question.target), question
