"""The result of a job: mentions, entities, attributions, stances, and what was covered.

All offsets are Unicode code points of the article's text, and `text[start:end]` equals the
`text` beside them. Ids (`s1`, `m1`, `e1`, `a1`, `st1`) are unique within one analysis, count in
reading order and are stable for the same text, options and pipeline version.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal


class EntityType(StrEnum):
    """The four types of CoNLL-2003."""

    PER = "PER"
    ORG = "ORG"
    LOC = "LOC"
    MISC = "MISC"


class StanceLabel(StrEnum):
    """Holder → target."""

    FAVOR = "favor"
    AGAINST = "against"
    NEUTRAL = "neutral"


class Abstention(StrEnum):
    """Why no label is given."""

    NO_EVIDENCE = "no_evidence"
    LOW_CONFIDENCE = "low_confidence"
    NOT_READ = "not_read"


class AttributionKind(StrEnum):
    """How the content is reported: quoted, paraphrased, or both."""

    DIRECT = "direct"
    INDIRECT = "indirect"
    MIXED = "mixed"


class SourceResolution(StrEnum):
    """How an attribution's source was tied to an entity."""

    NAMED = "named"  # a mention of the entity lies in the source span
    NOMINAL = "nominal"  # "the minister", "the diplomat"
    PRONOUN = "pronoun"  # "he", "they"
    CARRIED = "carried"  # a quote that runs on without a cue keeps its source
    UNRESOLVED = "unresolved"  # left open; `reason` says why


BlockKind = Literal[
    "title", "body", "dateline", "byline", "caption", "navigation", "related", "placeholder",
    "repeat", "credit",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class TextSpan:
    """A span together with its characters."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of the page; what is not `analysed` is page furniture, and `reason` says why."""

    start: int
    end: int
    kind: BlockKind
    analysed: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence inside one paragraph (both counted from 0)."""

    id: str
    start: int
    end: int
    text: str
    paragraph: int


@dataclass(frozen=True, slots=True)
class Mention:
    """One span that names something. `score` is the tagger's probability, 0 to 1."""

    id: str
    start: int
    end: int
    text: str
    type: EntityType
    score: float
    sentence_id: str
    entity_id: str | None = None


@dataclass(frozen=True, slots=True)
class Entity:
    """What the mentions mean within this article. `name` is the fullest alias."""

    id: str
    name: str
    type: EntityType
    aliases: tuple[str, ...]
    mention_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AttributionSource:
    """Who the content is attributed to. No spans: the text names no source (about 8 %)."""

    spans: tuple[TextSpan, ...]
    entity_id: str | None
    resolution: SourceResolution
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Attribution:
    """Source, cue, content (PARC 3 / PolNeAR); cue and content may be discontinuous."""

    id: str
    source: AttributionSource
    cue: tuple[TextSpan, ...]
    content: tuple[TextSpan, ...]
    kind: AttributionKind
    score: float
    sentence_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose stance it is: an entity, or the article's own voice (`author`, no entity)."""

    kind: Literal["entity", "author"]
    name: str
    entity_id: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Towards whom or what: an entity, or a topic or claim that the caller asked about."""

    kind: Literal["entity", "topic"]
    name: str
    entity_id: str | None = None


@dataclass(frozen=True, slots=True)
class Probabilities:
    """Calibrated probabilities of the three labels; they sum to 1."""

    favor: float
    against: float
    neutral: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """A span that bears on a stance, and what it says by itself."""

    start: int
    end: int
    text: str
    sentence_id: str
    attribution_id: str | None
    label: StanceLabel
    probabilities: Probabilities


@dataclass(frozen=True, slots=True)
class Stance:
    """Holder → target over the whole article. Either `label` or `abstention` is set."""

    id: str
    holder: Holder
    target: Target
    label: StanceLabel | None
    abstention: Abstention | None
    probabilities: Probabilities | None
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class SkippedSpan:
    """Characters that were not analysed, and why."""

    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was analysed and what was not: nothing is cut silently.

    `windows` counts model windows by model name; `stance_pairs_skipped` is how many
    holder-target questions the limit left unasked.
    """

    characters: int
    analysed_characters: int
    windows: dict[str, int]
    stance_pairs: int
    stance_pairs_skipped: int
    skipped: tuple[SkippedSpan, ...]


@dataclass(frozen=True, slots=True)
class AnalysisWarning:
    """Something a reader must know before trusting the result."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything that one job found in one article."""

    pipeline_version: str
    text_sha256: str
    language: str
    blocks: tuple[Block, ...]
    sentences: tuple[Sentence, ...]
    mentions: tuple[Mention, ...]
    entities: tuple[Entity, ...]
    attributions: tuple[Attribution, ...]
    stances: tuple[Stance, ...]
    coverage: Coverage
    warnings: tuple[AnalysisWarning, ...]


@dataclass(frozen=True, slots=True)
class StoredAnalysis:
    """An analysis as the store keeps it. `document` is the JSON form of `Analysis`."""

    article_id: str
    job_id: str
    pipeline_version: str
    created_at: datetime
    document: dict[str, object]
