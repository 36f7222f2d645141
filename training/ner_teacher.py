"""Texts that nobody labelled, as a shipped entity tagger reads them, to train another one on.

Self-training with hard labels: Yarowsky 1995; Lee 2013, "Pseudo-Label".
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

from training.conll import Document, Sentence
from training.evaluate_ner import predict
from workers.models.token_tagger import WordTagger
from workers.models.words import plain_punctuation, split_words


def read_texts(path: Path, count: int, together: int, seed: int) -> Iterator[str]:
    """`count` of the texts of a JSONL file, drawn at random, each once; `together` short ones at a
    time, as the paragraphs of one article."""
    with path.open(encoding="utf-8") as lines:
        texts = list(dict.fromkeys(json.loads(line)["text"] for line in lines))
    drawn = random.Random(seed).sample(texts, min(count, len(texts)))
    for start in range(0, len(drawn), together):
        yield "\n".join(drawn[start : start + together])


def pseudo_labelled(texts: Iterable[str], teacher: WordTagger) -> Iterator[Document]:
    """The texts with the tags that the teacher gives them; a paragraph is a sentence."""
    for text in texts:
        paragraphs = [_words(paragraph) for paragraph in text.split("\n")]
        read = tuple(Sentence(words, ("O",) * len(words)) for words in paragraphs if words)
        tags, _ = predict(read, teacher)
        yield tuple(
            Sentence(sentence.tokens, tuple(row)) for sentence, row in zip(read, tags, strict=True)
        )


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.text for word in split_words(plain_punctuation(text)))
