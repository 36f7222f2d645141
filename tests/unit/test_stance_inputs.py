"""How stance questions become token ids."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from workers.models.stance_inputs import (
    StanceEncoder,
    StanceQuestion,
    find_mentions,
    surface,
    whole_words,
)

WORDS = ["the", "author", ":", "ann", "blames", "bob", "for", "rain", "and", "praises"]
VOCABULARY = {word: index for index, word in enumerate(["[UNK]", "[CLS]", "[SEP]", *WORDS])}


@pytest.fixture
def tokenizer() -> Tokenizer:
    made = Tokenizer(models.WordLevel(VOCABULARY, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    around = [(token, VOCABULARY[token]) for token in ("[CLS]", "[SEP]")]
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=around
    )
    return made


def shown(tokenizer: Tokenizer, ids: list[int], roles: list[int]) -> str:
    """Tokens with their role behind a slash."""
    pairs = zip(ids, roles, strict=True)
    return " ".join(f"{tokenizer.id_to_token(token)}/{role}" for token, role in pairs)


def test_roles_mark_question_holder_and_target(tokenizer: Tokenizer) -> None:
    question = StanceQuestion("Ann blames Bob for rain", target="Bob", holder="Ann")
    encoded = StanceEncoder(tokenizer, 64).encode(question)
    assert shown(tokenizer, encoded.input_ids, encoded.token_type_ids) == (
        "[CLS]/1 ann/1 :/1 bob/1 [SEP]/1 ann/2 blames/0 bob/3 for/0 rain/0 [SEP]/0"
    )
    assert not encoded.truncated


def test_swapped_question_reads_differently(tokenizer: Tokenizer) -> None:
    encoder = StanceEncoder(tokenizer, 64)
    text = "Ann blames Bob"
    one = encoder.encode(StanceQuestion(text, target="Bob", holder="Ann"))
    other = encoder.encode(StanceQuestion(text, target="Ann", holder="Bob"))
    assert one.token_type_ids != other.token_type_ids
    assert one.input_ids != other.input_ids


def test_no_holder_asks_about_the_author(tokenizer: Tokenizer) -> None:
    encoded = StanceEncoder(tokenizer, 64).encode(StanceQuestion("rain", target="rain"))
    assert shown(tokenizer, encoded.input_ids, encoded.token_type_ids) == (
        "[CLS]/1 the/1 author/1 :/1 rain/1 [SEP]/1 rain/3 [SEP]/0"
    )


def test_given_spans_win_over_look_up(tokenizer: Tokenizer) -> None:
    question = StanceQuestion("Ann and Ann", target="Ann", target_spans=[(8, 11)])
    encoded = StanceEncoder(tokenizer, 64).encode(question)
    assert encoded.token_type_ids[-4:] == [0, 0, 3, 0]
    unmarked = StanceQuestion("Ann and Ann", target="Ann", target_spans=())
    assert 3 not in StanceEncoder(tokenizer, 64).encode(unmarked).token_type_ids


@pytest.mark.parametrize(("limit", "cut"), [(11, False), (10, True)])
def test_a_cut_is_told(tokenizer: Tokenizer, limit: int, cut: bool) -> None:
    question = StanceQuestion("Ann blames Bob for rain", target="Bob", holder="Ann")
    encoded = StanceEncoder(tokenizer, limit).encode(question)
    assert encoded.truncated is cut
    assert len(encoded.input_ids) == len(encoded.token_type_ids) == limit


def test_long_target_is_cut_and_told(tokenizer: Tokenizer) -> None:
    question = StanceQuestion("Ann", target="rain " * 50)
    encoded = StanceEncoder(tokenizer, 64, max_question=8).encode(question)
    assert encoded.truncated
    assert len(encoded.input_ids) == 8 + 3 + 1


def test_blank_target_is_refused(tokenizer: Tokenizer) -> None:
    with pytest.raises(ValueError, match="blank"):
        StanceEncoder(tokenizer, 64).encode(StanceQuestion("Ann", target="  "))


def test_mentions_are_whole_words_in_any_case() -> None:
    assert find_mentions("US troops must trust us, U.S. or not: US", "US") == [
        (0, 2),
        (21, 23),
        (38, 40),
    ]
    assert find_mentions("a (b) c", "(b)") == [(2, 5)]
    assert find_mentions("text", " ") == []


def test_spans_cut_inside_a_word_are_widened() -> None:
    assert whole_words("in Los Angeles now", (3, 13)) == (3, 14)
    assert surface("Bob’s car", (0, 5)) == "Bob"
    assert whole_words("Bob’s car", (0, 4)) == (0, 5)
    assert whole_words("Bob, Ann", (0, 3)) == (0, 3)
