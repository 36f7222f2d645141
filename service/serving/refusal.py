"""Problem documents for requests that never reach the application."""

from __future__ import annotations

import json
import logging
from uuid import uuid4

from waitress.task import ErrorTask
from waitress.utilities import Error

from service.hardening import HEADERS
from service.problems import CONTENT_TYPE, PROBLEMS

# By the status that waitress gives; any other is a malformed request.
_NAMES = {408: "request-timeout", 413: "too-large", 431: "head-too-large", 503: "busy"}

log = logging.getLogger("service.requests")


class TookTooLong(Error):  # type: ignore[misc]  # noqa: N818 (named like its siblings)
    """The request has not arrived within its time."""

    code = 408


class NoRoom(Error):  # type: ignore[misc]  # noqa: N818
    """Too much of other requests is kept already."""

    code = 503


class Refusal(ErrorTask):  # type: ignore[misc]
    """Answers a request that could not be read, and closes its connection."""

    def execute(self) -> None:
        """Write the answer, and a line in the log that quotes nothing of the request."""
        status = self.request.error.code
        name = "internal-error" if status == 500 else _NAMES.get(status, "malformed-request")
        kind = PROBLEMS[name]
        request_id = str(uuid4())
        body = json.dumps(kind.document(request_id)).encode()
        self.status = f"{kind.status} {kind.title}"
        self.response_headers += [
            ("Content-Type", CONTENT_TYPE),
            ("Cache-Control", "no-store"),
            ("X-Request-Id", request_id),
            *HEADERS.items(),
        ]
        if kind.retry_after is not None:
            self.response_headers.append(("Retry-After", str(kind.retry_after)))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.channel.refused = True
        self.write(body)
        fields = {"request_id": request_id, "status": kind.status, "problem": name}
        log.info("request refused", extra={"fields": fields})
