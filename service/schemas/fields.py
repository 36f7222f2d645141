"""Fields whose JSON Schema and whose check say the same thing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from service.domain.callback import MAX_URL_CHARACTERS

UUID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
UUID_REGEX = re.compile(UUID_PATTERN.removesuffix("$") + r"\Z")

_NUL_FREE = r"^[^\u0000]*$"
# Controls and Unicode's spaces, one by one: `\s` means something else in each regex dialect.
_BLANK = r"\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
NOT_BLANK = rf"^[^\u0000]*[^{_BLANK}][^\u0000]*$"
_VISIBLE = re.compile(rf"[^{_BLANK}]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")

# JSON numbers beyond this lose digits in most readers (RFC 7493, 2.2).
_MAX_SAFE_NUMBER = 2**53 - 1

METADATA_DEPTH = 4
METADATA_MEMBERS = 50
METADATA_CHARACTERS = 1000


def storable(text: str) -> str | None:
    """What is wrong with `text` as Unicode text that any database keeps, or `None`."""
    if "\0" in text:
        return "Must not contain NUL characters."
    if _SURROGATE.search(text):
        return "Must not contain lone surrogates: they are not Unicode text."
    return None


class CleanString(fields.String):
    """A string without NUL and lone surrogates; kept exactly as it came.

    `blank=False` also asks for one character that is not white space.
    """

    def __init__(self, *, blank: bool = True, max_length: int, **kwargs: Any) -> None:
        self.blank = blank
        metadata = {"pattern": _NUL_FREE if blank else NOT_BLANK, **kwargs.pop("metadata", {})}
        length = validate.Length(min=None if blank else 1, max=max_length)
        super().__init__(validate=[length], metadata=metadata, **kwargs)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        assert isinstance(text, str)
        fault = storable(text)
        if fault is None and not self.blank and not _VISIBLE.search(text):
            fault = "Must not be empty or only white space."
        if fault is not None:
            raise ValidationError(fault)
        return text


class Timestamp(fields.Field[datetime]):
    """RFC 3339 date-time with its offset, or a full-date, which means its midnight in UTC."""

    _FORM = re.compile(
        r"(\d{4}-\d{2}-\d{2})(?:[Tt](\d{2}:\d{2}):(\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2}))?",
        re.ASCII,
    )

    def __init__(self, **kwargs: Any) -> None:
        forms = [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]
        if kwargs.get("allow_none"):
            forms.append({"type": "null"})
        super().__init__(metadata={"anyOf": forms, **kwargs.pop("metadata", {})}, **kwargs)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> datetime:
        found = self._FORM.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise ValidationError("Must be an RFC 3339 date-time with an offset, or a full-date.")
        day, minute, second, fraction, offset = found.groups()
        if minute is None:
            minute, second, fraction, offset = "00:00", "00", None, "Z"
        # Leap seconds are valid in RFC 3339 and unknown to datetime.
        second = "59" if second == "60" else second
        digits = (fraction or ".0")[:7]
        try:
            moment = datetime.fromisoformat(f"{day}T{minute}:{second}{digits}{offset.upper()}")
            return moment.astimezone(UTC)
        except (ValueError, OverflowError) as err:
            raise ValidationError("Not a date that exists.") from err


class WebUrl(CleanString):
    """An absolute http or https URL. It is kept and shown, never fetched."""

    _PATTERN = rf"^[Hh][Tt][Tt][Pp][Ss]?://[^/?#\\@\[\]<>{_BLANK}]+(?:[/?#][^{_BLANK}]*)?$"
    _REGEX = re.compile(_PATTERN.removesuffix("$") + r"\Z")

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"pattern": self._PATTERN, **kwargs.pop("metadata", {})}
        super().__init__(max_length=2048, metadata=metadata, **kwargs)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        url = super()._deserialize(value, attr, data, **kwargs)
        if not self._REGEX.match(url):
            raise ValidationError("Must be an absolute http or https URL.")
        return url


class CallbackUrl(fields.String):
    """A URL to call back. What else holds for it depends on the settings, so the route asks
    their `CallbackPolicy`; the format's name tells tools that it is not just any URI."""

    _REGEX = re.compile(r"https?://[!-~]+\Z", re.IGNORECASE)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            metadata={"format": "callback-url", **kwargs.pop("metadata", {})}, **kwargs
        )

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        # Checked here, not by validators: those would put half of the rule into the schema.
        url = super()._deserialize(value, attr, data, **kwargs)
        assert isinstance(url, str)
        if len(url) > MAX_URL_CHARACTERS or not self._REGEX.match(url):
            raise ValidationError(
                f"Must be an https URL in ASCII of at most {MAX_URL_CHARACTERS} characters."
            )
        return url


