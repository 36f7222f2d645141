"""Look at webhook deliveries, send them again."""

from __future__ import annotations

from flask import Response
from flask_smorest import Blueprint

from service.domain.delivery import DeliveryState, EventType
from service.domain.ports import DeliveryFilter
from service.problems import ProblemError
from service.routes.articles import known_id
from service.routes.body import load_query
from service.routes.context import context
from service.routes.documents import answer, delivery_document, page_answer
from service.routes.operation import (
    ETAG,
    IF_NONE_MATCH,
    NEXT,
    NOT_MODIFIED,
    Answer,
    delivery_links,
    job_links,
    link,
    operation,
)
from service.schemas import examples
from service.schemas.webhook import (
    WebhookDeliveryPageSchema,
    WebhookDeliveryQuerySchema,
    WebhookDeliverySchema,
)

webhook_deliveries = Blueprint(
    "webhook_deliveries", __name__, description="Webhooks: what was told to whom"
)


@operation(
    webhook_deliveries,
    "/v1/webhook_deliveries",
    answers={
        200: Answer(
            "One page, newest first.",
            WebhookDeliveryPageSchema,
            {**ETAG, **NEXT},
            {"page": examples.DELIVERY_PAGE},
            links={
                **delivery_links("/webhook_deliveries/0/id"),
                **job_links("/webhook_deliveries/0/job_id"),
                "next": link("list_deliveries", "The next page.", cursor="/next_cursor"),
            },
        ),
        304: NOT_MODIFIED,
    },
    problems=("validation", "store-unavailable"),
    query=WebhookDeliveryQuerySchema,
    headers=(IF_NONE_MATCH,),
)
def list_deliveries() -> Response:
    """List webhook deliveries, newest first, a page at a time."""
    asked = load_query(WebhookDeliveryQuerySchema())
    state, type_ = asked.get("state"), asked.get("type")
    wanted = DeliveryFilter(
        state=DeliveryState(state) if state else None,
        type=EventType(type_) if type_ else None,
        job_id=asked.get("job_id"),
        batch_id=asked.get("batch_id"),
        url=asked.get("url"),
        created_after=asked.get("created_after"),
        created_before=asked.get("created_before"),
    )
    page = context().store.deliveries(wanted, after=asked.get("cursor"), limit=asked["limit"])
    on_page = [delivery_document(delivery) for delivery in page.deliveries]
    return page_answer("webhook_deliveries", on_page, page.next_cursor)


@operation(
    webhook_deliveries,
    "/v1/webhook_deliveries/<delivery_id>",
    answers={
        200: Answer(
            "The delivery.",
            WebhookDeliverySchema,
            ETAG,
            {"delivered": examples.DELIVERY, "pending": examples.DELIVERY_PENDING},
            links={**delivery_links("/id"), **job_links("/job_id")},
        ),
        304: NOT_MODIFIED,
    },
    problems=("not-found", "gone", "store-unavailable"),
    headers=(IF_NONE_MATCH,),
)
def get_delivery(delivery_id: str) -> Response:
    """Look at a webhook delivery."""
    return answer(delivery_document(context().store.delivery(known_id(delivery_id))))


@operation(
    webhook_deliveries,
    "/v1/webhook_deliveries/<delivery_id>/redeliver",
    method="POST",
    answers={
        202: Answer(
            "Due now.",
            WebhookDeliverySchema,
            {},
            {"pending": examples.DELIVERY_PENDING},
            links=delivery_links("/id"),
        )
    },
    problems=("not-found", "gone", "webhooks-off", "store-unavailable"),
)
def redeliver(delivery_id: str) -> Response:
    """Send a webhook again: the same body and `webhook-id`, a new time and signature.

    Whatever its state, it is due now and has all its attempts before it. A URL that was disabled
    by a 410 is called again, for later deliveries too.
    """
    here = context()
    known_id(delivery_id)
    if not here.settings.webhook_secret:
        # An unknown id stays unknown.
        here.store.delivery(delivery_id)
        raise ProblemError("webhooks-off")
    return answer(delivery_document(here.store.redeliver(delivery_id)), 202)
