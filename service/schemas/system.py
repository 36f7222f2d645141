"""Health and models."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from service.schemas.fields import nested, nested_list


class AliveSchema(Schema):
    """The process answers."""

    status = fields.String(required=True, validate=[validate.Equal("ok")])


class ChecksSchema(Schema):
    """What readiness looks at; `ok`, or why not."""

    database = fields.String(required=True)
    broker = fields.String(required=True)
    workers = fields.String(required=True)


class ReadySchema(Schema):
    """Everything behind the service answers."""

    status = fields.String(required=True, validate=[validate.Equal("ok")])
    checks = nested(ChecksSchema)


class ModelSchema(Schema):
    """A model that a live worker runs."""

    name = fields.String(required=True)
    task = fields.String(required=True, allow_none=True)
    version = fields.String(required=True, allow_none=True)
    sha256 = fields.String(
        required=True, allow_none=True, metadata={"description": "Of the weights file."}
    )
    calibrated = fields.Boolean(
        required=True,
        metadata={
            "description": "Whether its probabilities were fitted to be right as often as they"
            " say. Those of named entities, and of models chosen by name, were not."
        },
    )
    metrics = fields.Dict(
        required=True,
        metadata={
            "additionalProperties": True,
            "description": "Figures on the development data, as the model card states them.",
        },
    )
    pipeline_version = fields.String(required=True)
    workers = fields.Integer(
        required=True,
        validate=[validate.Range(min=1)],
        metadata={"description": "How many live workers run it."},
    )


class ModelsSchema(Schema):
    """The models of all live workers; empty while no worker is heard of."""

    models = nested_list(ModelSchema)
