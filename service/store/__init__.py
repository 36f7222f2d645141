"""The SQL database: the truth about articles, jobs and analyses."""

from service.store.clock import new_id, utc_now
from service.store.migrate import migrate
from service.store.sql_store import SqlStore, open_store

__all__ = ["SqlStore", "migrate", "new_id", "open_store", "utc_now"]
