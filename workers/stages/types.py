"""What the stages hand to each other: the typed seams of the pipeline.

    clean(text, title)                                     -> CleanText
    segment(clean_text)                                    -> tuple[Sentence, ...]
    recognise(text, sentences, tagger)                     -> Recognised
    attribute(text, sentences, tagger)                     -> Attributed
    canonicalise(text, sentences, mentions, attributions)  -> Canonical
    stance(text, sentences, canonical, targets, scorer)    -> Stances

`text` is always the article's whole text; sentences lie inside its analysed blocks, so a stage
that only looks at sentences leaves page furniture alone and never shifts an offset.
"""

from __future__ import annotations

from dataclasses import dataclass

from service.domain.analysis import (
    Attribution,
    AttributionKind,
    Block,
    Entity,
    Mention,
    Stance,
    TextSpan,
)


@dataclass(frozen=True, slots=True)
class CleanText:
    """The text as submitted and the blocks that partition it (gaps are whitespace only)."""

    text: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Recognised:
    """Mentions in reading order (without entity ids) and the number of model windows."""

    mentions: tuple[Mention, ...]
    windows: int


@dataclass(frozen=True, slots=True)
class RawAttribution:
    """An attribution before its source is resolved.

    `source` is empty when the text names none. `carried_from` is the index (in reading order)
    of the attribution whose source this one keeps because a quote runs on without a cue; the
    cue is then empty.
    """

    source: tuple[TextSpan, ...]
    cue: tuple[TextSpan, ...]
    content: tuple[TextSpan, ...]
    kind: AttributionKind
    score: float
    sentence_ids: tuple[str, ...]
    carried_from: int | None = None


@dataclass(frozen=True, slots=True)
class Attributed:
    """Attributions in reading order of their content and the number of model windows."""

    attributions: tuple[RawAttribution, ...]
    windows: int


@dataclass(frozen=True, slots=True)
class Canonical:
    """Entities, mentions that carry their entity's id, attributions with resolved sources."""

    entities: tuple[Entity, ...]
    mentions: tuple[Mention, ...]
    attributions: tuple[Attribution, ...]


@dataclass(frozen=True, slots=True)
class Stances:
    """Merged stances and the count of questions asked, left unasked and of model windows."""

    stances: tuple[Stance, ...]
    pairs: int
    pairs_skipped: int
    windows: int
