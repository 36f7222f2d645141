"""The process that reads pages: `python -m service.extraction.child CPU_SECONDS`.

Pages come on standard input and answers go to standard output, each as its length (four bytes,
big-endian) and that many bytes. A page is `t` (UTF-8 text) or `b` (bytes whose encoding the markup
tells) and its content; an answer is JSON, `null` when the page holds no article.
"""

from __future__ import annotations

import json
import logging
import resource
import signal
import sys
from dataclasses import asdict
from struct import Struct

# Processor seconds a page. Ordinary pages of a megabyte take less than two.
CPU_SECONDS = 5

# Address space of the process: the interpreter and its libraries take a quarter of it.
MEMORY_BYTES = 1024 * 1024 * 1024

LENGTH = Struct(">I")


def main() -> None:
    """Answer until standard input ends. The kernel ends a process that takes too long: no Python
    code has to run for that, and it holds when the one who asked is gone."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A stop is told by the end of standard input; Ctrl-C in a terminal reaches the group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.disable()

    from service.extraction.reading import read_page

    limit = float(sys.argv[1])
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while head := source.read(LENGTH.size):
        body = source.read(LENGTH.unpack(head)[0])
        signal.setitimer(signal.ITIMER_PROF, limit)
        kind, content = body[:1], body[1:]
        found = read_page(content.decode("utf-8") if kind == b"t" else content)
        signal.setitimer(signal.ITIMER_PROF, 0)
        answer = json.dumps(asdict(found) if found else None).encode("ascii")
        sink.write(LENGTH.pack(len(answer)) + answer)
        sink.flush()


if __name__ == "__main__":
    main()
