"""Read the audit log."""

from __future__ import annotations

from flask import Response
from flask_smorest import Blueprint

from service.domain.audit import AuditFilter
from service.domain.key import Scope
from service.routes.body import load_query
from service.routes.context import context
from service.routes.documents import audit_event_document, page_answer
from service.routes.operation import ETAG, IF_NONE_MATCH, NEXT, NOT_MODIFIED, Answer, operation
from service.schemas import examples
from service.schemas.audit import AuditEventPageSchema, AuditEventQuerySchema

audit_events = Blueprint("audit_events", __name__, description="The audit log of the tenant")


@operation(
    audit_events,
    "/v1/audit_events",
    scope=Scope.ADMIN,
    answers={
        200: Answer(
            "One page, newest first.",
            AuditEventPageSchema,
            {**ETAG, **NEXT},
            {"page": examples.AUDIT_EVENT_PAGE},
        ),
        304: NOT_MODIFIED,
    },
    problems=("validation", "store-unavailable"),
    query=AuditEventQuerySchema,
    headers=(IF_NONE_MATCH,),
)
def list_audit_events() -> Response:
    """List what was done to the tenant's keys, newest first, a page at a time."""
    asked = load_query(AuditEventQuerySchema())
    wanted = AuditFilter(
        kind=asked.get("kind"),
        subject=asked.get("subject"),
        created_after=asked.get("created_after"),
        created_before=asked.get("created_before"),
    )
    page = context().store.audit_events(wanted, after=asked.get("cursor"), limit=asked["limit"])
    on_page = [audit_event_document(event) for event in page.events]
    return page_answer("audit_events", on_page, page.next_cursor)
