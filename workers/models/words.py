"""Raw text → words with offsets → wordpieces → windows that fit the model.

Words are cut as BERT's own pre-tokeniser cuts them (runs of letters and digits;
every other visible character alone), so the wordpieces are the same whether the
text is running prose or already tokenised training data.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

from workers.models.case_shapes import case_shape

# Combining marks stay with their letter: the tokeniser strips them together.
_WORD = re.compile(r"(?:[^\W_]|[\u0300-\u036f])+|[^\w\s]|_")

# The tagger was trained on straight quotes and plain hyphens: one code point
# becomes one code point, so offsets hold.
_PLAIN_PUNCTUATION = str.maketrans(
    {**dict.fromkeys("‘’‚‹›", "'"), **dict.fromkeys("“”„«»", '"'), **dict.fromkeys("–—−", "-")}
)

# A word is judged by its first wordpiece; the tail of a monster word (a hash, a
# run of CJK) says nothing more and would crowd out its context.
MAX_PIECES_PER_WORD = 16


@dataclass(frozen=True, slots=True)
class Word:
    """One word and where it stands: `text[start:end]`, in code points."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class EncodedWords:
    """Words with their wordpiece ids and case shapes, in text order.

    A word may have no pieces (the tokeniser drops control characters).
    """

    words: tuple[Word, ...]
    pieces: tuple[tuple[int, ...], ...]
    shapes: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.words)


@dataclass(frozen=True, slots=True)
class Window:
    """A run of words as one model input.

    `first_word:last_word` are the words inside; `positions[k]` is the place in
    `input_ids` of the first piece of word `first_word + k`, or -1 if it has none.
    """

    first_word: int
    last_word: int
    input_ids: tuple[int, ...]
    token_type_ids: tuple[int, ...]
    positions: tuple[int, ...]


def plain_punctuation(text: str) -> str:
    """Curly quotes and long dashes as ASCII, character by character; length is kept."""
    return text.translate(_PLAIN_PUNCTUATION)


def split_words(text: str, start: int = 0, end: int | None = None) -> list[Word]:
    """Words of `text[start:end]`, offsets in the whole text."""
    limit = len(text) if end is None else end
    return [Word(m.group(), m.start(), m.end()) for m in _WORD.finditer(text, start, limit)]


def paragraph_breaks(text: str, words: Sequence[Word]) -> frozenset[int]:
    """Numbers of the words that stand after a line break, the first word aside."""
    return frozenset(
        number
        for number in range(1, len(words))
        if "\n" in text[words[number - 1].end : words[number].start]
    )


def encode_words(tokenizer: Tokenizer, words: Sequence[Word]) -> EncodedWords:
    """Wordpieces and shape of every word; same word, same pieces, whatever its neighbours."""
    known: dict[str, tuple[int, ...]] = {}
    missing = list(dict.fromkeys(word.text for word in words))
    for text, encoding in zip(
        missing, tokenizer.encode_batch(missing, add_special_tokens=False), strict=True
    ):
        known[text] = tuple(encoding.ids[:MAX_PIECES_PER_WORD])
    return EncodedWords(
        words=tuple(words),
        pieces=tuple(known[word.text] for word in words),
        shapes=tuple(int(case_shape(word.text)) for word in words),
    )


def make_windows(
    encoded: EncodedWords,
    *,
    breaks: Collection[int],
    cls_id: int,
    sep_id: int,
    max_length: int,
    stride: int,
    first_length: int | None = None,
) -> list[Window]:
    """Windows of at most `max_length` pieces that cover every word.

    `breaks` are the words before which a [SEP] stands (a sentence or paragraph
    begins). Windows start about `stride` pieces apart; `stride == max_length`
    means no overlap. `first_length` shortens the first window (training draws it
    at random so that borders fall elsewhere in each epoch).

    Raises ValueError if `max_length` cannot hold one word, or stride is out of range.
    """
    if max_length < MAX_PIECES_PER_WORD + 4:
        raise ValueError(f"max_length {max_length} cannot hold one word")
    if not 0 < stride <= max_length:
        raise ValueError(f"stride {stride} is not in 1..{max_length}")
    sizes = [
        len(pieces) + (1 if index in breaks else 0) for index, pieces in enumerate(encoded.pieces)
    ]
    windows: list[Window] = []
    first, limit = 0, first_length or max_length
    overlap = max_length - stride
    while first < len(encoded):
        last, used = first, 2
        while last < len(encoded) and (used + sizes[last] <= limit or last == first):
            used += sizes[last]
            last += 1
        windows.append(_window(encoded, first, last, breaks, cls_id, sep_id))
        if last == len(encoded):
            break
        following, shared = last, 0
        while following > first + 1 and shared + sizes[following - 1] <= overlap:
            following -= 1
            shared += sizes[following]
        first, limit = following, max_length
    return windows


def _window(
    encoded: EncodedWords, first: int, last: int, breaks: Collection[int], cls_id: int, sep_id: int
) -> Window:
    ids, types, positions = [cls_id], [0], []
    for index in range(first, last):
        if index in breaks and index > first:
            ids.append(sep_id)
            types.append(0)
        pieces = encoded.pieces[index]
        positions.append(len(ids) if pieces else -1)
        ids.extend(pieces)
        types.extend([encoded.shapes[index]] * len(pieces))
    ids.append(sep_id)
    types.append(0)
    return Window(first, last, tuple(ids), tuple(types), tuple(positions))
