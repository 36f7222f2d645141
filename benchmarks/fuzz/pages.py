"""Random HTML pages: soup of tags, metadata, encodings and broken bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass

from hypothesis import strategies as st

from benchmarks.fuzz.texts import CHARACTERS, CORNERS, WORDS
from service.domain.article import MAX_TEXT_CHARACTERS
from service.extraction.reading import Found, read_page
from service.problems import ProblemError
from service.routes.page import extract
from service.schemas.fields import storable
from service.schemas.submission import SOURCE_CHARACTERS, TITLE_CHARACTERS

# What a page that holds no article, or too much of one, is answered with.
DOCUMENTED = {"no-text", "validation"}

_TAGS = (
    "html", "head", "body", "article", "main", "div", "p", "p", "p", "span", "a", "b", "br", "h1",
    "h2", "title", "time", "ul", "li", "table", "tr", "td", "blockquote", "q", "code", "pre", "img",
    "figure", "figcaption", "script", "style", "noscript", "template", "svg", "math", "iframe",
    "form", "select", "option", "textarea", "base", "link", "frameset", "del", "sup", "video",
    "x-a",
)  # fmt: skip
_ATTRIBUTES = (
    'class="article-body post-content"', 'id="content"', 'class="comments"',
    'itemprop="articleBody"',
    'href="/a"', 'href="javascript:x"', 'href="http://["', 'href="//"', 'src="data:,"',
    'datetime="2024-13-45"', 'datetime="2024-06-03T10:00:00Z"', 'content="2024-06-03"',
    'property="og:title"', 'name="author"', "style=display:none", 'lang="xx"', "=", '"', "<", "\0",
    'class=""', "rel=canonical", 'role="main"', 'xmlns="urn:x"', 'xml:lang="en"', 'x:y="z"',
)  # fmt: skip
_ENTITIES = (
    "&amp;", "&#0;", "&#xD800;", "&#xDFFF;", "&#x110000;", "&#99999999999;", "&nbsp;", "&lt;p&gt;",
    "&", "&#", "&#x;", "&notanentity;", "&#128;", "&#8232;", "&#x1F9D1;",
)  # fmt: skip
_PIECES = (
    "<!--", "-->", "<![CDATA[", "]]>", "<!DOCTYPE html>", "<!DOCTYPE [<!ENTITY a 'b'>]>", "<?xml?>",
    "<?xml version='1.0' encoding='utf-16'?>", "<?php", "<", ">", "</", "<p", "</p>", "</div>",
    "</body></html>", "<p><p><p>", "<a>" * 40, "<div>" * 300, "<table><tr><td>" * 20, "\0", "\x0b",
)  # fmt: skip
_DATES = ("2024-06-03", "2024-13-45", "0000-00-00", "9999-12-31", "yesterday", "", "20240603", "{}")

_prose = st.lists(st.one_of(st.sampled_from(WORDS), st.sampled_from(CORNERS)), max_size=30).map(
    " ".join
)
_sentences = st.lists(
    st.one_of(_prose, st.just("The minister said on Monday that the talks had failed.")), max_size=4
).map(" ".join)
_inner = st.one_of(
    _sentences,
    _sentences,
    st.sampled_from(_ENTITIES),
    st.sampled_from(_PIECES),
    st.text(CHARACTERS, max_size=30),
)


def _element(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    attributes = st.lists(st.sampled_from(_ATTRIBUTES), max_size=3).map(" ".join)
    return st.builds(
        lambda tag, said, inner, closed: f"<{tag} {said}>{''.join(inner)}{closed * f'</{tag}>'}",
        st.sampled_from(_TAGS),
        attributes,
        st.lists(children, max_size=4),
        st.booleans(),
    )


_soup = st.recursive(_inner, _element, max_leaves=12)
_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), _prose, st.sampled_from(_DATES)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ("@type", "@graph", "author", "name", "headline", "datePublished", "publisher",
                 "articleBody", "articleSection", "@context", "url", "image")
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=8,
)  # fmt: skip
_linked = st.builds(
    lambda value, cut: f'<script type="application/ld+json">{json.dumps(value)[:cut]}</script>',
    _json,
    st.sampled_from((10_000, 10_000, 40)),
)
_meta = st.builds(
    lambda name, value: f'<meta {name} content="{value}">',
    st.sampled_from(
        ('property="og:title"', 'property="og:site_name"', 'name="author"', 'name="date"',
         'property="article:published_time"', 'name="twitter:site"', 'itemprop="headline"',
         'property="og:url"', 'name="keywords"', 'http-equiv="refresh"', 'property="og:type"')
    ),
    st.one_of(_prose, st.sampled_from(_DATES), st.text(CHARACTERS, max_size=20)),
)  # fmt: skip
_head = st.lists(
    st.one_of(_linked, _meta, _prose.map(lambda words: f"<title>{words}</title>")), max_size=4
).map("".join)
_pages = st.one_of(
    st.builds(
        "<html><head>{}</head><body><article>{}</article></body></html>".format,
        _head,
        st.lists(st.one_of(_soup, _sentences.map("<p>{}</p>".format)), max_size=6).map("".join),
    ),
    st.lists(_soup, max_size=6).map("".join),
)
_ENCODINGS = ("utf-8", "windows-1252", "utf-16", "utf-16-le", "shift_jis", "gbk", "koi8-r", "utf-7")


@st.composite
def _bytes(draw: st.DrawFn) -> bytes:
    """A page in an encoding of its own that its markup names, or another, with damage."""
    page, encoding = draw(_pages), draw(st.sampled_from(_ENCODINGS))
    named = draw(st.sampled_from((*_ENCODINGS, "zlib", "hex", "x", "")))
    whole = f'<meta charset="{named}">{page}'.encode(encoding, "replace")
    for at, byte in draw(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=3)):
        whole = whole[:at] + bytes([byte]) + whole[at + 1 :]
    return whole


PAGES: st.SearchStrategy[str | bytes] = st.one_of(
    _pages, _bytes(), st.binary(max_size=200), st.text(CHARACTERS, max_size=100)
)


@dataclass(frozen=True, slots=True)
class _Read:
    found: Found | None

    def __call__(self, page: str | bytes) -> Found | None:
        return self.found


def check_page(page: str | bytes) -> None:
    """Whatever the page is, it is read or refused as documented; what is read can be stored."""
    found = read_page(page)
    assert read_page(page) == found, "the same page again"
    try:
        read = extract(page, _Read(found))
    except ProblemError as err:
        if err.kind.name in DOCUMENTED:
            return
        raise
    assert read.text.strip()
    assert storable(read.text) is None
    assert len(read.text) <= MAX_TEXT_CHARACTERS
    read.text.encode("utf-8")
    for value, most in ((read.title, TITLE_CHARACTERS), (read.source, SOURCE_CHARACTERS)):
        if value is not None:
            assert 0 < len(value) <= most
            assert storable(value) is None
    assert read.published_at is None or read.published_at.tzinfo is not None
