"""Request ids and one JSON line a request."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from datetime import UTC, datetime
from uuid import uuid4

from flask import Flask, Response, g, request

HEADER = "X-Request-Id"

# Ids from outside are written to logs and headers: short, and nothing that needs quoting.
_ACCEPTED = re.compile(r"[A-Za-z0-9._\-]{1,64}\Z")

log = logging.getLogger("service.requests")


class JsonLines(logging.Formatter):
    """One JSON object a line; what `extra={"fields": …}` carries is added to it."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def configure(level: str) -> None:
    """Send the process's log to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # It logs errors about pages without text; those are answered with a problem, not ours to fix.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)


def register(app: Flask) -> None:
    """Give every request an id, send it back, and log the request when it is answered."""

    @app.before_request
    def begin() -> None:
        asked = request.headers.get(HEADER, "")
        g.request_id = asked if _ACCEPTED.match(asked) else str(uuid4())
        g.started = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        response.headers[HEADER] = g.request_id
        fields = {
            "request_id": g.request_id,
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "seconds": round(time.perf_counter() - g.started, 4),
        }
        if "problem" in g:
            fields["problem"] = g.problem
        log.info("request", extra={"fields": fields})
        return response
