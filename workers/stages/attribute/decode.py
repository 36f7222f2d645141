"""Model scores → cues, and for each cue its source and content, in word numbers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from workers.models.attribution import (
    LINK_LABELS,
    TAG_LABELS,
    AttributionReader,
    TaggedWindow,
    distance_bucket,
)
from workers.models.bio import spans_of, viterbi
from workers.models.windowing import central_windows, log_softmax, merge_windows
from workers.models.words import Window, Word

SOURCE, CONTENT = LINK_LABELS.index("source"), LINK_LABELS.index("content")
_CUE = [column for column, label in enumerate(TAG_LABELS) if label.endswith("-CUE")]


@dataclass(frozen=True, slots=True)
class LinkedWords:
    """One attribution: runs of words `first:last`, and the model's probability for it."""

    source: tuple[tuple[int, int], ...]
    cue: tuple[int, int]
    content: tuple[tuple[int, int], ...]
    score: float


# A statement that no cue claims is looked at again if at least so many words of it are
# unclaimed, and if they are this share of what the second look finds.
_ORPHAN_WORDS = 4
_ORPHAN_SHARE = 0.7
# So few words alone in a sentence are a slip of the reader.
_SPECK = 2


def read_attributions(
    words: Sequence[Word],
    breaks: Collection[int],
    sentence_of: Sequence[int],
    model: AttributionReader,
) -> tuple[list[LinkedWords], int]:
    """Attributions in the order of their cues, and the number of windows read.

    `breaks`: first words of paragraphs; `sentence_of`: each word's sentence. A cue
    without content is dropped; one without source is kept (8 % of the training data
    names no source).
    """
    if not words:
        return [], 0
    windows = model.windows(words, breaks)
    tagged = model.tag(windows)
    reading = _Reading(
        model=model,
        windows=windows,
        tagged=tagged,
        central=central_windows(windows, len(words)),
    )
    limits = model.thresholds
    tags = log_softmax(merge_windows(windows, [part.logits for part in tagged], len(words)))
    sure = [reading.of_cue(cue) for cue in find_cues(tags, limits["cue_bias"])]
    found = [link for link in sure if link and link.score >= limits["minimum_score"]]
    if limits["rescue_bias"] > limits["cue_bias"]:
        found.extend(_rescued(reading, tags, found, sentence_of))
    return sorted(found, key=lambda link: link.cue), len(windows)


