"""A complete analysis of a short invented article, in domain objects.

Spans are found in the text, not counted by hand, so the example cannot be off by one.
"""

from __future__ import annotations

from service.domain.analysis import (
    Abstention,
    Analysis,
    AnalysisWarning,
    Attribution,
    AttributionKind,
    AttributionSource,
    Block,
    Coverage,
    Entity,
    EntityType,
    Evidence,
    Holder,
    Mention,
    Probabilities,
    Sentence,
    SkippedSpan,
    SourceResolution,
    Stance,
    StanceLabel,
    Target,
    TextSpan,
)
from service.domain.article import text_sha256

_FIRST = "Foreign Minister Ada Holm said that the sanctions against Norland “have failed”."
_SECOND = "“They only hurt ordinary people,” Holm added."
_FURNITURE = "Follow us on social media"
TEXT = f"{_FIRST} {_SECOND}\n\n{_FURNITURE}"

_BODY_END = len(_FIRST) + 1 + len(_SECOND)


def _span(words: str, begin: int = 0) -> TextSpan:
    start = TEXT.index(words, begin)
    return TextSpan(start, start + len(words), words)


def _mention(id_: str, words: str, type_: EntityType, entity: str, sentence: Sentence) -> Mention:
    span = _span(words, sentence.start)
    return Mention(id_, span.start, span.end, words, type_, 0.98, sentence.id, entity)


def _evidence(span: TextSpan, sentence: Sentence, attribution: str | None) -> Evidence:
    return Evidence(
        span.start,
        span.end,
        span.text,
        sentence.id,
        attribution,
        StanceLabel.AGAINST,
        _AGAINST,
    )


_AGAINST = Probabilities(favor=0.03, against=0.89, neutral=0.08)

_S1 = Sentence("s1", 0, len(_FIRST), _FIRST, 0)
_S2 = Sentence("s2", len(_FIRST) + 1, _BODY_END, _SECOND, 0)

_HOLM = Holder("entity", "Ada Holm", "e1")
_FAILED = _span("the sanctions against Norland “have failed”")
_HURT = _span("They only hurt ordinary people,")

EXAMPLE = Analysis(
    pipeline_version="9f2c4e7a1b3d",
    text_sha256=text_sha256(TEXT),
    language="en",
    blocks=(
        Block(0, _BODY_END, "body", True),
        Block(_BODY_END + 2, len(TEXT), "navigation", False, "asks the reader to follow"),
    ),
    sentences=(_S1, _S2),
    mentions=(
        _mention("m1", "Ada Holm", EntityType.PER, "e1", _S1),
        _mention("m2", "Norland", EntityType.LOC, "e2", _S1),
        _mention("m3", "Holm", EntityType.PER, "e1", _S2),
    ),
    entities=(
        Entity("e1", "Ada Holm", EntityType.PER, ("Ada Holm", "Holm"), ("m1", "m3")),
        Entity("e2", "Norland", EntityType.LOC, ("Norland",), ("m2",)),
    ),
    attributions=(
        Attribution(
            "a1",
            AttributionSource((_span("Foreign Minister Ada Holm"),), "e1", SourceResolution.NAMED),
            (_span("said"),),
            (_FAILED,),
            AttributionKind.MIXED,
            0.94,
            ("s1",),
        ),
        Attribution(
            "a2",
            AttributionSource((_span("Holm", _S2.start),), "e1", SourceResolution.NAMED),
            (_span("added"),),
            (_HURT,),
            AttributionKind.DIRECT,
            0.97,
            ("s2",),
        ),
    ),
    stances=(
        Stance(
            "st1",
            _HOLM,
            Target("topic", "sanctions against Norland"),
            StanceLabel.AGAINST,
            None,
            _AGAINST,
            (_evidence(_FAILED, _S1, "a1"), _evidence(_HURT, _S2, "a2")),
        ),
        Stance(
            "st2",
            Holder("author", "author"),
            Target("entity", "Ada Holm", "e1"),
            None,
            Abstention.NO_EVIDENCE,
            None,
            (),
        ),
    ),
    coverage=Coverage(
        characters=len(TEXT),
        analysed_characters=_BODY_END,
        windows={"ner": 1, "attribution": 1, "stance": 2},
        stance_pairs=2,
        stance_pairs_skipped=0,
        skipped=(SkippedSpan(_BODY_END + 2, len(TEXT), "navigation"),),
    ),
    warnings=(
        AnalysisWarning("short_text", "The article has few sentences; labels rest on little."),
    ),
)
