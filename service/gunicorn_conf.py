"""gunicorn's configuration, each limit with its reason."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from service import arenas
from service.routes.context import MAX_WAITING
from service.settings import SettingsError, load_settings
from service.telemetry import shared_figures

try:
    _settings = load_settings()
except SettingsError as err:
    sys.exit(str(err))

bind = _settings.bind
workers = _settings.api_processes

# Slow clients cost a connection each, never a thread (see `service.serving`).
worker_class = "service.serving.worker.BufferingWorker"

# Requests mostly wait for the database; `Prefer: wait` holds a thread, so half are kept free.
threads = 2 * MAX_WAITING

# Each may need three files (its socket, a large body, a large answer), most need one; a limit of
# 1,024 files is common.
worker_connections = 500

# Longer than the longest `Prefer: wait` (60 s) and the extraction of a large page.
timeout = 90

# On SIGTERM let waiting requests be answered; supervisors commonly kill after 30 s.
graceful_timeout = 25

# Longer than the idle time of common load balancers' pools would race with their reuse.
keepalive = 5

# Browsers behind two proxies send some thirty. The size of the head has a limit too.
limit_request_fields = 64

# Nobody steers it but by signals: a socket in the home folder would be one more way in, a thread
# beside the forks, and cannot be made on a read-only root.
control_socket_disable = True

# The application logs each request with its id, so gunicorn's access log stays off.
accesslog = None
errorlog = "-"
loglevel = _settings.log_level.lower()

_folders: list[Path] = []


def on_starting(server: Any) -> None:
    """Before the first fork: whichever process is asked for `/metrics` answers for all, and none
    takes memory for each thread that it ever had."""
    arenas.limit()
    _folders.append(shared_figures.share())


def on_exit(server: Any) -> None:
    """The figures end with their service."""
    for folder in _folders:
        shutil.rmtree(folder, ignore_errors=True)
