"""How `stancewire` ends, for scripts."""

from enum import IntEnum


class ExitCode(IntEnum):
    """When several hold, unreachable goes before input, and input before a failed article."""

    OK = 0
    ARTICLE_FAILED = 1  # a job failed or was cancelled, or the service refused an article
    INPUT = 2  # wrong usage, or an input that is no readable text
    UNREACHABLE = 3  # no service there, or the local stack did not start or died
    INTERRUPTED = 130  # Ctrl-C; other signals end it with 128 + their number
    BROKEN_PIPE = 141  # whoever read our output has gone
