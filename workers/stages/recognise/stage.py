"""Sentences → mentions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service.domain.analysis import EntityType, Mention, Sentence
from workers.models.bio import spans_of, viterbi
from workers.models.token_tagger import WordTagger
from workers.models.windowing import log_softmax, merge_windows
from workers.models.words import plain_punctuation
from workers.stages.recognise.tidy import one_type_a_name, without_honorific
from workers.stages.types import Recognised
from workers.stages.words import words_of

_APOSTROPHES = frozenset("'’")


def recognise(text: str, sentences: Sequence[Sentence], tagger: WordTagger) -> Recognised:
    """Mentions of all sentences; `text[start:end]` is each mention's text."""
    if tagger.whole_paragraphs:
        read = words_of(text, sentences)
        breaks = read.paragraph_starts
    else:
        read = words_of(plain_punctuation(text), sentences)
        breaks = read.sentence_starts
    words, borders = read.words, read.borders
    if not words:
        return Recognised((), 0)
    windows = tagger.windows(words, breaks)
    scores = log_softmax(merge_windows(windows, tagger.tag(windows), len(words)))
    mentions: list[Mention] = []
    for number, sentence in enumerate(sentences):
        first, last = borders[number], borders[number + 1]
        for kind, start, end, score in _spans(scores[first:last], tagger.labels):
            inside = words[first + start : first + end]
            begin = _whole_word_start(text, inside[0].start, sentence.start)
            if kind == EntityType.PER:
                begin = without_honorific(text, begin, inside[-1].end)
            if begin == inside[-1].end:
                continue
            mentions.append(
                Mention(
                    id=f"m{len(mentions) + 1}",
                    start=begin,
                    end=inside[-1].end,
                    text=text[begin : inside[-1].end],
                    type=EntityType(kind),
                    score=round(score, 4),
                    sentence_id=sentence.id,
                )
            )
    return Recognised(tuple(one_type_a_name(mentions)), len(windows))


def _spans(
    scores: NDArray[np.float32], labels: tuple[str, ...]
) -> list[tuple[str, int, int, float]]:
    """Spans (type, first, end) of one sentence; score is the mean probability of the type."""
    tags = [labels[number] for number in viterbi(scores, labels)]
    found = []
    for kind, start, end in spans_of(tags):
        columns = [column for column, label in enumerate(labels) if label[2:] == kind]
        score = float(np.exp(scores[start:end, columns]).sum(axis=1).mean())
        found.append((kind, start, end, min(1.0, score)))
    return found


def _whole_word_start(text: str, start: int, limit: int) -> int:
    """Start of the word that an apostrophe runs through: "Brien" of "O'Brien" → "O'Brien"."""
    while start - 2 >= limit and text[start - 1] in _APOSTROPHES and text[start - 2].isalpha():
        start -= 2
        while start > limit and text[start - 1].isalpha():
            start -= 1
    return start
