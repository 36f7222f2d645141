"""The one shape of every error (RFC 9457)."""

from __future__ import annotations

from marshmallow import INCLUDE, Schema, fields


class FaultSchema(Schema):
    """One thing that is wrong with the request: in the body, or in a parameter."""

    pointer = fields.String(metadata={"description": "JSON Pointer (RFC 6901) into the body."})
    parameter = fields.String(metadata={"description": "Name of a query parameter or header."})
    detail = fields.String(required=True)


class ProblemSchema(Schema):
    """A problem document. `type` is stable; `title` and `detail` are for people."""

    class Meta:
        """Problem types may add members of their own (RFC 9457, 3.2)."""

        unknown = INCLUDE

    type = fields.String(required=True, metadata={"format": "uri"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    request_id = fields.String(required=True)
    errors = fields.List(fields.Nested(FaultSchema))
