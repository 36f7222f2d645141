"""What a client may take of the server before its request is understood."""

from __future__ import annotations

from dataclasses import dataclass

from service.settings import Settings

# A head is a few hundred bytes and comes in one or two packets.
HEAD_SECONDS = 10
HEAD_BYTES = 32 * 1024

# Waitress reads these into memory for as long as they are.
CHUNK_LINE_BYTES = 1024
TRAILER_BYTES = 8 * 1024

# Bodies below this are always taken; larger ones only while there is room for them.
SMALL_BODY_BYTES = 256 * 1024

# Requests sent before their answers are read: no client that we know sends more than one.
PIPELINED = 4

# An answer waits outside the thread that made it, in a file beyond the first megabyte.
ANSWER_BYTES = 64 * 1024 * 1024

# Long enough that a client which still sends its body reads why it was refused.
LINGER_SECONDS = 5

# A client may be sending its next request while the server stops. Less than the three seconds
# that the local stack leaves its parts in all.
LAST_REQUEST_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, bytes and numbers that one connection, or all of a process together, may use."""

    head_seconds: float
    # From the end of the head to the end of the body, and again for taking the answer.
    body_seconds: float
    idle_seconds: float
    body_bytes: int
    # Of bodies that have not been given to a thread yet, over all connections.
    held_bytes: int
    fields: int
    connections: int
    threads: int

    @classmethod
    def of(
        cls, settings: Settings, *, idle_seconds: float, fields: int, connections: int, threads: int
    ) -> Limits:
        """The limits that follow from the settings and gunicorn's own configuration."""
        largest = settings.max_request_bytes
        return cls(
            head_seconds=min(HEAD_SECONDS, settings.request_timeout),
            body_seconds=settings.request_timeout,
            idle_seconds=idle_seconds,
            # Room for the framing of a chunked body; the application counts exactly.
            body_bytes=largest + largest // 256 + 64 * 1024,
            held_bytes=4 * largest,
            fields=fields,
            connections=connections,
            threads=threads,
        )
