"""The attribute stage over a fake model that follows a script."""

import itertools
from collections.abc import Collection, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from service.domain.analysis import AttributionKind, Sentence
from workers.models.attribution import (
    DISTANCE_BUCKETS,
    LINK_LABELS,
    TAG_LABELS,
    TaggedWindow,
    distance_bucket,
)
from workers.models.words import EncodedWords, Window, Word, make_windows
from workers.stages.attribute.decode import smooth
from workers.stages.attribute.stage import attribute


class ScriptedModel:
    """Each cue word, with the words that are its source and its content.

    The feature of a word is its number, so that `link` knows where it is.
    """

    def __init__(self, script: dict[str, tuple[str, str]], **thresholds: float) -> None:
        self.thresholds = {
            "cue_bias": 0.0, "rescue_bias": 0.0, "switch_penalty": 1.0, "minimum_score": 0.0,
            "radius": 96.0,
        } | thresholds  # fmt: skip
        self.breaks: frozenset[int] = frozenset()
        self._script = script
        self._words: list[str] = []

    def windows(self, words: Sequence[Word], breaks: Collection[int]) -> list[Window]:
        self._words = [word.text for word in words]
        self.breaks = frozenset(breaks)
        encoded = EncodedWords(tuple(words), ((7,),) * len(words), (0,) * len(words))
        return make_windows(encoded, breaks=breaks, cls_id=1, sep_id=2, max_length=64, stride=40)

    def tag(self, windows: Sequence[Window]) -> list[TaggedWindow]:
        tagged = []
        for window in windows:
            numbers = np.arange(window.first_word, window.last_word)
            logits = np.zeros((len(numbers), len(TAG_LABELS)), dtype=np.float32)
            for row, number in enumerate(numbers):
                cue = self._words[number] in self._script
                logits[row, TAG_LABELS.index("B-CUE" if cue else "O")] = 6.0
            tagged.append(TaggedWindow(logits, numbers[:, None].astype(np.float32)))
        return tagged

    def link(self, features: NDArray[np.float32], distances: Sequence[int]) -> NDArray[np.float32]:
        words = [self._words[int(number)] for number in features[:, 0]]
        source, content = self._script[words[list(distances).index(0)]]
        logits = np.zeros((len(words), len(LINK_LABELS)), dtype=np.float32)
        for row, word in enumerate(words):
            role = "source" if word in source.split() else "none"
            logits[row, LINK_LABELS.index("content" if word in content.split() else role)] = 6.0
        return logits


def article(*paragraphs: Sequence[str]) -> tuple[str, list[Sentence]]:
    """Paragraphs of sentences as text and sentences."""
    text, sentences = "", []
    for paragraph, parts in enumerate(paragraphs):
        for part in parts:
            start = len(text)
            number = len(sentences) + 1
            sentences.append(Sentence(f"s{number}", start, start + len(part), part, paragraph))
            text += part + " "
        text += "\n\n"
    return text, sentences


def test_one_attribution_with_exact_spans() -> None:
    text, sentences = article(["Yesterday Mekdad said talks failed."], ["Nothing else."])
    model = ScriptedModel({"said": ("Mekdad", "talks failed")})
    [found] = attribute(text, sentences, model).attributions
    assert [s.text for s in (*found.source, *found.cue, *found.content)] == [
        "Mekdad",
        "said",
        "talks failed",
    ]
    assert all(text[s.start : s.end] == s.text for s in (*found.source, *found.content))
    assert found.kind is AttributionKind.INDIRECT
    assert found.sentence_ids == ("s1",)
    assert 0.9 < found.score <= 1
    assert model.breaks == {6}


def test_content_in_two_pieces_and_no_source() -> None:
    text, sentences = article(["“Talks failed,” it was claimed “for good.”"])
    model = ScriptedModel({"claimed": ("", "“ Talks failed , for good . ”")}, switch_penalty=0.1)
    [found] = attribute(text, sentences, model).attributions
    assert found.source == ()
    assert [s.text for s in found.content] == ["“Talks failed,”", "“for good.”"]
    assert found.kind is AttributionKind.DIRECT


def test_a_cue_without_content_is_dropped() -> None:
    text, sentences = article(["Mekdad said."])
    assert attribute(text, sentences, ScriptedModel({"said": ("Mekdad", "")})).attributions == ()


def test_weak_attributions_are_dropped_on_request() -> None:
    text, sentences = article(["Mekdad said no."])
    model = ScriptedModel({"said": ("Mekdad", "no")}, minimum_score=0.9999)
    assert attribute(text, sentences, model).attributions == ()


def test_a_quotation_that_runs_on_keeps_its_source() -> None:
    text, sentences = article(
        ["“Talks failed,” Mekdad said.", "“We did not want that to happen.", "We tried it all.”"],
        ["“But we will try again next year.”"],
        ["The weather was fine."],
        ["“Nobody knows who spoke here today.”"],
    )
    model = ScriptedModel({"said": ("Mekdad", "Talks failed")})
    found = attribute(text, sentences, model).attributions
    assert [a.carried_from for a in found] == [None, 0]
    assert found[1].source == found[0].source
    assert found[1].cue == ()
    assert [s.text for s in found[1].content] == [
        "“We did not want that to happen. We tried it all.”",
        "“But we will try again next year.”",
    ]
    assert found[1].sentence_ids == ("s2", "s3", "s4")
    assert found[1].kind is AttributionKind.DIRECT


