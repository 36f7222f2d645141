"""Which mentions of organisations, places and other names mean the same thing."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence

from service.domain.analysis import EntityType, Mention
from workers.stages.canonicalise.acronyms import (
    OTHER_NAMES,
    abbreviates,
    initials,
    is_acronym,
    letters,
    split_bracketed,
)
from workers.stages.canonicalise.names import cleaned, folded
from workers.stages.canonicalise.union import DisjointSets
from workers.stages.canonicalise.words import word_set

_BRACKET = re.compile(r"\s{0,2}[(\[]\s{0,2}[\"“]?([A-Z][A-Za-z.&-]{1,9})[\"”]?\s{0,2}[)\]]")
# How far before its bracket a long name may begin, and over how many mentions.
MAX_LONG_NAME_CHARACTERS = 120
MAX_LONG_NAME_MENTIONS = 4

_CONTINUES = frozenset(("of", "for", "in"))
# What a name gains or loses without meaning something else: "Acme Group", "Acme".
_GENERIC = word_set(
    "group company corporation corp inc ltd llc plc co agency news network channel tv television "
    "radio party movement organization organisation newspaper daily"
)


def cluster_things(text: str, mentions: Sequence[tuple[int, Mention]]) -> list[list[int]]:
    """Group mentions that are no persons; `mentions` holds (index, mention) in reading order.

    Equal names but for case, accents, "the" and possessives; acronyms with their long names,
    given in brackets or by initials when only one name fits; short forms of an organisation
    ("Institute of Peace Studies" and "the Institute of Peace Studies of …" share two words and go
    on with "of"). A country and its demonym stay apart.
    """
    groups: dict[str, int] = {}
    members: list[list[int]] = []
    types: list[Counter[EntityType]] = []
    group_of: dict[int, int] = {}
    names: list[str] = []

    def group(name: str) -> int:
        key = OTHER_NAMES.get(name, name)
        if key not in groups:
            groups[key] = len(members)
            members.append([])
            types.append(Counter())
            names.append(key)
        return groups[key]

    joined: list[tuple[int, int]] = []
    for index, mention in mentions:
        surface = cleaned(mention.text)
        both = split_bracketed(surface)
        at = group(folded(both[0] if both else surface))
        if both:
            joined.append((at, group(folded(both[1]))))
        members[at].append(index)
        types[at][mention.type] += 1
        group_of[index] = at
    for index, acronym in _bracketed(text, mentions):
        joined.append((group_of[index], group(folded(acronym))))

    sets = DisjointSets(len(members))
    explained: set[int] = set()
    for one, other in joined:
        sets.join(one, other)
        explained.update((one, other))
    kinds = [count.most_common(1)[0][0] if count else None for count in types]
    surfaces = {
        at: cleaned(mention.text) for index, mention in mentions for at in [group_of[index]]
    }
    _join_initials(names, surfaces, explained, sets)
    _join_short_forms(names, kinds, sets)

    clusters: dict[int, list[int]] = defaultdict(list)
    for at, indices in enumerate(members):
        clusters[sets.find(at)].extend(indices)
    return [sorted(indices) for indices in clusters.values() if indices]


def _bracketed(text: str, mentions: Sequence[tuple[int, Mention]]) -> list[tuple[int, str]]:
    """(index of the long name's mention, acronym) for each acronym in brackets behind a name.

    The tagger may have seen only pieces of the long name; then the piece with which it begins
    stands for it, if the whole stretch has the acronym's initials.
    """
    ends = [mention.end for _, mention in mentions]
    found: list[tuple[int, str]] = []
    for bracket in _BRACKET.finditer(text):
        acronym = bracket[1]
        if not is_acronym(acronym):
            continue
        last = bisect_right(ends, bracket.start())
        for at in range(last - 1, max(-1, last - 1 - MAX_LONG_NAME_MENTIONS), -1):
            index, mention = mentions[at]
            if bracket.start() - mention.start > MAX_LONG_NAME_CHARACTERS:
                break
            name = folded(text[mention.start : bracket.start()])
            is_whole = mention.end == bracket.start()
            if letters(acronym) in initials(name) or (is_whole and abbreviates(acronym, name)):
                found.append((index, acronym))
                break
    return found


def _join_initials(
    names: Sequence[str], surfaces: dict[int, str], explained: set[int], sets: DisjointSets
) -> None:
    by_initials: dict[str, list[int]] = defaultdict(list)
    for at, name in enumerate(names):
        for short in initials(name):
            by_initials[short].append(at)
    for at, surface in surfaces.items():
        if at in explained or not is_acronym(surface):
            continue
        leaders = {sets.find(other) for other in by_initials.get(letters(surface), [])}
        if len(leaders) == 1:
            sets.join(at, leaders.pop())


def _join_short_forms(
    names: Sequence[str], kinds: Sequence[EntityType | None], sets: DisjointSets
) -> None:
    organisations: dict[str, int] = {
        name: at for at, name in enumerate(names) if kinds[at] is EntityType.ORG
    }
    longer: dict[int, list[int]] = defaultdict(list)
    for name, at in organisations.items():
        words = name.split()[:20]
        for length in range(1, len(words)):
            short = organisations.get(" ".join(words[:length]))
            if short is None:
                continue
            goes_on = length >= 2 and words[length] in _CONTINUES
            if goes_on or all(word in _GENERIC for word in words[length:]):
                longer[short].append(at)
    # Longest first, so that "Acme News" has joined "Acme News Agency" before "Acme" is looked at.
    for short, candidates in sorted(longer.items(), key=lambda item: -len(names[item[0]])):
        leaders = {sets.find(at) for at in candidates}
        if len(leaders) == 1:
            sets.join(short, leaders.pop())
