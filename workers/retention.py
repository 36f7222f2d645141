"""Letting go, now and then, of what is kept no longer."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from service.domain.ports import RetentionStore
from service.settings import Settings

log = logging.getLogger(__name__)

# Rows of one transaction. On SQLite everybody who writes waits meanwhile, and overwriting the
# analyses of 50 articles took a quarter of a second on a busy machine.
AT_ONCE = 20

# Between two transactions, so that those who wait for the write lock get it.
PAUSE_SECONDS = 0.05

# Transactions of one round; the next round does the rest. With the default interval that is 1.4
# million articles a day and process, and no round is still at it when the process stops.
MOST_TRANSACTIONS = 50


def let_go(
    store: RetentionStore, settings: Settings, pause: Callable[[float], object] = time.sleep
) -> int:
    """Delete what is due in small transactions, return how many articles that were.

    Any number of workers may do so at the same time. Raises `StoreUnavailableError`.
    """
    days, keep = settings.retention_days, settings.retention_articles
    expired = _in_turns(lambda: store.expire(days=days, keep=keep, limit=AT_ONCE), pause)
    if expired:
        log.info("expired %d articles", expired)
    _in_turns(
        lambda: store.purge(
            tombstone_days=settings.tombstone_days, audit_days=settings.audit_days, limit=AT_ONCE
        ),
        pause,
    )
    store.empty_log()
    return expired


def _in_turns(act: Callable[[], int], pause: Callable[[float], object]) -> int:
    total = 0
    for _ in range(MOST_TRANSACTIONS):
        done = act()
        total += done
        if done < AT_ONCE:
            break
        pause(PAUSE_SECONDS)
    return total
