"""One JSON object a line on standard error, from the API and the workers alike."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from service.telemetry import trail

# What these say at INFO our own lines say with more: one request, one attempt, one line.
_CHATTY = ("celery.worker.strategy", "celery.app.trace")


class JsonLines(logging.Formatter):
    """One JSON object a line; the trail and what `extra={"fields": …}` carries are added."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
            **trail.current().fields(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure(level: str) -> None:
    """Send the process's log to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # It logs errors about pages without text; those are answered with a problem, not ours to fix.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
