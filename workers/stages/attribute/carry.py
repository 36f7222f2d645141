"""Quotations that run on: sentences without a cue that keep the last speaker."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from service.domain.analysis import AttributionKind, Sentence, TextSpan
from service.domain.spans import Span
from workers.stages.attribute.quotes import DIRECT_SHARE, quoted_share
from workers.stages.types import RawAttribution

# A new quotation of a few words is a heading or a title; inside one that has already
# begun, every sentence counts.
_FEWEST_WORDS = 6


def carried(
    text: str,
    sentences: Sequence[Sentence],
    attributions: Sequence[RawAttribution],
    mask: bytearray,
) -> list[tuple[int, tuple[Sentence, ...]]]:
    """Runs of carried sentences, each with the number of the attribution that it continues.

    A run begins right after a sentence that holds quoted content of an attribution (or
    inside the same quotation), and ends at the first sentence that is not all
    quotation or that has an attribution of its own. `mask`: see `quoted_letters`.
    """
    speaker: int | None = None
    starts = [sentence.start for sentence in sentences]
    taken: dict[int, set[int]] = {}
    for number, attribution in enumerate(attributions):
        for span in (*attribution.content, *attribution.cue):
            for place in sentences_under(sentences, starts, span):
                taken.setdefault(place, set()).add(number)
    runs: list[tuple[int, tuple[Sentence, ...]]] = []
    continues = False
    for place, sentence in enumerate(sentences):
        if here := taken.get(place):
            last = max(sorted(here), key=lambda number: attributions[number].content[-1].end)
            quotes = attributions[last].kind is not AttributionKind.INDIRECT
            speaker = last if quotes and attributions[last].source else None
            continues = False
            continue
        if speaker is not None and _is_quotation(text, sentence, mask):
            if continues and runs[-1][0] == speaker:
                runs[-1] = (speaker, (*runs[-1][1], sentence))
            else:
                runs.append((speaker, (sentence,)))
            continues = True
            continue
        speaker, continues = None, False
    return runs


def sentences_under(sentences: Sequence[Sentence], starts: Sequence[int], span: TextSpan) -> range:
    """Numbers of the sentences that share a character with `span`; `starts` are theirs."""
    first = max(0, bisect_right(starts, span.start) - 1)
    if sentences[first].end <= span.start:
        first += 1
    return range(first, bisect_left(starts, span.end))


def _is_quotation(text: str, sentence: Sentence, mask: bytearray) -> bool:
    begun = bool(mask[sentence.start])
    if not begun and len(sentence.text.split()) < _FEWEST_WORDS:
        return False
    return quoted_share(text, [Span(sentence.start, sentence.end)], mask) >= DIRECT_SHARE


def as_attribution(
    text: str, origin: RawAttribution, number: int, run: Sequence[Sentence]
) -> RawAttribution:
    """A carried attribution: the origin's source, no cue, one content span a paragraph."""
    spans: list[TextSpan] = []
    paragraph = -1
    for sentence in run:
        if spans and sentence.paragraph == paragraph:
            start = spans[-1].start
            spans[-1] = TextSpan(start, sentence.end, text[start : sentence.end])
        else:
            spans.append(TextSpan(sentence.start, sentence.end, sentence.text))
        paragraph = sentence.paragraph
    return RawAttribution(
        source=origin.source,
        cue=(),
        content=tuple(spans),
        kind=AttributionKind.DIRECT,
        score=origin.score,
        sentence_ids=tuple(sentence.id for sentence in run),
        carried_from=number,
    )
