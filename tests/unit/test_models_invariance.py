"""The shipped models of both profiles: the same text gives the same answer, whatever is read
beside it; what is long, odd or empty is read, skipped aloud or refused, never cut in silence."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service.domain.analysis import Abstention, Analysis
from service.domain.article import AnalysisOptions, Article
from service.settings import load_settings
from workers.models.attribution import AttributionModel
from workers.models.profiles import ATTRIBUTION, NER, STANCE, model_folder
from workers.models.stance import Answer, StanceModel
from workers.models.stance_inputs import StanceQuestion
from workers.models.token_tagger import TokenTagger
from workers.models.windowing import log_softmax
from workers.models.words import split_words
from workers.pipeline import Pipeline

WEIGHTS = Path(__file__).parents[2] / "workers" / "weights"
# The promise; what runs alone, at its own length, keeps it exactly.
TOLERANCE = 1e-4

NEWS = (
    "Finance Minister Peter Okoro told reporters in Lagos that the treaty was a mistake. "
    "“We will not sign it,” he said. Anna Lindqvist of the United Nations praised the peace talks."
)
# By name, as they show in a failing test.
ODD = {
    "right-to-left": "Anna Berg said שלום עולם to \u202emarhaba مرحبا\u202c in Haifa.",
    "joined emoji": "👩\u200d👩\u200d👧\u200d👦 praised 👍🏽 the 🇺🇸 talks, said Bo Park.",
    "controls": "Anna\u0007 Berg\u200b said\u0085 that\ufeff Bo\u00ad Park left.\u001b[0m",
    "combining": "A\u0301\u0301\u0301\u0301nna Zu\u0308rich praised the Zürich tal\u0336ks.",
    "no Latin": "日本の首相は会談を称賛した。中国は反対した。",
    "one long word": "Bo Park attacked " + "x" * 4000 + " in Oslo.",
    "one long sentence": "Bo Park praised Oslo and " * 120 + "left.",
    "only marks": "— … ’’’ ((())) !!! ***",
    "many emoji": "😀" * 500,
    "white space": "\u00a0\u2003\u3000 \t\n",
}


@pytest.fixture(scope="module", params=["fast", "accurate"])
def profile(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture(scope="module")
def tagger(profile: str) -> TokenTagger:
    return TokenTagger.load(model_folder(WEIGHTS, profile, NER))


@pytest.fixture(scope="module")
def reader(profile: str) -> AttributionModel:
    return AttributionModel.load(model_folder(WEIGHTS, profile, ATTRIBUTION))


@pytest.fixture(scope="module")
def scorer(profile: str) -> StanceModel:
    return StanceModel.load(model_folder(WEIGHTS, profile, STANCE))


def texts() -> list[str]:
    return [NEWS, *ODD.values(), NEWS * 7]


def questions() -> list[StanceQuestion]:
    passages = [text[:250] for text in texts()]
    asked = [StanceQuestion(passage, target="peace talks", topic=True) for passage in passages]
    asked += [StanceQuestion(passage, target="Bo Park") for passage in passages]
    asked.append(StanceQuestion(NEWS, target="the treaty", holder="Peter Okoro"))
    return asked


def probabilities(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.exp(log_softmax(logits).astype(np.float64))


def row(answer: Answer) -> list[float]:
    given = answer.probabilities
    return [given.favor, given.against, given.neutral]


def close(one: Any, other: Any) -> None:
    np.testing.assert_allclose(one, other, rtol=0.0, atol=TOLERANCE)


def test_entities_are_the_same_alone_and_in_a_batch(tagger: TokenTagger) -> None:
    each = [tagger.windows(split_words(text), ()) for text in texts()]
    together = tagger.tag([window for windows in each for window in windows])
    assert len(together) > len(each)
    for windows in reversed(each):
        start = len(together) - len(windows)
        for alone, batched in zip(tagger.tag(windows), together[start:], strict=True):
            close(probabilities(alone), probabilities(batched))
        together = together[:start]


def test_attributions_are_the_same_alone_and_in_a_batch(reader: AttributionModel) -> None:
    each = [reader.windows(split_words(text), ()) for text in texts()]
    together = reader.tag([window for windows in each for window in windows])
    for windows in reversed(each):
        start = len(together) - len(windows)
        for alone, batched in zip(reader.tag(windows), together[start:], strict=True):
            close(probabilities(alone.logits), probabilities(batched.logits))
            if len(alone.features):
                distances = [min(word, 20) for word in range(len(alone.features))]
                close(
                    probabilities(reader.link(alone.features, distances)),
                    probabilities(reader.link(batched.features, distances)),
                )
        together = together[:start]


def test_stances_are_the_same_alone_in_a_batch_and_in_threads(
    scorer: StanceModel, profile: str
) -> None:
    asked = questions()
    together = [row(answer) for answer in scorer.score(asked)]
    backwards = [row(scorer.score([question])[0]) for question in reversed(asked)][::-1]
    close(together, backwards)
    with ThreadPoolExecutor(4) as pool:
        close(together, [row(answers[0]) for answers in pool.map(scorer.score, zip(asked))])
    fresh = StanceModel.load(model_folder(WEIGHTS, profile, STANCE))
    close(together[-1], row(fresh.score(asked[-1:])[0]))


@pytest.fixture(scope="module")
def pipeline(profile: str) -> Pipeline:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STANCEWIRE_PROFILE", profile)
        return Pipeline.load(load_settings())


def analyse(pipeline: Pipeline, text: str, *targets: str) -> Analysis:
    article = Article(id="a", text=text, created_at=datetime(2026, 1, 1, tzinfo=UTC))
    return pipeline.run(article, AnalysisOptions(targets), lambda stage: None)


def test_the_cascade_has_one_pass_of_the_encoder_for_both_taggers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cascade = Pipeline.load(replace(load_settings(), profile="cascade"))
    graph = cascade._attribution._encoder.graph
    runs = []
    run = graph._session.run
    counting = SimpleNamespace(run=lambda *given: runs.append(given) or run(*given))
    monkeypatch.setattr(graph, "_session", counting)
    article = "\n\n".join(f"{NEWS} “It won’t last {days} days,” he said." for days in range(9))
    found = analyse(cascade, article)
    windows = found.coverage.windows
    assert len(runs) == windows[NER] == windows[ATTRIBUTION] > 2
    assert {mention.text for mention in found.mentions} >= {"Peter Okoro", "Lagos"}
    assert not graph._kept


@pytest.mark.parametrize("name", list(ODD))
def test_odd_texts_are_read_or_skipped_aloud(pipeline: Pipeline, name: str) -> None:
    text = ODD[name]
    found = analyse(pipeline, text, "peace talks")
    for span in (*found.mentions, *found.sentences):
        assert text[span.start : span.end] == span.text
    told = [(s.start, s.end) for s in (*found.sentences, *found.coverage.skipped)]
    untold = {
        text[k]
        for k in range(len(text))
        if not text[k].isspace() and not any(start <= k < end for start, end in told)
    }
    assert untold == set()
    if found.coverage.analysed_characters:
        assert found.coverage.windows[NER] > 0
    else:
        assert "no_body" in {warning.code for warning in found.warnings}
    topics = [stance for stance in found.stances if stance.target.name == "peace talks"]
    assert topics


def test_a_text_of_many_windows_is_read_to_its_end(pipeline: Pipeline) -> None:
    paragraphs = [f"{NEWS} Witness number {number} was there." for number in range(16)]
    text = "\n\n".join(paragraphs) + "\n\nAt last Dana Whitfield spoke in Reykjavik."
    found = analyse(pipeline, text)
    assert found.coverage.windows[NER] > 3
    assert {m.text for m in found.mentions if m.start > text.rindex("At last")} == {
        "Dana Whitfield",
        "Reykjavik",
    }
    skipped = sum(one.end - one.start for one in found.coverage.skipped)
    assert found.coverage.analysed_characters + skipped >= len("".join(text.split()))
    analyse(pipeline, NEWS)
    assert analyse(pipeline, text) == found


@pytest.mark.parametrize("target", ["", " \u00a0", "\u200b", "!!!", "the of and"])
def test_targets_that_say_nothing_get_an_abstention(pipeline: Pipeline, target: str) -> None:
    [stance] = [s for s in analyse(pipeline, NEWS, target).stances if s.target.name == target]
    assert stance.abstention is Abstention.NO_EVIDENCE


@pytest.mark.parametrize("repeats", [40, 400])
def test_a_target_beyond_the_window_gets_an_abstention(pipeline: Pipeline, repeats: int) -> None:
    target = "the treaty of Lagos was a mistake " * repeats
    found = analyse(pipeline, NEWS, target)
    [stance] = [one for one in found.stances if one.target.name == target]
    assert stance.abstention is Abstention.NOT_READ
    assert found.coverage.stance_pairs_skipped > 0


@pytest.mark.parametrize("target", ["", "  ", "\u00a0\u2003"])
def test_a_blank_target_is_refused_by_the_model(scorer: StanceModel, target: str) -> None:
    with pytest.raises(ValueError, match="blank"):
        scorer.score([StanceQuestion(NEWS, target=target, topic=True)])


@pytest.mark.parametrize(
    "question",
    [
        StanceQuestion("Bo Park spoke. " * 200, target="Bo Park"),
        StanceQuestion(NEWS, target="treaty " * 400, topic=True),
        StanceQuestion(NEWS, target="Lagos", holder="Peter " * 100),
        StanceQuestion("日" * 2000, target="日" * 300, topic=True),
    ],
)
def test_what_does_not_fit_is_told(scorer: StanceModel, question: StanceQuestion) -> None:
    [answer] = scorer.score([question])
    assert answer.truncated
    assert sum(row(answer)) == pytest.approx(1.0)
