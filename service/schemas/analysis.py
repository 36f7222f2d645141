"""The analysis as it is served: `service.domain.analysis`, field by field.

A test compares these schemas with the dataclasses, so neither changes alone.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, get_args

from marshmallow import Schema, fields, validate

from service.domain.analysis import (
    Abstention,
    AttributionKind,
    BlockKind,
    EntityType,
    SourceResolution,
    StanceLabel,
)
from service.domain.spans import OFFSET_UNITS
from service.schemas.fields import identifier, nested, nested_list


def _string(description: str | None = None, **kwargs: Any) -> fields.String:
    metadata = {"description": description} if description else {}
    return fields.String(required=True, metadata=metadata, **kwargs)


def _one_of(values: type[StrEnum], **kwargs: Any) -> fields.String:
    return _string(validate=[validate.OneOf([value.value for value in values])], **kwargs)


def _count(description: str | None = None) -> fields.Integer:
    metadata = {"description": description} if description else {}
    return fields.Integer(required=True, validate=[validate.Range(min=0)], metadata=metadata)


def _share(description: str | None = None) -> fields.Float:
    metadata = {"description": description} if description else {}
    return fields.Float(required=True, validate=[validate.Range(min=0, max=1)], metadata=metadata)


class RangeSchema(Schema):
    """A half-open range `[start, end)` in the unit that `offsets` names."""

    start = _count()
    end = _count()


class TextSpanSchema(RangeSchema):
    """A range together with its characters."""

    text = _string()


class BlockSchema(RangeSchema):
    """A stretch of the page; what is not `analysed` is page furniture."""

    kind = _string(validate=[validate.OneOf(get_args(BlockKind))])
    analysed = fields.Boolean(required=True)
    reason = _string("Why it is left out.", allow_none=True)


class SentenceSchema(TextSpanSchema):
    """One sentence inside one paragraph (both counted from 0)."""

    id = _string()
    paragraph = _count()


class MentionSchema(TextSpanSchema):
    """One span that names something."""

    id = _string()
    type = _one_of(EntityType)
    score = _share("The tagger's probability.")
    sentence_id = _string()
    entity_id = _string(allow_none=True)


class EntitySchema(Schema):
    """What the mentions mean within this article; `name` is the fullest alias."""

    id = _string()
    name = _string()
    type = _one_of(EntityType)
    aliases = fields.List(fields.String(), required=True)
    mention_ids = fields.List(fields.String(), required=True)


class AttributionSourceSchema(Schema):
    """Who the content is attributed to; no spans when the text names no source."""

    spans = nested_list(TextSpanSchema)
    entity_id = _string(allow_none=True)
    resolution = _one_of(SourceResolution)
    reason = _string("Why the source is left open.", allow_none=True)


class AttributionSchema(Schema):
    """Source, cue and content; cue and content may be discontinuous."""

    id = _string()
    source = nested(AttributionSourceSchema)
    cue = nested_list(TextSpanSchema)
    content = nested_list(TextSpanSchema)
    kind = _one_of(AttributionKind)
    score = _share()
    sentence_ids = fields.List(fields.String(), required=True)


class HolderSchema(Schema):
    """Whose stance it is: an entity, or the article's own voice (`author`)."""

    kind = _string(validate=[validate.OneOf(["entity", "author"])])
    name = _string()
    entity_id = _string(allow_none=True)


class TargetSchema(Schema):
    """Towards whom or what: an entity, or a topic or claim that the caller asked about."""

    kind = _string(validate=[validate.OneOf(["entity", "topic"])])
    name = _string()
    entity_id = _string(allow_none=True)


class ProbabilitiesSchema(Schema):
    """Calibrated probabilities; they sum to 1."""

    favor = _share()
    against = _share()
    neutral = _share()


class EvidenceSchema(TextSpanSchema):
    """A span that bears on a stance, and what it says by itself."""

    sentence_id = _string()
    attribution_id = _string(allow_none=True)
    label = _one_of(StanceLabel)
    probabilities = nested(ProbabilitiesSchema)


class StanceSchema(Schema):
    """Holder → target over the whole article; either `label` or `abstention` is set."""

    id = _string()
    holder = nested(HolderSchema)
    target = nested(TargetSchema)
    label = _one_of(StanceLabel, allow_none=True)
    abstention = _one_of(Abstention, allow_none=True)
    probabilities = nested(ProbabilitiesSchema, allow_none=True)
    evidence = nested_list(EvidenceSchema)


class SkippedSpanSchema(RangeSchema):
    """Characters that were not analysed, and why."""

    reason = _string()


class CoverageSchema(Schema):
    """What was analysed and what was not: nothing is cut silently."""

    characters = _count("Code points of the text, whatever `offsets` says.")
    analysed_characters = _count("Code points that were analysed.")
    windows = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(validate=[validate.Range(min=0)]),
        required=True,
        metadata={"description": "Model windows by model name."},
    )
    stance_pairs = _count("Holder-target questions that were asked.")
    stance_pairs_skipped = _count("Questions that the limit left unasked.")
    skipped = nested_list(SkippedSpanSchema)


class AnalysisWarningSchema(Schema):
    """Something a reader must know before trusting the result."""

    code = _string()
    detail = _string()


class AnalysisDocumentSchema(Schema):
    """Everything that one job found in one article."""

    pipeline_version = _string("Digest of the weights, thresholds and settings behind it.")
    text_sha256 = fields.String(
        required=True,
        metadata={
            "pattern": "^[0-9a-f]{64}$",
            "description": "SHA-256, in UTF-8, of the text that the offsets count in.",
        },
    )
    language = _string()
    blocks = nested_list(BlockSchema)
    sentences = nested_list(SentenceSchema)
    mentions = nested_list(MentionSchema)
    entities = nested_list(EntitySchema)
    attributions = nested_list(AttributionSchema)
    stances = nested_list(StanceSchema)
    coverage = nested(CoverageSchema)
    warnings = nested_list(AnalysisWarningSchema)


class AnalysisSchema(AnalysisDocumentSchema):
    """The analysis of an article, with what identifies the article and the unit of offsets."""

    article_id = identifier(required=True)
    job_id = identifier(required=True)
    created_at = fields.String(required=True, metadata={"format": "date-time"})
    title = _string(allow_none=True)
    source = _string(allow_none=True)
    url = _string(allow_none=True)
    published_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    offsets = fields.String(
        required=True,
        validate=[validate.OneOf(OFFSET_UNITS)],
        metadata={"description": "What `start` and `end` count in."},
    )


class AnalysisQuerySchema(Schema):
    """How to present an analysis."""

    offsets = fields.String(
        validate=[validate.OneOf(OFFSET_UNITS)],
        metadata={"description": "What offsets count in; by default what the submission asked."},
    )
