"""Words, case shapes and windows."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from workers.models.case_shapes import CaseShape, case_shape
from workers.models.windowing import central_windows, merge_windows
from workers.models.words import (
    MAX_PIECES_PER_WORD,
    EncodedWords,
    Window,
    Word,
    encode_words,
    make_windows,
    paragraph_breaks,
    plain_punctuation,
    split_words,
)

CLS, SEP = 1, 2


@pytest.mark.parametrize(
    ("word", "shape"),
    [
        ("is", CaseShape.LOWER),
        ("Is", CaseShape.TITLE),
        ("IS", CaseShape.UPPER),
        ("I", CaseShape.SINGLE_CAPITAL),
        ("McCain", CaseShape.MIXED),
        ("G7", CaseShape.DIGIT),
        ("1996", CaseShape.DIGIT),
        ("Élysée", CaseShape.TITLE),
        (".", CaseShape.OTHER),
        ("“", CaseShape.OTHER),
        ("東京", CaseShape.OTHER),
    ],
)
def test_case_shape(word: str, shape: CaseShape) -> None:
    assert case_shape(word) is shape


def test_words_are_letter_runs_and_single_marks() -> None:
    text = "Mekdad’s U.S.-based aide"
    assert [word.text for word in split_words(text)] == [
        "Mekdad", "’", "s", "U", ".", "S", ".", "-", "based", "aide",
    ]  # fmt: skip


def test_a_combining_mark_stays_with_its_letter() -> None:
    assert [word.text for word in split_words("Cafe\u0301 X")] == ["Cafe\u0301", "X"]


@given(st.text(max_size=200))
def test_word_offsets_give_the_word_back(text: str) -> None:
    words = split_words(text)
    assert all(text[word.start : word.end] == word.text for word in words)
    assert all(a.end <= b.start for a, b in itertools.pairwise(words))
    kept = "".join(word.text for word in words)
    assert all(char in kept for char in text if char.isalnum())


@given(st.text(max_size=200))
def test_plain_punctuation_keeps_every_offset(text: str) -> None:
    plain = plain_punctuation(text)
    assert len(plain) == len(text)
    assert not set(plain) & set("“”‘’–—")


def test_paragraph_breaks_are_the_words_after_a_line_break() -> None:
    text = "One two.\n\nThree four\nfive"
    words = split_words(text)
    assert [words[number].text for number in sorted(paragraph_breaks(text, words))] == [
        "Three",
        "five",
    ]


def encoded_of(sizes: list[int]) -> EncodedWords:
    """Words of the given piece counts; piece ids are 100 + word number."""
    return EncodedWords(
        words=tuple(Word("w", n, n + 1) for n in range(len(sizes))),
        pieces=tuple((100 + n,) * size for n, size in enumerate(sizes)),
        shapes=(0,) * len(sizes),
    )


@given(
    sizes=st.lists(st.integers(0, MAX_PIECES_PER_WORD), max_size=80),
    breaks=st.sets(st.integers(0, 80)),
    max_length=st.integers(24, 64),
    data=st.data(),
)
def test_windows_cover_every_word_and_fit(
    sizes: list[int], breaks: set[int], max_length: int, data: st.DataObject
) -> None:
    stride = data.draw(st.integers(1, max_length))
    encoded = encoded_of(sizes)
    windows = make_windows(
        encoded, breaks=breaks, cls_id=CLS, sep_id=SEP, max_length=max_length, stride=stride
    )
    assert {n for w in windows for n in range(w.first_word, w.last_word)} == set(range(len(sizes)))
    for window in windows:
        assert len(window.input_ids) == len(window.token_type_ids) <= max_length
        assert (window.input_ids[0], window.input_ids[-1]) == (CLS, SEP)
        for offset, position in enumerate(window.positions):
            number = window.first_word + offset
            if sizes[number]:
                assert window.input_ids[position] == 100 + number
            else:
                assert position == -1
    assert all(a.first_word < b.first_word for a, b in itertools.pairwise(windows))


def test_windows_overlap_by_what_the_stride_leaves() -> None:
    windows = make_windows(
        encoded_of([1] * 60), breaks=(), cls_id=CLS, sep_id=SEP, max_length=32, stride=22
    )
    assert [(w.first_word, w.last_word) for w in windows] == [(0, 30), (20, 50), (40, 60)]


def test_a_separator_stands_before_each_break() -> None:
    [window] = make_windows(
        encoded_of([1, 1, 1]), breaks={0, 2}, cls_id=CLS, sep_id=SEP, max_length=32, stride=32
    )
    assert window.input_ids == (CLS, 100, 101, SEP, 102, SEP)


@pytest.mark.parametrize(("max_length", "stride"), [(8, 8), (32, 0), (32, 33)])
def test_impossible_lengths_are_refused(max_length: int, stride: int) -> None:
    with pytest.raises(ValueError, match=r"max_length|stride"):
        make_windows(
            encoded_of([1]), breaks=(), cls_id=CLS, sep_id=SEP, max_length=max_length, stride=stride
        )


def tiny_tokenizer() -> Tokenizer:
    tokens = ["[UNK]", "[CLS]", "[SEP]", "syria", "##n", "x", "##x"]
    tokenizer = Tokenizer(
        WordPiece({token: number for number, token in enumerate(tokens)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    return tokenizer


def test_encoding_keeps_shapes_and_cuts_monster_words() -> None:
    words = split_words(f"Syrian {'x' * 90} \u200b\u0378")
    encoded = encode_words(tiny_tokenizer(), words)
    assert encoded.pieces[0] == (3, 4)
    assert encoded.shapes[0] == CaseShape.TITLE
    assert len(encoded.pieces[1]) == MAX_PIECES_PER_WORD


def test_each_word_is_answered_where_it_is_most_central() -> None:
    def window(first: int, last: int) -> Window:
        return Window(first, last, (), (), ())

    windows = [window(0, 6), window(3, 9), window(6, 12)]
    assert central_windows(windows, 12).tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2]
    rows = [np.full((6, 1), number, dtype=np.float32) for number in range(3)]
    merged = merge_windows(windows, rows, 12)
    assert merged[:, 0].tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2]
