"""What a caller may submit: one article as JSON, or its fields as query parameters."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import Schema, fields, post_load, validate

from service.domain.article import MAX_TARGET_CHARACTERS, MAX_TARGETS, MAX_TEXT_CHARACTERS
from service.domain.spans import OFFSET_UNITS
from service.schemas.fields import (
    NOT_BLANK,
    CallbackUrl,
    CleanString,
    Metadata,
    Timestamp,
    WebUrl,
)

TITLE_CHARACTERS = 1000
SOURCE_CHARACTERS = 300

_LANGUAGE = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}$"


def _language(**kwargs: Any) -> fields.String:
    return fields.String(
        validate=[
            validate.Regexp(
                re.compile(_LANGUAGE.removesuffix("$") + r"\Z"), error="Not a BCP 47 language tag."
            )
        ],
        metadata={
            "pattern": _LANGUAGE,
            "description": "BCP 47 tag of the text's language, as the caller knows it. The "
            "analysis is made for English; other text is analysed too and carries a warning.",
        },
        **kwargs,
    )


def _targets() -> fields.List[str]:
    return fields.List(
        CleanString(blank=False, max_length=MAX_TARGET_CHARACTERS),
        validate=[validate.Length(max=MAX_TARGETS)],
        metadata={
            "description": "Topics or claims, in the caller's words, towards which stances are "
            "wanted besides those towards the entities. White space at the ends is cut off and "
            "doubles are dropped."
        },
    )


def _offsets() -> fields.String:
    return fields.String(
        validate=[validate.OneOf(OFFSET_UNITS)],
        metadata={"description": "What `start` and `end` of the analysis count in by default."},
    )


def distinct(targets: list[str]) -> tuple[str, ...]:
    """The targets without outer white space and doubles, in their first order."""
    return tuple(dict.fromkeys(target.strip() for target in targets))


def _callback_url(**kwargs: Any) -> CallbackUrl:
    return CallbackUrl(
        metadata={
            "description": "Where a webhook (by Standard Webhooks) goes when the job has ended. "
            "An https URL of a public host, unless the service's settings allow more; no user "
            "name, no fragment. Null is the same as none."
        },
        **kwargs,
    )


class OptionsSchema(Schema):
    """How the article is to be analysed."""

    targets = _targets()
    offsets = _offsets()
    callback_url = _callback_url(allow_none=True)

    @post_load
    def _distinct(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        data["targets"] = distinct(data.get("targets", []))
        return data


def text_schema() -> dict[str, Any]:
    """The JSON Schema of a plain text body: what `ArticleSubmissionSchema` asks of `text`."""
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_TEXT_CHARACTERS,
        "pattern": NOT_BLANK,
        "description": "The article's text in UTF-8, kept exactly as submitted.",
    }


class ArticleSubmissionSchema(Schema):
    """One article. Only `text` is required; unknown members are refused."""

    text = CleanString(
        required=True,
        blank=False,
        max_length=MAX_TEXT_CHARACTERS,
        metadata={
            "description": "The article's text, kept exactly as submitted (no normalisation): "
            "every offset counts in it. NUL characters and lone surrogates are refused; other "
            "control characters are kept."
        },
    )
    title = CleanString(allow_none=True, max_length=TITLE_CHARACTERS)
    source = CleanString(
        allow_none=True, max_length=SOURCE_CHARACTERS, metadata={"description": "The outlet."}
    )
    url = WebUrl(allow_none=True, metadata={"description": "Where it was published; not fetched."})
    published_at = Timestamp(allow_none=True)
    language = _language(allow_none=True)
    metadata = Metadata(description="The caller's own data, given back with the article.")
    options = fields.Nested(OptionsSchema)


class ArticleQuerySchema(Schema):
    """What `POST /v1/articles` takes from the query, for bodies that cannot say it themselves."""

    title = CleanString(max_length=TITLE_CHARACTERS)
    source = CleanString(max_length=SOURCE_CHARACTERS)
    url = WebUrl()
    published_at = Timestamp()
    language = _language()
    targets = _targets()
    offsets = _offsets()
    callback_url = _callback_url()


class BatchQuerySchema(Schema):
    """What `POST /v1/batches` takes from the query: its body is nothing but articles."""

    callback_url = _callback_url()
