"""Cues that mark one whole line as page furniture: structure and set phrases, never topics."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from service.domain.analysis import BlockKind
from workers.stages.clean.lines import Line, ends_sentence, has_words

# Longer lines are prose; it also bounds the work of every pattern below.
MAX_FURNITURE_CHARACTERS = 400

_FLAGS = re.IGNORECASE

_NETWORK = (
    r"(?:facebook|twitter|x|instagram|youtube|linkedin|whatsapp|telegram|reddit|pinterest|"
    r"email|e-mail|google news|google\+|rss|social media|messenger|tumblr|viber|vk|tiktok)"
)
_NETWORKS = rf"(?:{_NETWORK}(?:[\s,|/&·•]+(?:and\s+|or\s+)?)?){{1,10}}"

_NAVIGATION = re.compile(
    r"(?:"
    rf"(?:follow|like|find|join) us(?: on| at| via)?\s*:?\s*(?:{_NETWORKS})?"
    rf"|(?:share|tweet|pin|print|e?-?mail|save|listen|bookmark)"
    rf"(?: this)?(?: (?:article|story|page|post|news))?(?: (?:on|via|by|with))?\s*:?\s*"
    rf"(?:{_NETWORKS})?(?:with friends)?"
    rf"|{_NETWORKS}"
    r"|(?:all|more|latest|top|breaking|world|local|recent|other) (?:news|stories|headlines)"
    r"|back to (?:top|home|news|all news|list)|go to (?:top|home)|home ?page|home|menu|search"
    r"|skip to (?:main )?content|(?:log|sign) ?(?:in|up|out)|register|subscribe(?: now| today)?"
    r"|(?:next|previous|prev)(?: (?:article|story|post|page))?|load more|show more|see more"
    r"|view (?:all|more)(?: comments)?|click here(?: (?:to|for) [^.!?]{1,80})?"
    r"|(?:\d+ )?comments?(?: \(?\d+\)?)?|(?:leave|post|add|write) a (?:comment|reply)"
    r"|no comments(?: yet)?|comments are closed\.?"
    r"|advertisement|sponsored(?: content)?|promoted|loading\.{0,3}|close"
    r"|cookie (?:policy|settings)|privacy policy|terms (?:of use|and conditions|of service)"
    r"|contact us|about us"
    r"|(?:tags?|topics?|filed under|categor(?:y|ies)|keywords|section)\s*:\s*[^.!?]{0,200}"
    r"|\d+ (?:views|shares|likes|min(?:ute)?s? read)|font size|text size|a\+ ?a-?"
    r"|(?:(?:subscribe to|sign up (?:for|to)) (?:our|the|my)|get our) [^.!?]{0,60}"
    r"(?:newsletter|channel|alerts?|updates|briefing|app)s?[^.!?]{0,60}[.!]?"
    r"|(?:download|install) (?:our|the) [^.!?]{0,40}\bapp\b[^.!?]{0,40}[.!]?"
    r"|(?:read|continue reading)(?: the)?(?: full| whole)? (?:article|story|text|more)(?: here| on"
    r"[^.!?]{1,60})?\s*(?:>{1,2}|»|→|\.{3}|…)?"
    r"|continue reading(?: below)?"
    r")\s*[:>»→]*",
    _FLAGS,
)
# "Home > World > Asia"
_BREADCRUMB = re.compile(r"[^.!?<>›»→]{1,40}(?:\s[>›»→]\s[^.!?<>›»→]{1,60}){1,8}")

_RELATED_HEADER = re.compile(
    r"(?:check (?:also|this|out)|see also|also (?:read|see|in this section|on [\w ]{1,30})"
    r"|read (?:also|next|more)|up next|do ?n[o'’]t miss|related"
    r"|(?:related|similar|recommended|popular|trending|suggested|other|further) "
    r"(?:stories|story|articles?|news|posts?|topics|content|links|coverage|reading|videos?)"
    r"|recommended(?: for you)?|you (?:may|might)(?: also)? (?:like|be interested in|enjoy)"
    r"|more (?:on this (?:story|topic)|from [\w .&'’-]{1,40}|stories|articles|like this)"
    r"|most (?:read|popular|viewed|shared|commented)|editors?[’']?s? (?:picks?|choice)"
    r"|trending(?: now)?|what others are reading)\s*[:>»→]*",
    _FLAGS,
)
_RELATED_INLINE = re.compile(
    r"(?:\(|\[|>|»|→|\*)?\s*(?:related(?: (?:story|stories|article|articles|news))?|read also|"
    r"also read|see also|read more|read next|watch(?: also)?|check also|must read|recommended)"
    r"\s*[:|–—>»]\s*\S[^\n]{2,250}",
    _FLAGS,
)

_IMAGE = r"!\[[^\]\n]{0,300}\]\([^)\n]{0,1000}\)"
_IMAGES_ONLY = re.compile(rf"[\s|*_]*(?:{_IMAGE}[\s|*_]*)+")
LEADING_IMAGES = re.compile(rf"(?:{_IMAGE}[\s|]*)+")
_PLACEHOLDER = re.compile(
    r"[\[(<]?(?:image|photo|picture|video|audio|figure|graphic|infographic|map|gallery|slideshow"
    r"|embedded content|no image)(?: \d{1,3})?(?: (?:placeholder|player|unavailable|removed))?"
    r"[\])>]?",
    _FLAGS,
)

_PHOTO = (
    r"(?:file |archive |handout |courtesy )?"
    r"(?:photos?|images?|pictures?|pics?|photograph|screen ?(?:shot|grab)|illustration|graphic)"
)
_PHOTO_CREDIT_END = re.compile(
    rf"[(\[]\s*(?:{_PHOTO}(?: credit| courtesy| source)?\s*(?:[:/|]|by\b|via\b|from\b|courtesy\b)"
    rf"[^)\]\n]{{1,80}}|{_PHOTO}|(?:credit|courtesy(?: of)?)\s*[:/]?[^)\]\n]{{1,80}})\s*[)\]]\.?$",
    _FLAGS,
)
_PHOTO_START = re.compile(
    rf"[(\[]?\s*{_PHOTO}(?: credit| courtesy| source)?\s*(?:[:|]|by [A-Z])[^\n]{{0,250}}", _FLAGS
)
_AGENCY_BRACKET_END = re.compile(r"[^\s.!?…\"”]\s*\[[A-Z][\w .&/'’,-]{1,50}\]$")
_SEVERAL_SENTENCES = re.compile(r"[.!?…][\"”’)]*\s|[\"“”]")
_STOCK_CREDIT_END = re.compile(
    r"(?:getty images|shutterstock|istock(?:photo)?|alamy|epa-efe|/ ?(?:ap|afp|reuters|epa))"
    r"\s*[)\]]?$",
    _FLAGS,
)

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?"
_DATE = (
    rf"(?:{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?(?:\s*,?\s*\d{{4}})?"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?[\s-]+{_MONTH}(?:[\s,-]+\d{{2,4}})?"
    r"|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4})"
)
_TIME = r"\d{1,2}[:.h]\d{2}(?:[:.]\d{2})?(?:\s*[ap]\.?m\.?)?|\d{1,2}\s*[ap]\.?m\.?"
_ZONE = r"\(?(?:gmt|utc|est|edt|cet|cest|pst|pdt|ist|bst|msk|eet|local time|z)(?:[+-]\d{1,4})?\)?"
_TIMESTAMP = re.compile(
    r"(?:(?:first |last )?(?:published|updated|posted|modified|created|date)(?: on| at)?\s*:?\s*)?"
    rf"(?:(?:{_WEEKDAY}|{_DATE}|{_TIME}|{_ZONE}|at|on|updated|published|last)[\s,|–—@-]*){{1,12}}",
    _FLAGS,
)
_AGO = re.compile(
    r"(?:(?:published|updated|posted)\s*:?\s*)?(?:\d{1,3}|an?|one|two)"
    r" (?:min(?:ute)?|hour|day|week|month|year)s? ago",
    _FLAGS,
)

_NAME_WORD = r"(?:[^\W\d_a-zß-ÿ][\w'’.-]{0,30}|de|da|di|del|van|von|der|al|el|bin|ibn|la|le)"
_NAMES = rf"{_NAME_WORD}(?:\s+{_NAME_WORD}){{0,5}}"
_BYLINE = re.compile(
    r"(?i:by|written by|reported by|report by|edited by|text by|story by|words by|translated by"
    r"|compiled by|from our correspondent)\s*:?\s+"
    rf"{_NAMES}(?:(?:\s*[,&|/]\s*|\s+(?i:and|with|in|for)\s+){_NAMES}){{0,5}}"
)
_NOT_A_NAME = re.compile(rf"(?i:by\s+(?:{_MONTH}|{_WEEKDAY}|the|a|an|[A-Z]+ing)\b)")
_AGENCIES = re.compile(
    r"(?:(?:[A-Z][\w.&'’-]{0,30}(?:,? | ?/ ?)){0,6}(?:and|&|with|/) )?(?i:(?:news )?agenc(?:y|ies)"
    r"|wires?|wire services?|staff(?: writers?| reporters?)?)"
    r"|(?i:\(?with (?:additional )?(?:inputs?|reporting|files|material)"
    r" (?:from|by) [^.!?]{1,80}\)?\.?)"
    r"|(?i:staff (?:writer|reporter|correspondent)|news desk|web desk|our correspondent)"
)
_REPORTING = re.compile(
    r"[(\[]?(?:additional )?(?:reporting|writing|editing|compiled|translation|translated)"
    r"(?: and (?:writing|editing))? by [^\n]{3,300}[)\]]?\.?",
    _FLAGS,
)
_EXPLICIT_CREDIT = re.compile(
    r"(?:sources?|via|courtesy(?: of)?)\s*:\s*\S[^.!?\n]{0,30}(?:\.[^.!?\s]{2,20}){0,3}"
    r"|(?:©|\(c\)|copyright)[^\n]{0,150}|[^\n]{0,60}all rights reserved\.?"
    r"|(?:this (?:article|story|report|piece) (?:was|is|has been) )?"
    r"(?:originally |first )?(?:published|appeared) (?:in|on|by|at) [^\n]{2,80}",
    _FLAGS,
)
# "According to" + an outlet, at the end of an article and without a sentence of its own.
_CLOSING_CREDIT = re.compile(
    r"(?i:according to|from|via)\s+(?i:the\s+)?"
    r"[A-Z][\w&'’-]{0,30}(?:\.[A-Za-z]{2,10})?(?:[ /,]+[A-Z][\w&'’.-]{0,30}){0,4}"
)
_LONE_NAME = re.compile(
    r"[^\W\d_][\w'’.-]{0,25}(?:[ /&,]{1,3}[^\W\d_][\w'’.-]{0,25}){0,3}|[A-Z]{2,6}"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a line is, when it is not part of the article, and the rule that says so."""

    kind: BlockKind
    reason: str


