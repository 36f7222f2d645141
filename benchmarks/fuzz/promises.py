"""What holds for the analysis of any article, whatever the models say."""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.fuzz.texts import Submitted
from service.domain.analysis import Analysis, Block, Coverage, Sentence
from service.domain.documents import to_document, with_offsets
from service.domain.spans import OffsetMap
from workers.coverage import covered
from workers.pipeline import Pipeline
from workers.stages.clean.stage import clean
from workers.stages.segment.stage import segment


def check_stages(text: str) -> None:
    """What the stages before the models promise; they cost little, so most examples go here."""
    cleaned = clean(text)
    sentences = segment(cleaned)
    assert (clean(text), segment(cleaned)) == (cleaned, sentences), "the same again"
    coverage = covered(text, cleaned.blocks, sentences, windows={}, pairs=0, pairs_skipped=0)
    document: dict[str, Any] = {
        "blocks": [asdict(block) for block in cleaned.blocks],
        "sentences": [asdict(sentence) for sentence in sentences],
        "skipped": [asdict(span) for span in coverage.skipped],
    }
    _spans(text, document)
    _offsets(text, document)
    _layout(text, cleaned.blocks, sentences)
    _coverage(text, coverage, sentences)


def check_submission(pipeline: Pipeline, submitted: Submitted) -> None:
    """Analyse it twice. Raises `AssertionError` where a promise is broken, or what a stage does."""
    text = submitted.article.text
    analysis = pipeline.run(submitted.article, submitted.options, lambda stage: None)
    document = to_document(analysis)
    stored = json.dumps(document, allow_nan=False, sort_keys=True)
    assert json.loads(stored) == document, "an analysis survives being stored"
    again = pipeline.run(submitted.article, submitted.options, lambda stage: None)
    assert json.dumps(to_document(again), sort_keys=True) == stored, "the same analysis again"
    _spans(text, document)
    _offsets(text, document)
    _layout(text, analysis.blocks, analysis.sentences)
    _coverage(text, analysis.coverage, analysis.sentences)
    _references(analysis)
    _numbers(document)


def spans_of(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a document that has a start and an end, in a fixed order."""
    if isinstance(value, dict):
        if {"start", "end"} <= value.keys():
            yield value
        for member in value.values():
            yield from spans_of(member)
    elif isinstance(value, list):
        for member in value:
            yield from spans_of(member)


def _spans(text: str, document: dict[str, Any]) -> None:
    for span in spans_of(document):
        start, end = span["start"], span["end"]
        assert 0 <= start < end <= len(text), span
        if "text" in span:
            assert text[start:end] == span["text"], span


def _offsets(text: str, document: dict[str, Any]) -> None:
    """Counted in code units or bytes a span covers the same characters."""
    found = [text[span["start"] : span["end"]] for span in spans_of(document)]
    utf8, utf16 = text.encode("utf-8"), text.encode("utf-16-le")
    moved = with_offsets(document, OffsetMap(text, "utf8"))
    assert [utf8[span["start"] : span["end"]].decode() for span in spans_of(moved)] == found
    moved = with_offsets(document, OffsetMap(text, "utf16"))
    units = [utf16[2 * span["start"] : 2 * span["end"]] for span in spans_of(moved)]
    assert [unit.decode("utf-16-le") for unit in units] == found


def _layout(text: str, blocks: Sequence[Block], sentences: Sequence[Sentence]) -> None:
    """Blocks and sentences stand in order, touch nothing twice and leave out only white space."""
    at = 0
    for block in blocks:
        assert at <= block.start, block
        assert not text[at : block.start].strip(), block
        at = block.end
    assert not text[at:].strip(), "the last block reaches the end"
    analysed = [block for block in blocks if block.analysed]
    waiting = deque(sentences)
    for paragraph, block in enumerate(analysed):
        at = block.start
        while waiting and waiting[0].start < block.end:
            sentence = waiting.popleft()
            assert at <= sentence.start < sentence.end <= block.end, sentence
            assert not text[at : sentence.start].strip(), "nothing stands between sentences"
            assert sentence.text.strip() == sentence.text, sentence
            assert sentence.paragraph == paragraph, sentence
            at = sentence.end
        assert not text[at : block.end].strip(), "sentences cover their block"
    assert not waiting, "every sentence lies in an analysed block"


def _coverage(text: str, coverage: Coverage, sentences: Sequence[Sentence]) -> None:
    """Every character is read, or skipped with a reason, or white space; never two of these."""
    assert coverage.characters == len(text)
    read = sum(sentence.end - sentence.start for sentence in sentences)
    assert coverage.analysed_characters == read
    ranges = sorted(
        [(sentence.start, sentence.end) for sentence in sentences]
        + [(span.start, span.end) for span in coverage.skipped]
    )
    at = 0
    for start, end in ranges:
        assert at <= start, (at, start)
        assert not text[at:start].strip(), (at, start)
        at = end
    assert not text[at:].strip()
    assert all(span.reason for span in coverage.skipped)
    counts = (coverage.stance_pairs, coverage.stance_pairs_skipped, *coverage.windows.values())
    assert min(counts) >= 0


def _references(analysis: Analysis) -> None:
    """Ids count from 1 in reading order, and what refers to one finds it."""
    for letter, found in (
        ("s", analysis.sentences), ("m", analysis.mentions), ("e", analysis.entities),
        ("a", analysis.attributions), ("st", analysis.stances),
    ):  # fmt: skip
        ids = [one.id for one in found]
        assert ids == [f"{letter}{number}" for number in range(1, len(found) + 1)], letter
    sentences = {sentence.id: sentence for sentence in analysis.sentences}
    mentions = {mention.id: mention for mention in analysis.mentions}
    entities = {entity.id: entity for entity in analysis.entities}
    attributions = {attribution.id for attribution in analysis.attributions}
    for mention in analysis.mentions:
        sentence = sentences[mention.sentence_id]
        assert sentence.start <= mention.start < mention.end <= sentence.end, mention
        assert mention.id in entities[mention.entity_id or ""].mention_ids
    named = [id_ for entity in analysis.entities for id_ in entity.mention_ids]
    assert sorted(named) == sorted(mentions), "each mention has one entity"
    for entity in analysis.entities:
        assert entity.name.strip(), entity
        assert entity.name in entity.aliases, entity
    starts = [mention.start for mention in analysis.mentions]
    assert starts == sorted(starts)
    for attribution in analysis.attributions:
        assert attribution.content, attribution
        assert attribution.sentence_ids
        assert set(attribution.sentence_ids) <= sentences.keys()
        source = attribution.source
        assert source.entity_id is None or source.entity_id in entities
        assert (source.entity_id is None) == (source.reason is not None), source
    for stance in analysis.stances:
        assert (stance.label is None) != (stance.abstention is None), stance
        for party in (stance.holder, stance.target):
            assert party.entity_id is None or party.entity_id in entities, party
        for evidence in stance.evidence:
            assert evidence.sentence_id in sentences
            assert evidence.attribution_id is None or evidence.attribution_id in attributions


def _numbers(value: Any) -> None:
    """Scores and probabilities lie in 0 to 1; the three of a stance add up to 1."""
    if isinstance(value, list):
        for member in value:
            _numbers(member)
    if not isinstance(value, dict):
        return
    if "score" in value:
        assert 0 <= value["score"] <= 1, value
    if {"favor", "against", "neutral"} == value.keys():
        assert all(0 <= number <= 1 for number in value.values()), value
        assert math.isclose(sum(value.values()), 1, abs_tol=1e-3), value
    for member in value.values():
        _numbers(member)
