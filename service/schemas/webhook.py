"""Webhook deliveries, and lists of them."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from service.domain.delivery import EVENT_OF_STATE, DeliveryState, EventType
from service.schemas.fields import CallbackUrl, Timestamp, identifier, nested, nested_list
from service.schemas.job import DEFAULT_PAGE, MAX_PAGE, FailureSchema, JobLinksSchema

_STATES = tuple(state.value for state in DeliveryState)
_TYPES = tuple(type_.value for type_ in EventType)


def _moment(description: str, *, allow_none: bool = True) -> fields.String:
    return fields.String(
        required=True,
        allow_none=allow_none,
        metadata={"format": "date-time", "description": description},
    )


def _link(description: str) -> fields.String:
    return fields.String(
        required=True, metadata={"format": "uri-reference", "description": description}
    )


class WebhookDataSchema(Schema):
    """The job that has ended; its analysis is fetched by its link."""

    job_id = identifier(required=True)
    article_id = identifier(required=True)
    batch_id = identifier(required=True, allow_none=True)
    state = fields.String(
        required=True, validate=[validate.OneOf([state.value for state in EVENT_OF_STATE])]
    )
    links = nested(JobLinksSchema)
    failure = fields.Nested(FailureSchema, required=True, allow_none=True)


class WebhookSchema(Schema):
    """What a receiver is sent."""

    type = fields.String(required=True, validate=[validate.OneOf(_TYPES)])
    timestamp = _moment("When the job ended.", allow_none=False)
    data = nested(WebhookDataSchema)


class WebhookDeliveryLinksSchema(Schema):
    """Where to go from a delivery."""

    delivery = _link("The delivery.")
    redeliver = _link("POST here sends it again.")
    job = _link("The job that it tells about.")


class WebhookDeliverySchema(Schema):
    """One event and how far its delivery to one URL has come."""

    id = identifier(required=True, metadata={"description": "The `webhook-id` of every attempt."})
    type = fields.String(required=True, validate=[validate.OneOf(_TYPES)])
    job_id = identifier(required=True)
    article_id = identifier(required=True)
    batch_id = identifier(required=True, allow_none=True)
    url = fields.String(required=True)
    state = fields.String(
        required=True,
        validate=[validate.OneOf(_STATES)],
        metadata={
            "description": "`pending` until the receiver has answered 2xx (`delivered`), every "
            "attempt is used up or the address may not be called (`failed`), or the receiver has "
            "answered 410 to this or another delivery to the URL (`disabled`)."
        },
    )
    attempts = fields.Integer(required=True, validate=[validate.Range(min=0)])
    max_attempts = fields.Integer(required=True, validate=[validate.Range(min=1)])
    created_at = _moment("When the job ended.", allow_none=False)
    updated_at = _moment("When this changed last.", allow_none=False)
    next_attempt_at = _moment("Null when there will be none.")
    last_attempt_at = _moment("Null before the first has ended.")
    delivered_at = _moment("Null until it is.")
    last_status = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "HTTP status of the last attempt; null when none came."},
    )
    failure = fields.Nested(
        FailureSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Why the last attempt did not deliver."},
    )
    links = nested(WebhookDeliveryLinksSchema)


class WebhookDeliveryPageSchema(Schema):
    """One page of deliveries, newest first."""

    webhook_deliveries = nested_list(WebhookDeliverySchema)
    next_cursor = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "`cursor` of the next page; null on the last."},
    )


class WebhookDeliveryQuerySchema(Schema):
    """Which deliveries to list."""

    state = fields.String(validate=[validate.OneOf(_STATES)])
    type = fields.String(validate=[validate.OneOf(_TYPES)])
    job_id = identifier()
    batch_id = identifier()
    url = CallbackUrl(metadata={"description": "The callback URL, exactly."})
    created_after = Timestamp(metadata={"description": "Exclusive."})
    created_before = Timestamp(metadata={"description": "Exclusive."})
    cursor = identifier(metadata={"description": "`next_cursor` of the page before."})
    limit = fields.Integer(
        load_default=DEFAULT_PAGE, validate=[validate.Range(min=1, max=MAX_PAGE)]
    )
