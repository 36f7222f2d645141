"""What of an article was read and what a reader must know: nothing is left out silently."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from service.domain.analysis import AnalysisWarning, Block, Coverage, Sentence, SkippedSpan
from workers.stages.clean.language import UNDETERMINED, Language

ENGLISH = "en"


def covered(
    text: str,
    blocks: Sequence[Block],
    sentences: Sequence[Sentence],
    *,
    windows: dict[str, int],
    pairs: int,
    pairs_skipped: int,
) -> Coverage:
    """Characters inside sentences are analysed; every other stretch but white space is skipped."""
    return Coverage(
        characters=len(text),
        analysed_characters=sum(sentence.end - sentence.start for sentence in sentences),
        windows=windows,
        stance_pairs=pairs,
        stance_pairs_skipped=pairs_skipped,
        skipped=tuple(_skipped(text, blocks, sentences)),
    )


def _skipped(
    text: str, blocks: Sequence[Block], sentences: Sequence[Sentence]
) -> Iterator[SkippedSpan]:
    at = 0
    waiting = iter([*sentences, None])
    sentence = next(waiting)
    for block in blocks:
        if not block.analysed:
            yield SkippedSpan(block.start, block.end, block.reason or block.kind)
            continue
        at = block.start
        while sentence is not None and sentence.start < block.end:
            yield from _gap(text, at, sentence.start)
            at = sentence.end
            sentence = next(waiting)
        yield from _gap(text, at, block.end)


def _gap(text: str, start: int, end: int) -> Iterator[SkippedSpan]:
    between = text[start:end]
    inner = between.strip()
    if inner:
        first = start + between.index(inner)
        yield SkippedSpan(first, first + len(inner), "no_sentence")


def warnings_of(
    *,
    declared_language: str | None,
    language: Language,
    sentences: Sequence[Sentence],
    pairs: int,
    pairs_skipped: int,
) -> tuple[AnalysisWarning, ...]:
    """Warnings in a fixed order; their codes are stable."""
    found: list[AnalysisWarning] = []
    declared = (declared_language or ENGLISH).lower().partition("-")[0]
    if language.code not in {ENGLISH, UNDETERMINED}:
        found.append(
            AnalysisWarning(
                "language_not_english",
                f"the text looks like {language.code!r} (probability {language.probability:.2f}); "
                "the models read English only",
            )
        )
    elif declared != ENGLISH:
        found.append(
            AnalysisWarning(
                "language_not_english",
                f"the article is declared as {declared_language!r}; the models read English only",
            )
        )
    if not any(char.isalnum() for sentence in sentences for char in sentence.text):
        found.append(AnalysisWarning("no_body", "the text has no sentence that could be analysed"))
    if pairs_skipped > pairs:
        found.append(
            AnalysisWarning(
                "stance_questions_skipped",
                f"{pairs_skipped} of {pairs + pairs_skipped} stance questions were not asked",
            )
        )
    return tuple(found)
