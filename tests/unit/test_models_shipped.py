"""The bundled taggers: they load, they know the basics, and batches change nothing."""

from pathlib import Path

import numpy as np
import pytest

from service.domain.analysis import AttributionKind, Sentence
from workers.models.attribution import TAG_LABELS, AttributionModel
from workers.models.token_tagger import TokenTagger
from workers.models.words import Word, split_words
from workers.stages.attribute.stage import attribute
from workers.stages.recognise.stage import recognise

WEIGHTS = Path(__file__).parents[2] / "workers" / "weights"

TEXTS = [
    "The United Nations said on Monday that Anna Lindqvist would travel to Nairobi.",
    "“We will not sign this treaty,” Finance Minister Peter Okoro told reporters in Lagos.",
    "According to Reuters, the French government expects growth of 2.4 percent next year.",
]


@pytest.fixture(scope="module")
def tagger() -> TokenTagger:
    return TokenTagger.load(WEIGHTS / "ner")


@pytest.fixture(scope="module")
def model() -> AttributionModel:
    return AttributionModel.load(WEIGHTS / "attribution")


def one_sentence(text: str) -> list[Sentence]:
    return [Sentence("s1", 0, len(text), text, 0)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            TEXTS[0],
            {"United Nations": "ORG", "Anna Lindqvist": "PER", "Nairobi": "LOC"},
        ),
        (TEXTS[1], {"Peter Okoro": "PER", "Lagos": "LOC"}),
        (TEXTS[2], {"Reuters": "ORG", "French": "MISC"}),
    ],
)
def test_names_in_plain_news(tagger: TokenTagger, text: str, names: dict[str, str]) -> None:
    found = recognise(text, one_sentence(text), tagger)
    assert {mention.text: mention.type.value for mention in found.mentions} == names


def test_case_tells_a_country_from_a_pronoun(tagger: TokenTagger) -> None:
    text = "The US told us that talks with the UN failed."
    found = recognise(text, one_sentence(text), tagger)
    assert [mention.text for mention in found.mentions] == ["US", "UN"]


def word_lists() -> list[list[Word]]:
    return [split_words(text * repeat) for text in TEXTS for repeat in (1, 7)]


def test_what_a_model_reads_is_counted(tagger: TokenTagger, model: AttributionModel) -> None:
    reader: TokenTagger | AttributionModel
    for reader in (tagger, model):
        windows = [window for words in word_lists() for window in reader.windows(words, ())]
        before = reader.tokens_read
        reader.tag(windows)
        assert reader.tokens_read - before == sum(len(window.input_ids) for window in windows) > 0


def test_tags_are_the_same_alone_and_in_a_batch(tagger: TokenTagger) -> None:
    windows = [window for words in word_lists() for window in tagger.windows(words, ())]
    together = tagger.tag(windows)
    for window, rows in zip(windows, together, strict=True):
        np.testing.assert_array_equal(tagger.tag([window])[0], rows)


def test_attribution_is_the_same_alone_and_in_a_batch(model: AttributionModel) -> None:
    windows = [window for words in word_lists() for window in model.windows(words, ())]
    together = model.tag(windows)
    for window, tagged in zip(windows, together, strict=True):
        [alone] = model.tag([window])
        np.testing.assert_array_equal(alone.logits, tagged.logits)
        np.testing.assert_array_equal(alone.features, tagged.features)


def test_the_manifests_name_what_the_stages_expect(
    tagger: TokenTagger, model: AttributionModel
) -> None:
    assert tagger.labels[0] == "O"
    assert model.manifest.labels == TAG_LABELS
    assert model.thresholds.keys() >= {"cue_bias", "switch_penalty", "minimum_score", "radius"}


def test_who_said_what_in_plain_news(model: AttributionModel) -> None:
    text = TEXTS[1]
    [found] = attribute(text, one_sentence(text), model).attributions
    assert found.source[0].text.endswith("Peter Okoro")
    assert "told" in found.cue[0].text
    assert "We will not sign this treaty" in found.content[0].text
    assert found.kind is AttributionKind.DIRECT