def find_furniture(line: Line) -> Finding | None:
    """The kind of page furniture that `line` is by its own wording, or `None`.

    Each rule needs the whole line to fit a closed form, so that a sentence which merely begins
    with "Share", "By" or "Photo" stays in the article.
    """
    shown = line.visible
    if len(shown) > MAX_FURNITURE_CHARACTERS:
        return None if has_words(shown) else Finding("placeholder", "no_words")
    return _find_by_wording(shown)


# Pages repeat their short lines; a text of 100,000 lines has few different ones.
@lru_cache(maxsize=4096)
def _find_by_wording(shown: str) -> Finding | None:
    if _IMAGES_ONLY.fullmatch(shown) or _PLACEHOLDER.fullmatch(shown):
        return Finding("placeholder", "image_placeholder")
    if not has_words(shown):
        return Finding("placeholder", "no_words")
    if _RELATED_HEADER.fullmatch(shown):
        return Finding("related", "related_header")
    if _NAVIGATION.fullmatch(shown) or _BREADCRUMB.fullmatch(shown):
        return Finding("navigation", "navigation_phrase")
    if _RELATED_INLINE.fullmatch(shown) and not shown.endswith("."):
        return Finding("related", "related_link")
    if _TIMESTAMP.fullmatch(shown) or _AGO.fullmatch(shown):
        return Finding("dateline", "timestamp")
    return _find_credit(shown)


