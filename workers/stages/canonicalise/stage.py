"""canonicalise: mentions to entities, attribution sources to entities, within one article."""

from __future__ import annotations

from collections.abc import Sequence

from service.domain.analysis import Mention, Sentence
from workers.stages.canonicalise.entities import build_entities
from workers.stages.canonicalise.sources import SourceResolver
from workers.stages.types import Canonical, RawAttribution


def canonicalise(
    text: str,
    sentences: Sequence[Sentence],
    mentions: Sequence[Mention],
    attributions: Sequence[RawAttribution],
) -> Canonical:
    """Entities, mentions in reading order that carry their entity, attributions with sources.

    Every mention gets an entity. Every source is resolved or has a `reason`. Ids count in
    reading order and depend on the arguments only.
    """
    entities, numbered = build_entities(text, mentions)
    resolver = SourceResolver(text, sentences, entities, numbered, attributions)
    return Canonical(entities, numbered, resolver.resolve())