@pytest.mark.parametrize(
    "between", ["The minister left the room.", "Asked why, Lavrov told them more."]
)
def test_a_quotation_after_other_sentences_is_left_open(between: str) -> None:
    text, sentences = article(
        ["“Talks failed,” Mekdad said.", between, "“We did not want that to happen.”"]
    )
    model = ScriptedModel({"said": ("Mekdad", "Talks failed"), "told": ("Lavrov", "more")})
    assert all(a.carried_from is None for a in attribute(text, sentences, model).attributions)


def test_an_indirect_statement_carries_nothing() -> None:
    text, sentences = article(["Mekdad said talks failed.", "“We did not want that to happen.”"])
    model = ScriptedModel({"said": ("Mekdad", "talks failed")})
    assert len(attribute(text, sentences, model).attributions) == 1


def test_carried_numbers_follow_reading_order() -> None:
    text, sentences = article(
        ["Lavrov told Paris."], ["“Talks failed,” Mekdad said.", "“We did not want that at all.”"]
    )
    model = ScriptedModel({"told": ("Lavrov", "Paris"), "said": ("Mekdad", "Talks failed")})
    found = attribute(text, sentences, model).attributions
    assert [a.carried_from for a in found] == [None, None, 1]


def test_an_unclaimed_statement_is_rescued_by_a_weak_cue() -> None:
    class Unsure(ScriptedModel):
        def tag(self, windows: Sequence[Window]) -> list[TaggedWindow]:
            tagged = super().tag(windows)
            for part in tagged:
                for row, number in enumerate(part.features[:, 0]):
                    word = self._words[int(number)]
                    if word == "hinted":
                        part.logits[row] = 0.0
                        part.logits[row, 0] = 1.5
                    elif word in ("that", "the", "talks", "had", "failed"):
                        label = "B-CONTENT" if word == "that" else "I-CONTENT"
                        part.logits[row, TAG_LABELS.index(label)] = 9.0
            return tagged

    text, sentences = article(["Mekdad hinted that the talks had failed."])
    script = {"hinted": ("Mekdad", "that the talks had failed")}
    assert attribute(text, sentences, Unsure(script)).attributions == ()
    [found] = attribute(text, sentences, Unsure(script, rescue_bias=2.0)).attributions
    assert found.source[0].text == "Mekdad"
    assert found.content[0].text == "that the talks had failed"
    assert found.score < 0.5


def test_specks_of_content_are_dropped() -> None:
    text, sentences = article(
        ["Mekdad said talks failed ,", "The weather was fine !"], ["Alone said"]
    )
    model = ScriptedModel({"said": ("Mekdad", "talks failed The !")}, switch_penalty=0.1)
    found = attribute(text, sentences, model).attributions
    assert [[s.text for s in a.content] for a in found] == [["talks failed"]]


def test_a_short_new_quotation_is_a_heading() -> None:
    text, sentences = article(["“Talks failed,” Mekdad said."], ["‘All bets are off.’"])
    model = ScriptedModel({"said": ("Mekdad", "Talks failed")})
    assert len(attribute(text, sentences, model).attributions) == 1


def test_long_articles_are_read_in_windows() -> None:
    filler = "word " * 40
    text, sentences = article(
        [filler + "."] * 3, ["Then Mekdad said talks failed."], [filler + "."] * 3
    )
    model = ScriptedModel({"said": ("Mekdad", "talks failed")})
    result = attribute(text, sentences, model)
    assert result.windows > 3
    assert [a.source[0].text for a in result.attributions] == ["Mekdad"]


def test_nothing_to_read() -> None:
    assert attribute("", [], ScriptedModel({})).attributions == ()


def test_smoothing_closes_holes_and_drops_specks() -> None:
    rows = np.full((7, 3), -3.0, dtype=np.float32)
    for word, label in enumerate([2, 2, 0, 2, 2, 0, 0]):
        rows[word, label] = -0.5
    assert smooth(rows, 1.5).tolist() == [2, 2, 2, 2, 2, 0, 0]
    assert smooth(rows, 0.0).tolist() == [2, 2, 0, 2, 2, 0, 0]


def test_distance_buckets() -> None:
    assert distance_bucket(10, 10, 12) == distance_bucket(11, 10, 12) == 0
    before = [distance_bucket(word, 100, 101) for word in range(99, 0, -1)]
    after = [distance_bucket(word, 100, 101) for word in range(101, 200)]
    assert before == sorted(before)
    assert after == sorted(after)
    assert not set(before) & set(after)
    assert max(before + after) == DISTANCE_BUCKETS - 1


@given(
    rows=st.lists(
        st.lists(st.floats(-9, 0, width=32), min_size=3, max_size=3), min_size=1, max_size=6
    ),
    penalty=st.floats(0, 4),
)
def test_smoothing_finds_the_best_path(rows: list[list[float]], penalty: float) -> None:
    links = np.array(rows, dtype=np.float32)

    def value(path: Sequence[int]) -> float:
        changes = sum(a != b for a, b in itertools.pairwise(path))
        return sum(float(links[n, label]) for n, label in enumerate(path)) - penalty * changes

    best = max(value(path) for path in itertools.product(range(3), repeat=len(rows)))
    assert value(smooth(links, penalty).tolist()) == pytest.approx(best, abs=1e-4)