class Metadata(fields.Field[dict[str, Any]]):
    """The caller's own JSON object, within limits that the schema states in full."""

    def __init__(self, **kwargs: Any) -> None:
        description = kwargs.pop("description", "")
        # apispec drops keywords that OpenAPI 3.0 did not know, `propertyNames` too, but not inside.
        shape = {"type": "object", "allOf": [_metadata_object(METADATA_DEPTH)]}
        super().__init__(metadata={**shape, "description": description}, **kwargs)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError("Must be an object.")
        faults = _metadata_faults(value, METADATA_DEPTH)
        if faults:
            raise ValidationError(faults)
        return value


def _metadata_object(depth: int) -> dict[str, Any]:
    return {
        "type": "object",
        "maxProperties": METADATA_MEMBERS,
        "propertyNames": {"pattern": _NUL_FREE},
        "additionalProperties": _metadata_value(depth - 1),
    }


def _metadata_value(depth: int) -> dict[str, Any]:
    forms: list[dict[str, Any]] = [
        {"type": "string", "maxLength": METADATA_CHARACTERS, "pattern": _NUL_FREE},
        {"type": "number", "minimum": -_MAX_SAFE_NUMBER, "maximum": _MAX_SAFE_NUMBER},
        {"type": ["boolean", "null"]},
    ]
    if depth > 0:
        items = _metadata_value(depth - 1)
        forms += [
            {"type": "array", "maxItems": METADATA_MEMBERS, "items": items},
            _metadata_object(depth),
        ]
    return {"anyOf": forms}


def _metadata_faults(value: Any, depth: int) -> Any:
    """Error messages in marshmallow's nested form, empty when all is well."""
    if isinstance(value, str):
        if len(value) > METADATA_CHARACTERS:
            return [f"Longer than {METADATA_CHARACTERS} characters."]
        fault = storable(value)
        return [fault] if fault else []
    if isinstance(value, dict | list):
        if depth == 0:
            return [f"Nested deeper than {METADATA_DEPTH} levels."]
        if len(value) > METADATA_MEMBERS:
            return [f"More than {METADATA_MEMBERS} members."]
        members = value.items() if isinstance(value, dict) else enumerate(value)
        faults = {}
        for key, member in members:
            fault = storable(key) if isinstance(key, str) else None
            found = [f"Name: {fault}"] if fault else _metadata_faults(member, depth - 1)
            if found:
                faults[key] = found
        return faults
    if isinstance(value, int | float) and not abs(value) <= _MAX_SAFE_NUMBER:
        return [f"Numbers must lie within ±{_MAX_SAFE_NUMBER}."]
    return []


def identifier(**kwargs: Any) -> fields.String:
    """An opaque id (a UUID in lower case)."""
    metadata = {"pattern": UUID_PATTERN, **kwargs.pop("metadata", {})}
    return fields.String(
        validate=[validate.Regexp(UUID_REGEX, error="Not an id.")], metadata=metadata, **kwargs
    )


def nested(schema: type[Schema], **kwargs: Any) -> fields.Nested:
    """A nested object that is always there."""
    return fields.Nested(schema, required=True, **kwargs)


def nested_list(schema: type[Schema], **kwargs: Any) -> fields.List[Any]:
    """A list of objects that is always there, maybe empty."""
    return fields.List(fields.Nested(schema), required=True, **kwargs)