@dataclass(frozen=True, slots=True)
class _Reading:
    """The model's answers for one text."""

    model: AttributionReader
    windows: Sequence[Window]
    tagged: Sequence[TaggedWindow]
    central: NDArray[np.int64]

    def of_cue(self, cue: tuple[int, int, float]) -> LinkedWords | None:
        """What the words around a cue are to it; None if none is its content."""
        first, last, cue_score = cue
        limits = self.model.thresholds
        radius = int(limits["radius"])
        number = int(self.central[(first + last) // 2])
        window = self.windows[number]
        low = max(window.first_word, first - radius)
        high = min(window.last_word, last + radius)
        logits = self.model.link(
            self.tagged[number].features[low - window.first_word : high - window.first_word],
            [distance_bucket(word, first, last) for word in range(low, high)],
        )
        links = log_softmax(logits)
        # The cue itself is neither.
        links[max(first, low) - low : min(last, high) - low, 1:] = -50.0
        classes = smooth(links, limits["switch_penalty"])
        content = classes == CONTENT
        if not content.any():
            return None
        return LinkedWords(
            source=runs(classes == SOURCE, low),
            cue=(first, last),
            content=runs(content, low),
            score=cue_score * float(np.exp(links[content, CONTENT]).mean()),
        )


def _rescued(
    reading: _Reading,
    tags: NDArray[np.float32],
    found: Sequence[LinkedWords],
    sentence_of: Sequence[int],
) -> list[LinkedWords]:
    """Attributions by weaker cues for words that are tagged as content and that none claims.

    Only in sentences without a cue so far. On polnear dev this finds a third of the
    missing content at the same attribution F1.
    """
    orphans = {
        word
        for word, label in enumerate(viterbi(tags, TAG_LABELS))
        if TAG_LABELS[label].endswith("-CONTENT")
    }
    orphans.difference_update(*(range(*run) for link in found for run in link.content))
    taken = {sentence_of[word] for link in found for word in range(*link.cue)}
    rescued = []
    weak = find_cues(tags, reading.model.thresholds["rescue_bias"])
    for cue in sorted(weak, key=lambda cue: (-cue[2], cue[0])):
        if len(orphans) < _ORPHAN_WORDS:
            break
        if not taken.isdisjoint(sentence_of[word] for word in range(cue[0], cue[1])):
            continue
        link = reading.of_cue(cue)
        if link is None:
            continue
        content = {word for run in link.content for word in range(*run)}
        share = len(content & orphans)
        if share >= max(_ORPHAN_WORDS, _ORPHAN_SHARE * len(content)):
            rescued.append(link)
            orphans -= content
            taken.update(sentence_of[word] for word in range(*link.cue))
    return rescued


def find_cues(tags: NDArray[np.float32], bias: float) -> list[tuple[int, int, float]]:
    """Cues (first, last, probability) by the best valid tag path.

    `tags`: log probabilities (words, 7); `bias` is added to the cue columns: above 0
    finds more cues, below 0 fewer.
    """
    biased = tags.copy()
    biased[:, _CUE] += bias
    path = [TAG_LABELS[label] for label in viterbi(biased, TAG_LABELS)]
    return [
        (first, last, min(1.0, float(np.exp(tags[first:last, _CUE]).sum(axis=1).mean())))
        for kind, first, last in spans_of(path)
        if kind == "CUE"
    ]


def smooth(links: NDArray[np.float32], penalty: float) -> NDArray[np.int64]:
    """Best class of each word when every change of class costs `penalty` (Potts chain).

    `links`: log probabilities (words, classes). Closes one-word holes, drops specks.
    """
    # Plain floats: for a few classes they are several times faster than small arrays.
    rows = links.tolist()
    best: list[float] = rows[0]
    pointers: list[list[int]] = []
    for row in rows[1:]:
        leader = max(range(len(best)), key=best.__getitem__)
        changed = best[leader] - penalty
        pointers.append([own if best[own] >= changed else leader for own in range(len(best))])
        best = [max(score, changed) + link for score, link in zip(best, row, strict=True)]
    chosen = [max(range(len(best)), key=best.__getitem__)]
    for pointer in reversed(pointers):
        chosen.append(pointer[chosen[-1]])
    return np.array(chosen[::-1], dtype=np.int64)


def runs(chosen: NDArray[np.bool_], offset: int) -> tuple[tuple[int, int], ...]:
    """Runs `first:last` of true entries, numbers moved by `offset`."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], chosen.astype(np.int8), [0]))))
    return tuple(
        (int(first) + offset, int(last) + offset)
        for first, last in zip(edges[::2], edges[1::2], strict=True)
    )


def without_specks(
    link: LinkedWords, words: Sequence[Word], sentence_of: Sequence[int]
) -> LinkedWords | None:
    """The attribution without pieces that say nothing; None if no content is left.

    Those are pieces without a letter or digit, and one or two words of content in a
    sentence with neither the cue nor more content.
    """

    def speaks(run: tuple[int, int]) -> bool:
        return any(char.isalnum() for word in words[slice(*run)] for char in word.text)

    content = [run for run in link.content if speaks(run)]
    at_home = {sentence_of[word] for word in range(*link.cue)}
    at_home.update(
        sentence_of[word]
        for first, last in content
        if last - first > _SPECK
        for word in range(first, last)
    )
    kept = tuple(
        run for run in content if not at_home.isdisjoint(sentence_of[word] for word in range(*run))
    )
    if not kept:
        return None
    return replace(link, source=tuple(filter(speaks, link.source)), content=kept)
