"""How many heaps the C library keeps for the threads of this process.

glibc gives up to eight heaps a core to threads that allocate at the same time, and each keeps what
its thread once needed. A process of the API has 16 threads, which the interpreter lets allocate one
at a time anyway: with heaps of their own they only take memory.
"""

from __future__ import annotations

import ctypes

# One for the thread that holds the interpreter's lock, one for a thread inside SQLite.
MOST = 2

# `M_ARENA_MAX` of malloc.h.
_M_ARENA_MAX = -8


def limit() -> bool:
    """Keep at most `MOST` from now on, in this process and those that it forks. False where the C
    library is another one than glibc, which has no such heaps."""
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    return set_option is not None and bool(set_option(_M_ARENA_MAX, MOST))
