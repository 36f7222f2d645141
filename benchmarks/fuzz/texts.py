"""Random articles: prose, page furniture and every corner of Unicode, mixed line by line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from hypothesis import strategies as st

from service.domain.article import AnalysisOptions, Article

# Whatever the API accepts: no NUL, no surrogates.
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")

WORDS = (
    "Ann", "Lee", "Mekdad", "O’Brien", "O'Brien", "U.N.", "US", "us", "EU", "NATO", "Syria",
    "Damascus", "Mr.", "Dr.", "St.", "the", "The", "minister", "diplomat", "he", "He", "she", "I",
    "we", "they", "who", "it", "his", "said", "says", "told", "according", "to", "added", "that",
    "was", "is", "not", "a", "mistake", "talks", "peace", "war", "in", "of", "by", "from", "and",
    "Putin’s", "Ann's", "'s", "’", "'", "3.5", "1,000", "Jan.", "No.", "e.g.", "x", "A", "Ω",
)  # fmt: skip
MARKS = (
    "“", "”", "„", "\"", "''", "``", "‘", "’", "'", "«", "»", "‹", "›", "(", ")", "[", "]", ".",
    "…", "...", "?", "!", ",", ";", ":", "-", "–", "—", "--", "|", "·", "•", "*", "/", "\\", "&",
)  # fmt: skip
# Where characters, code units, bytes and what people see part ways, or case changes the length.
CORNERS = (
    "e\u0301", "\u0301", "a" + "\u0308" * 30, "\u200d", "👩\u200d👩\u200d👧", "🏳️\u200d🌈", "🇸🇾",
    "👍🏽", "\ufe0f", "\u202e", "\u202c", "\u2066", "\u2069", "\u200f", "שלום", "مرحبا", "سوريا",
    "漢字", "かな", "한국어", "ไทย", "हिन्दी", "Ünïcödé", "\ufeff", "\u200b", "\u00ad",
    "\u00a0", "\u3000",
    "\ud7ff", "\ue000", "\uffff", "\ufffd", "\U00010000", "\U0010ffff", "𝔸𝕟𝕟", "ß", "ẞ", "İ",
    "ı", "ŉ", "ǰ", "ﬁ", "ǅ", "ΐ", "Σς", "K", "Å", "²", "½", "Ⅷ", "①", "٣", "_", "\x01", "\x1b[0m",
    "\x7f", "\x80", "\x9f", "\u0600", "\U000e0041", "\u2060", "\u115f", "\u180e", "ª", "ʼ", "ˈ",
)  # fmt: skip
FURNITURE = (
    "Follow us on Twitter", "Share this article", "Read more", "Read also: Talks fail in Geneva",
    "Check Also", "Related stories", "By Ann Lee", "By Ann Lee and Bo Park, Staff writers",
    "Published: 3 June 2024 10:00 GMT", "2 hours ago", "Photo: AP", "(Photo by AFP)", "[Reuters]",
    "![Image](a.png)", "| ![Image](a.png) | |", "A man walks |", "Image placeholder", "[image]",
    "Home > World > Asia", "Tags: war, peace", "Source: SANA", "© 2024 The Courier", "Agencies",
    "According to The Courier", "Subscribe to our newsletter", "Advertisement", "…", "— — —",
    "MOSCOW, June 3 (TASS) – ", "BEIRUT — ", "Damascus, SANA – ", "Outlet- The minister",
)  # fmt: skip
SPACES = (" ", "  ", "\t", "\u00a0", "\u2009", "\u3000", "", "\x1f")
BREAKS = (
    "\n", "\n\n", "\r\n", "\r\n\r\n", "\r", "\n\r", "\x85", "\u2028", "\u2029", "\v", "\f", "\x1c",
    "\x1d", "\x1e", "\n \n", "\n\t\n\n", " ", "",
)  # fmt: skip

_tokens = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(WORDS),
    st.sampled_from(MARKS),
    st.sampled_from(CORNERS),
)
_spaces = st.sampled_from((" ", " ", " ", *SPACES))
_prose = st.lists(st.tuples(_tokens, _spaces), min_size=1, max_size=25).map(
    lambda parts: "".join(token + space for token, space in parts)
)
_wild = st.text(CHARACTERS, max_size=60)
# A line or a word that no page has: the pieces that models and sentences are cut into.
_long = st.builds(
    lambda token, space, length: (token + space) * (length // len(token + space) + 1),
    st.one_of(_tokens, st.sampled_from(FURNITURE)),
    _spaces,
    st.sampled_from((40, 130, 410, 710, 1_010)),
)
_furniture = st.sampled_from(FURNITURE)
_lines = st.one_of(_prose, _prose, _prose, _prose, _furniture, _furniture, _wild, _long)


def _is_text(text: str) -> bool:
    """The API wants one character that is not white space."""
    return any(character.isprintable() and not character.isspace() for character in text)


@dataclass(frozen=True, slots=True)
class Submitted:
    """An article with what the caller asks about it."""

    article: Article
    options: AnalysisOptions


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A text that the API would accept."""
    lines = draw(st.lists(st.tuples(_lines, st.sampled_from(BREAKS)), min_size=1, max_size=6))
    # Pages say things twice.
    again = draw(st.lists(st.integers(0, len(lines) - 1), max_size=2))
    text = "".join(line + end for line, end in [*lines, *(lines[at] for at in again)])
    return text if _is_text(text) else text + "x"


@st.composite
def submissions(draw: st.DrawFn) -> Submitted:
    """An article, its title and targets; they are often words of the text itself."""
    text = draw(texts())
    words = text.split() or ["x"]
    title = draw(
        st.one_of(st.none(), st.just(text.splitlines()[0] if text.splitlines() else ""), _wild)
    )
    wished = draw(st.lists(st.one_of(_wild, st.sampled_from(words), _prose), max_size=3))
    targets = dict.fromkeys(target.strip()[:300] for target in wished if _is_text(target))
    article = Article(
        id="a",
        text=text,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        title=title,
        language=draw(st.sampled_from((None, "en", "en-GB", "de"))),
    )
    return Submitted(article, AnalysisOptions(tuple(targets)))