def _find_credit(shown: str) -> Finding | None:
    if _is_caption(shown):
        return Finding("caption", "photo_credit")
    if _REPORTING.fullmatch(shown) or _AGENCIES.fullmatch(shown):
        return Finding("byline", "byline")
    if _BYLINE.fullmatch(shown) and not ends_sentence(shown) and not _NOT_A_NAME.match(shown):
        return Finding("byline", "byline")
    if _EXPLICIT_CREDIT.fullmatch(shown):
        return Finding("credit", "source_credit")
    return None


def _is_caption(shown: str) -> bool:
    tail = shown[-120:]
    if _PHOTO_CREDIT_END.search(tail):
        return True
    # One phrase with its agency; notes of several sentences name their sources in brackets too.
    if _AGENCY_BRACKET_END.search(tail) and not _SEVERAL_SENTENCES.search(shown):
        return True
    if _STOCK_CREDIT_END.search(shown[-40:]):
        return True
    return len(shown) <= 250 and bool(_PHOTO_START.fullmatch(shown)) and not shown.endswith(".")


def is_closing_credit(line: Line) -> bool:
    """Whether a line at the article's end only names the outlet that it was taken from."""
    shown = line.visible.rstrip(".")
    return len(shown) <= 80 and _CLOSING_CREDIT.fullmatch(shown) is not None


def is_lone_name(line: Line) -> bool:
    """Whether a line at the article's end is one to four capitalised words: who wrote it."""
    shown = line.visible.strip("()[]—–- ")
    if ends_sentence(shown) or len(shown) > 60 or not _LONE_NAME.fullmatch(shown):
        return False
    return all(word[0].isupper() for word in re.split(r"[\s/&,]+", shown) if word)
