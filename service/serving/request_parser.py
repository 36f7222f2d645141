"""waitress's parser with limits where it has none, and no two readings of one request."""

from __future__ import annotations

from typing import Any

from waitress.parser import HTTPRequestParser, ParsingError
from waitress.receiver import ChunkedReceiver
from waitress.utilities import BadRequest, RequestHeaderFieldsTooLarge

from service.serving.limits import CHUNK_LINE_BYTES, TRAILER_BYTES


class RequestParser(HTTPRequestParser):  # type: ignore[misc]
    """One request as it comes in."""

    _too_many_fields = False

    def received(self, data: bytes) -> int:
        """Take what belongs to this request; return how many bytes that is."""
        taken = int(super().received(data))
        if self._too_many_fields:
            self.error = RequestHeaderFieldsTooLarge("")
        body = self.body_rcv
        # Both are joined anew with every packet: without a limit one client keeps the loop busy.
        if isinstance(body, ChunkedReceiver) and (
            len(body.control_line) > CHUNK_LINE_BYTES or len(body.trailer) > TRAILER_BYTES
        ):
            self.error = BadRequest("")
            self.completed = True
        return taken

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head. Raises `ParsingError` for what a proxy might read in another way."""
        if header_plus.count(b"\r\n") > self.adj.limits.fields:
            self._too_many_fields = True
            raise ParsingError("too many header fields")
        try:
            super().parse_header(header_plus)
        except ValueError as err:
            # A length of more digits than Python converts.
            raise ParsingError("Content-Length is invalid") from err
        if self.version not in {"1.0", "1.1"}:
            raise ParsingError("HTTP version is not supported")
        # A proxy that goes by the other of the two would see another next request.
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            raise ParsingError("both Transfer-Encoding and Content-Length")
        if not self.chunked and "TRANSFER_ENCODING" in self.headers:
            raise ParsingError("Transfer-Encoding in HTTP/1.0")

    def held(self) -> int:
        """Bytes of the body that are kept here."""
        body: Any = self.body_rcv
        return 0 if body is None else len(body)
