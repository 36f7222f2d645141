"""An article as it is kept."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from service.schemas.fields import identifier, nested
from service.schemas.job import JobLinksSchema


def _optional_string(**metadata: str) -> fields.String:
    return fields.String(required=True, allow_none=True, metadata=metadata)


class ArticleSchema(Schema):
    """A submitted article; `text` is exactly what came (of HTML: what was extracted)."""

    id = identifier(required=True)
    title = _optional_string()
    source = _optional_string()
    url = _optional_string()
    published_at = _optional_string(format="date-time")
    language = _optional_string()
    metadata = fields.Dict(required=True, metadata={"additionalProperties": True})
    text = fields.String(required=True)
    text_sha256 = fields.String(required=True, metadata={"pattern": "^[0-9a-f]{64}$"})
    characters = fields.Integer(
        required=True,
        validate=[validate.Range(min=1)],
        metadata={"description": "Length of `text` in code points."},
    )
    created_at = fields.String(required=True, metadata={"format": "date-time"})
    job_id = identifier(required=True)
    links = nested(JobLinksSchema)
