"""The recognise stage over a fake tagger that knows a few words."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from service.domain.analysis import EntityType, Mention, Sentence
from workers.models.bio import bio_labels
from workers.models.words import EncodedWords, Window, Word, make_windows
from workers.stages.recognise.stage import recognise
from workers.stages.recognise.tidy import one_type_a_name

LABELS = bio_labels(("PER", "ORG", "LOC", "MISC"))


class LexiconTagger:
    """Tags words by a table; every word is one piece and carries its own number as id."""

    def __init__(
        self,
        tags: dict[str, str],
        max_length: int = 24,
        stride: int = 20,
        *,
        whole_paragraphs: bool = False,
    ) -> None:
        self.labels = LABELS
        self.whole_paragraphs = whole_paragraphs
        self.seen: list[str] = []
        self.breaks: frozenset[int] = frozenset()
        self._tags = tags
        self._lengths = {"max_length": max_length, "stride": stride}

    def windows(self, words: Sequence[Word], breaks: Collection[int]) -> list[Window]:
        self.seen = [word.text for word in words]
        self.breaks = frozenset(breaks)
        encoded = EncodedWords(tuple(words), ((7,),) * len(words), (0,) * len(words))
        return make_windows(encoded, breaks=breaks, cls_id=1, sep_id=2, **self._lengths)

    def tag(self, windows: Sequence[Window]) -> list[NDArray[np.float32]]:
        rows = []
        for window in windows:
            row = np.zeros((window.last_word - window.first_word, len(LABELS)), dtype=np.float32)
            for offset, word in enumerate(self.seen[window.first_word : window.last_word]):
                row[offset, LABELS.index(self._tags.get(word, "O"))] = 6.0
            rows.append(row)
        return rows


def sentences_of(*parts: str) -> tuple[str, list[Sentence]]:
    """The parts joined by a space, each a sentence."""
    text = " ".join(parts)
    sentences, offset = [], 0
    for number, part in enumerate(parts):
        sentences.append(Sentence(f"s{number + 1}", offset, offset + len(part), part, 0))
        offset += len(part) + 1
    return text, sentences


def test_mentions_carry_type_score_sentence_and_exact_text() -> None:
    text, sentences = sentences_of("Faisal Mekdad left.", "“Syria” waits for the U.N.")
    tags = {"Faisal": "B-PER", "Mekdad": "I-PER", "Syria": "B-LOC"}
    found = recognise(text, sentences, LexiconTagger(tags))
    assert [(m.id, m.text, m.type, m.sentence_id) for m in found.mentions] == [
        ("m1", "Faisal Mekdad", "PER", "s1"),
        ("m2", "Syria", "LOC", "s2"),
    ]
    assert all(text[m.start : m.end] == m.text for m in found.mentions)
    assert all(0.9 < m.score <= 1 for m in found.mentions)
    assert found.windows == 1


def test_a_name_does_not_cross_a_sentence_border() -> None:
    text, sentences = sentences_of("He left Damascus", "Mekdad stayed")
    tags = {"Damascus": "B-LOC", "Mekdad": "I-LOC"}
    found = recognise(text, sentences, LexiconTagger(tags))
    assert [m.text for m in found.mentions] == ["Damascus"]


def test_text_outside_the_sentences_is_not_read() -> None:
    text = "Follow Syria now. Mekdad left."
    sentence = Sentence("s1", 18, 30, text[18:30], 0)
    tagger = LexiconTagger({"Syria": "B-LOC", "Mekdad": "B-PER"})
    found = recognise(text, [sentence], tagger)
    assert [m.text for m in found.mentions] == ["Mekdad"]
    assert "Syria" not in tagger.seen


def test_the_tagger_sees_straight_quotes_and_sentence_starts() -> None:
    text, sentences = sentences_of("“Yes”", "No – never")
    tagger = LexiconTagger({})
    recognise(text, sentences, tagger)
    assert tagger.seen == ['"', "Yes", '"', "No", "-", "never"]
    assert tagger.breaks == {0, 3}


def test_a_tagger_of_whole_paragraphs_sees_what_attribution_sees() -> None:
    text, sentences = sentences_of("“Yes”", "No – never", "Then he left")
    apart = [*sentences[:2], replace(sentences[2], paragraph=1)]
    tagger = LexiconTagger({"left": "B-LOC"}, whole_paragraphs=True)
    found = recognise(text, apart, tagger)
    assert tagger.seen == ["“", "Yes", "”", "No", "–", "never", "Then", "he", "left"]
    assert tagger.breaks == {6}
    assert [m.sentence_id for m in found.mentions] == ["s3"]


def test_an_apostrophe_does_not_cut_a_name() -> None:
    text, sentences = sentences_of("Then O’Brien spoke to Trump’s aide.")
    found = recognise(text, sentences, LexiconTagger({"Brien": "B-PER", "Trump": "B-PER"}))
    assert [m.text for m in found.mentions] == ["O’Brien", "Trump"]


def test_an_honorific_is_no_part_of_a_name() -> None:
    text, sentences = sentences_of("Mr. Mekdad saw Mrs Lee and a Mr. himself.")
    tags = {"Mr": "B-PER", ".": "I-PER", "Mekdad": "I-PER", "Mrs": "B-PER", "Lee": "I-PER"}
    found = recognise(text[:-1], [replace(sentences[0], end=len(text) - 1)], LexiconTagger(tags))
    assert [(m.id, m.text) for m in found.mentions] == [("m1", "Mekdad"), ("m2", "Lee")]


def mention_of(text: str, kind: EntityType, score: float) -> Mention:
    return Mention("m", 0, len(text), text, kind, score, "s1")


def test_an_article_settles_the_type_of_a_name() -> None:
    person, company = EntityType.PER, EntityType.ORG
    mentions = [mention_of("Moallem", person, 0.9)] * 2 + [mention_of("Moallem", company, 0.8)]
    assert [m.type for m in one_type_a_name(mentions)] == [person] * 3
    undecided = [mention_of("Paris", person, 0.9), mention_of("Paris", EntityType.LOC, 0.8)]
    assert one_type_a_name(undecided) == undecided


def test_nothing_to_read() -> None:
    tagger = LexiconTagger({})
    assert recognise("", [], tagger).mentions == ()
    blank = Sentence("s1", 0, 2, "\n\t", 0)
    assert recognise("\n\t", [blank], tagger).windows == 0


@given(st.lists(st.sampled_from(["Ann", "Lee", "said", "in", "Rome", ",", "x" * 30]), max_size=120))
def test_windows_do_not_change_the_answer(tokens: list[str]) -> None:
    tags = {"Ann": "B-PER", "Lee": "I-PER", "Rome": "B-LOC"}
    text, sentences = sentences_of(" ".join(tokens))
    narrow = recognise(text, sentences, LexiconTagger(tags, 24, 12))
    wide = recognise(text, sentences, LexiconTagger(tags, 512, 512))
    assert narrow.mentions == wide.mentions
    assert all(text[m.start : m.end] == m.text for m in narrow.mentions)
