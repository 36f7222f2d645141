"""The id, the log line, the figures and the span of each request."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from uuid import uuid4

from flask import Flask, Response, g, request

from service.metrics import ApiMetrics
from service.telemetry import trail
from service.telemetry.traces import NoTraces

HEADER = "X-Request-Id"

# Asked every few seconds by machines: as spans they would bury the rest.
_UNTRACED = {"/livez", "/readyz", "/metrics"}

log = logging.getLogger("service.requests")


def register(app: Flask, metrics: ApiMetrics, traces: NoTraces) -> None:
    """Give every request an id, send it back, and tell of the request when it is answered."""

    @app.before_request
    def begin() -> None:
        brought = trail.from_headers(
            {
                trail.REQUEST_ID: request.headers.get(HEADER),
                trail.TRACEPARENT: request.headers.get(trail.TRACEPARENT),
            }
        )
        g.request_id = brought.request_id or str(uuid4())
        g.started = time.perf_counter()
        g.trail = ExitStack()
        g.trail.enter_context(
            trail.following(request_id=g.request_id, traceparent=brought.traceparent, job_id=None)
        )
        if request.path not in _UNTRACED:
            about = {"http.request.method": request.method, "http.route": _route()}
            name = f"{request.method} {_route()}"
            g.trail.enter_context(traces.span(name, "server", about))

    @app.after_request
    def end(response: Response) -> Response:
        response.headers[HEADER] = g.request_id
        seconds = time.perf_counter() - g.started
        metrics.answered(request.method, _route(), response.status_code, seconds)
        fields = {
            "request_id": g.request_id,
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "seconds": round(seconds, 4),
        }
        if "admission" in g and g.admission.caller.key is not None:
            fields["key"] = g.admission.caller.key.id
            fields["tenant"] = g.admission.caller.tenant
        if "problem" in g:
            fields["problem"] = g.problem
        log.info("request", extra={"fields": fields})
        return response

    @app.teardown_request
    def leave(_: BaseException | None) -> None:
        if "trail" in g:
            g.trail.close()


def _route() -> str:
    """The route's pattern: paths with ids in them would be a figure each."""
    return request.url_rule.rule if request.url_rule is not None else "none"
