"""Sentences → attributions with unresolved sources."""

from collections.abc import Sequence
from dataclasses import replace

from service.domain.analysis import Sentence, TextSpan
from service.domain.spans import Span
from workers.models.attribution import AttributionReader
from workers.models.words import Word
from workers.stages.attribute.carry import as_attribution, carried, sentences_under
from workers.stages.attribute.decode import LinkedWords, read_attributions, without_specks
from workers.stages.attribute.quotes import kind_of, quoted_letters, quoted_spans
from workers.stages.types import Attributed, RawAttribution
from workers.stages.words import words_of


def attribute(text: str, sentences: Sequence[Sentence], model: AttributionReader) -> Attributed:
    """Attributions of all sentences, in reading order of their content."""
    read = words_of(text, sentences)
    words, sentence_of = read.words, read.sentence_of
    linked, windows = read_attributions(words, read.paragraph_starts, sentence_of, model)
    mask = quoted_letters(text, quoted_spans(text, _paragraphs(sentences)))
    starts = [sentence.start for sentence in sentences]
    cleared = (without_specks(link, words, sentence_of) for link in linked)
    found = [_raw(text, sentences, starts, words, link, mask) for link in cleared if link]
    found.sort(key=_reading_order)
    runs = carried(text, sentences, found, mask)
    everything = [(attribution, number) for number, attribution in enumerate(found)]
    everything.extend(
        (as_attribution(text, found[origin], origin, run), -1) for origin, run in runs
    )
    everything.sort(key=lambda pair: _reading_order(pair[0]))
    moved = {old: new for new, (_, old) in enumerate(everything) if old >= 0}
    return Attributed(
        tuple(
            attribution
            if attribution.carried_from is None
            else replace(attribution, carried_from=moved[attribution.carried_from])
            for attribution, _ in everything
        ),
        windows,
    )


def _paragraphs(sentences: Sequence[Sentence]) -> list[Span]:
    """Extent of each paragraph from its first sentence to its last."""
    found: list[Span] = []
    for number, sentence in enumerate(sentences):
        if number and sentence.paragraph == sentences[number - 1].paragraph:
            found[-1] = Span(found[-1].start, sentence.end)
        else:
            found.append(Span(sentence.start, sentence.end))
    return found


def _reading_order(attribution: RawAttribution) -> tuple[int, int, int]:
    content = attribution.content
    return content[0].start, content[-1].end, attribution.cue[0].start if attribution.cue else -1


def _raw(
    text: str,
    sentences: Sequence[Sentence],
    starts: Sequence[int],
    words: Sequence[Word],
    link: LinkedWords,
    mask: bytearray,
) -> RawAttribution:
    source, cue, content = (
        tuple(_span(text, words, run) for run in runs)
        for runs in (link.source, (link.cue,), link.content)
    )
    under = {
        place
        for span in (*source, *cue, *content)
        for place in sentences_under(sentences, starts, span)
    }
    return RawAttribution(
        source=source,
        cue=cue,
        content=content,
        kind=kind_of(text, content, mask),
        score=round(link.score, 4),
        sentence_ids=tuple(sentences[place].id for place in sorted(under)),
    )


def _span(text: str, words: Sequence[Word], run: tuple[int, int]) -> TextSpan:
    start, end = words[run[0]].start, words[run[1] - 1].end
    return TextSpan(start, end, text[start:end])
