"""Entity scores of the shipped tagger on a CoNLL file; on a stance set, which names it finds."""

import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from service.domain.analysis import Sentence
from training.conll import Document, conlleval, read_conll
from workers.models.token_tagger import TokenTagger, WordTagger
from workers.stages.recognise.stage import recognise

# A word that begins with a capital (without an accent).
_NAME = re.compile(r"[A-Z][\w'\u2019-]*\w")


def evaluate(data: Path, weights: Path) -> dict[str, Any]:
    """The figures of one model, `found_by`."""
    return found_by(TokenTagger.load(weights), data)


def found_by(tagger: TokenTagger, data: Path) -> dict[str, Any]:
    """conlleval figures; a document's tokens are joined by spaces and read as an article, each
    sentence as a paragraph.

    Of a stance set (`.jsonl`), the recall of `find_names`.
    """
    if data.suffix == ".jsonl":
        return {**find_names(data, tagger), "model": tagger.manifest.name}
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


def find_names(data: Path, tagger: WordTagger) -> dict[str, Any]:
    """How many of the names that a stance set marks, holders and targets, the tagger finds.

    A name counts once a text and place; it is found when a mention covers its last word that begins
    with a capital ("Ms. Winfrey": the mention may leave out the title). Each text is an article.
    Raises ValueError if the set marks no name.
    """
    names: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
    for line in data.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for start, end in (row.get("spans") or {}).values():
            words = list(_NAME.finditer(row["text"], start, end))
            if words:
                names[row["text"]].add(words[-1].span())
    if not names:
        raise ValueError(f"{data} marks no names")
    found = 0
    for text, places in names.items():
        mentions = recognise(text, [Sentence("s1", 0, len(text), text, 0)], tagger).mentions
        spans = [(mention.start, mention.end) for mention in mentions]
        found += sum(any(a <= start and end <= b for a, b in spans) for start, end in places)
    total = sum(map(len, names.values()))
    return {"named_recall": round(found / total, 4), "names": total, "rows": len(names)}


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
