"""Entity scores of the shipped tagger on a CoNLL file."""

from collections import Counter
from pathlib import Path
from typing import Any

from service.domain.analysis import Sentence
from training.conll import Document, conlleval, read_conll
from workers.models.token_tagger import TokenTagger, WordTagger
from workers.stages.recognise.stage import recognise


def evaluate(data: Path, weights: Path) -> dict[str, Any]:
    """conlleval figures; a document's tokens are joined by spaces and read as an article."""
    tagger = TokenTagger.load(weights)
    gold: list[tuple[str, ...]] = []
    found: list[list[str]] = []
    windows = 0
    documents = read_conll(data)
    for document in documents:
        tags, used = predict(document, tagger)
        windows += used
        gold.extend(sentence.tags for sentence in document)
        found.extend(tags)
    return {
        **conlleval(gold, found),
        "rows": len(gold),
        "documents": len(documents),
        "windows": windows,
        "tokens": sum(map(len, gold)),
        "model": tagger.manifest.name,
    }


def predict(document: Document, tagger: WordTagger) -> tuple[list[list[str]], int]:
    """Tags of every token by the recognise stage, and the number of windows."""
    text = "\n".join(" ".join(sentence.tokens) for sentence in document)
    sentences = []
    offset = 0
    for number, sentence in enumerate(document):
        content = " ".join(sentence.tokens)
        sentences.append(Sentence(f"s{number + 1}", offset, offset + len(content), content, number))
        offset += len(content) + 1
    recognised = recognise(text, sentences, tagger)
    at = {
        character: mention
        for mention in recognised.mentions
        for character in range(mention.start, mention.end)
    }
    tags: list[list[str]] = []
    seen: Counter[str] = Counter()
    for sentence, placed in zip(document, sentences, strict=True):
        row = []
        offset = placed.start
        for token in sentence.tokens:
            # A token belongs to the mention that holds its first character.
            mention = at.get(offset)
            if mention is None:
                row.append("O")
            else:
                row.append(f"{'I' if seen[mention.id] else 'B'}-{mention.type}")
                seen[mention.id] += 1
            offset += len(token) + 1
        tags.append(row)
    return tags, recognised.windows
