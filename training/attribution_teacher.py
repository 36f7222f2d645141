"""An attribution model's answers about whole articles, for a smaller one to learn.

The teacher reads each article once, in overlapping windows as at run time. Where nobody annotated
the cues it is asked about those that it finds itself.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tqdm import tqdm

from training.attribution_data import Article, Link, article_windows, unlabelled_article
from training.common import save_checkpoint, sha256_of
from training.conll import read_conll
from workers.models.attribution import TAG_LABELS, AttributionModel, distance_bucket
from workers.models.sessions import open_tokenizer
from workers.models.windowing import central_windows, merge_windows
from workers.models.words import encode_words

# A quarter of the words is read twice.
STRIDE_SHARE = 0.8
# Single sentences are put together, as paragraphs, to texts of this many.
PARAGRAPHS = 12
CUE_BEGINS, CUE_GOES_ON = TAG_LABELS.index("B-CUE"), TAG_LABELS.index("I-CUE")


def read_unlabelled(
    data: Path, names: Sequence[str], tokenizer: Tokenizer, seed: int
) -> list[Article]:
    """The texts of entity files (`.conll`, whole documents) and of stance files (`.jsonl`, each
    text once, in random company)."""
    rng = random.Random(seed)
    articles = []
    for name in names:
        read = _documents if name.endswith(".conll") else _passages
        articles += [unlabelled_article(text, tokenizer) for text in read(data / name, rng)]
    return articles


def _documents(path: Path, rng: random.Random) -> Iterator[str]:
    for document in read_conll(path):
        text = ""
        for sentence in document:
            # Headlines and bylines end without a stop and are paragraphs of their own.
            text += " ".join(sentence.tokens) + (" " if sentence.tokens[-1] in '.!?"' else "\n")
        yield text.strip()


def _passages(path: Path, rng: random.Random) -> Iterator[str]:
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    texts = list(dict.fromkeys(" ".join(row["text"].split()) for row in rows))
    rng.shuffle(texts)
    for start in range(0, len(texts), PARAGRAPHS):
        yield "\n".join(texts[start : start + PARAGRAPHS])


def taught_articles(
    articles: Sequence[Article], teacher: Path, config: dict[str, Any], kept: Path
) -> list[Article]:
    """The articles with the teacher's answers, which are kept in a file for a run that goes on."""
    model = AttributionModel.load(teacher, config["threads"])
    mark = (sha256_of(teacher / "model.onnx"), len(articles))
    if kept.exists():
        known = torch.load(kept, weights_only=False)
        if known["mark"] == mark:
            return list(known["articles"])
    tokenizer = open_tokenizer(teacher / "tokenizer.json")
    told = [
        taught_article(article, model, tokenizer, config)
        for article in tqdm(articles, "teacher", mininterval=20)
    ]
    save_checkpoint(kept, mark=mark, articles=told)
    return told


def taught_article(
    article: Article, model: AttributionModel, tokenizer: Tokenizer, config: dict[str, Any]
) -> Article:
    """The article with the teacher's logits of every word, and of the words around each cue."""
    length, radius = config["max_length"], config["radius"]
    stride = round(STRIDE_SHARE * length)
    encoded = encode_words(tokenizer, article.encoded.words)
    windows = article_windows(encoded, article.breaks, tokenizer, length, stride)
    tagged = model.tag(windows)
    count = len(article.encoded)
    tags = merge_windows(windows, [window.logits for window in tagged], count)
    central = central_windows(windows, count)
    links = article.links or tuple(Link(cue, gold=False) for cue in found_cues(tags))
    told = []
    for link in links:
        first, last = link.cue
        number = central[first]
        window = windows[number]
        begin, end = max(window.first_word, first - radius), min(window.last_word, last + radius)
        inside = slice(begin - window.first_word, end - window.first_word)
        distances = [distance_bucket(word, first, last) for word in range(begin, end)]
        logits = model.link(tagged[number].features[inside], distances)
        told.append(replace(link, taught_from=begin, taught=logits))
    return replace(article, taught=tags, links=tuple(told))


def found_cues(tags: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Runs of words whose likeliest tag (of words, 7) is a cue's, first and past the last."""
    cues: list[tuple[int, int]] = []
    for word, tag in enumerate(tags.argmax(-1).tolist()):
        if tag == CUE_GOES_ON and cues and cues[-1][1] == word:
            cues[-1] = (cues[-1][0], word + 1)
        elif tag in (CUE_BEGINS, CUE_GOES_ON):
            cues.append((word, word + 1))
    return cues
