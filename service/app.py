"""Builds the web application."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from threading import BoundedSemaphore
from typing import Any

from flask import Flask, Response
from flask_smorest import Api

from service import explorer, problems, request_log
from service.access import Access
from service.access import register as register_access
from service.domain.ports import Doorbell, Limiter, ServiceStore
from service.extraction.page_reader import PageReader
from service.hardening import HEADERS
from service.metrics import ApiMetrics
from service.routes.articles import articles
from service.routes.audit_events import audit_events
from service.routes.batches import batches
from service.routes.context import EXTENSION, MAX_WAITING, Context
from service.routes.jobs import jobs
from service.routes.operation import API_KEY, RATE_LIMIT_HEADERS
from service.routes.system import system
from service.routes.webhook_deliveries import webhook_deliveries
from service.schemas import examples
from service.schemas.webhook import WebhookSchema
from service.settings import Settings
from service.telemetry.traces import NoTraces, open_traces

OPENAPI_VERSION = "3.1.0"

_ABOUT = """Who is named in a news article, who said what, and who stands where towards whom.

Submit an article, follow its job, read its analysis. Times are RFC 3339 in UTC, ids are opaque,
lists are pages with a cursor and a `Link` header. Answers are JSON whatever `Accept` says.

An API key goes into `Authorization: Bearer …`. It opens what is its tenant's; the ids of others
are unknown ids. 401 says that a key is missing or no good, 403 that it has not the scope.

Every span of an analysis satisfies `text[start:end] == span.text` on the text whose SHA-256 the
analysis names, counted in Unicode code points unless `offsets` says otherwise.

Every error is a problem document (RFC 9457) whose `type` is one of these and stays so:

| type | status | meaning |
|---|---|---|
"""


_SECURITY = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "sw_<id>_<secret>",
    "description": "An API key (RFC 6750). Each operation names the scope that it needs: `read`, "
    "`write` or `admin`. A service that has no keys at all listens on loopback only and asks for "
    "none.",
}


_SIGNED = {
    "webhook-id": "The delivery's id: the same in every attempt, so a receiver can drop doubles.",
    "webhook-timestamp": "Unix time of the attempt.",
    "webhook-signature": "`v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`; several, "
    "separated by blanks, while the secret is changed.",
}
_WEBHOOK = {
    "operationId": "jobEnded",
    "summary": "A job has ended.",
    "description": "Sent to the job's `callback_url` by Standard Webhooks. Any 2xx takes it; 410 "
    "disables the URL; everything else is tried again over hours. Redirects are not followed.",
    "parameters": [
        {
            "in": "header",
            "name": name,
            "required": True,
            "description": description,
            "schema": {"type": "string"},
        }
        for name, description in _SIGNED.items()
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Webhook"},
                "examples": {"succeeded": {"value": examples.WEBHOOK}},
            }
        },
    },
    "responses": {
        "2XX": {"description": "The receiver has it."},
        "410": {"description": "The receiver wants no more at this URL."},
    },
}


class _Api(Api):  # type: ignore[misc]
    """flask-smorest's document without its errors and pages: `service.problems` has the only
    error shape, and what nothing refers to stays out of the contract."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None: ...

    def _register_responses(self) -> None: ...

    def _register_pagination_header(self) -> None: ...


def create_app(
    settings: Settings,
    store: ServiceStore | None = None,
    doorbell: Doorbell | None = None,
    traces: NoTraces | None = None,
    limiter: Limiter | None = None,
) -> Flask:
    """The application over the given ports, by default those that the settings name.

    Raises `SettingsError` when tracing is asked for and not installed, or when strangers could
    reach a service without API keys.
    """
    traces = traces or open_traces(settings, "api")
    metrics = ApiMetrics()
    if store is None:
        from service.store import open_store

        store = open_store(settings)
    if doorbell is None:
        from service.queueing import open_doorbell

        doorbell = open_doorbell(settings)
    if limiter is None:
        from service.queueing import open_limiter

        limiter = open_limiter(settings)
    access = Access(settings, store, limiter)
    access.check_bind()
    app = Flask("service", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_request_bytes
    app.extensions[EXTENSION] = Context(
        settings,
        store,
        doorbell,
        BoundedSemaphore(MAX_WAITING),
        metrics,
        traces,
        PageReader(),
        access,
    )
    request_log.register(app, metrics, traces)
    register_access(app)
    problems.register(app)
    explorer.register(app, register_api(app))
    app.after_request(_harden)
    return app


def register_api(app: Flask) -> dict[str, Any]:
    """Register every route of the API and return its OpenAPI document."""
    rows = "".join(
        f"| `{kind.uri}` | {kind.status} | {kind.detail} |\n" for kind in problems.PROBLEMS.values()
    )
    app.config.update(
        API_TITLE="Stancewire",
        API_VERSION=_version(),
        OPENAPI_VERSION=OPENAPI_VERSION,
    )
    options: dict[str, Any] = {
        "info": {"description": _ABOUT + rows, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/"}],
    }
    api = _Api(app, spec_kwargs=options)
    for blueprint in (articles, batches, jobs, webhook_deliveries, audit_events, system):
        api.register_blueprint(blueprint)
    api.spec.components.schema("Webhook", schema=WebhookSchema)
    api.spec.components.security_scheme(API_KEY, _SECURITY)
    for name, header in RATE_LIMIT_HEADERS.items():
        api.spec.components.header(name, header)
    document = api.spec.to_dict()
    assert isinstance(document, dict)
    document["webhooks"] = {"jobEnded": {"post": _WEBHOOK}}
    return document


def _version() -> str:
    try:
        return version("stancewire")
    except PackageNotFoundError:
        return "0.1.0"


def _harden(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
