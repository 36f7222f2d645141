"""Events of the audit log, and lists of them."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from service.schemas.fields import CleanString, Timestamp, identifier, nested_list
from service.schemas.job import DEFAULT_PAGE, MAX_PAGE


class AuditEventSchema(Schema):
    """One thing that was done, by whom, to what."""

    id = identifier(required=True)
    created_at = fields.String(required=True, metadata={"format": "date-time"})
    actor = fields.String(
        required=True,
        metadata={
            "description": "The id of a key, or `operator`: a command on the service's side."
        },
    )
    kind = fields.String(
        required=True,
        metadata={
            "description": "`key.created`, `key.rotated`, `key.revoked`, `key.refused` (used after "
            "its end; at most one an hour), `tenant.deleted`. More kinds may come."
        },
    )
    subject = fields.String(
        required=True, metadata={"description": "The id of the key or tenant that it is about."}
    )
    detail = fields.Dict(
        required=True,
        metadata={"additionalProperties": True, "description": "What else there is to say."},
    )


class AuditEventPageSchema(Schema):
    """One page of events, newest first."""

    audit_events = nested_list(AuditEventSchema)
    next_cursor = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "`cursor` of the next page; null on the last."},
    )


class AuditEventQuerySchema(Schema):
    """Which events to list."""

    kind = CleanString(max_length=64)
    subject = CleanString(max_length=128)
    created_after = Timestamp(metadata={"description": "Exclusive."})
    created_before = Timestamp(metadata={"description": "Exclusive."})
    cursor = identifier(metadata={"description": "`next_cursor` of the page before."})
    limit = fields.Integer(
        load_default=DEFAULT_PAGE, validate=[validate.Range(min=1, max=MAX_PAGE)]
    )
