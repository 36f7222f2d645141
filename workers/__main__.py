"""`python -m workers`: run a worker. It starts whole or not at all, and says why not."""

from __future__ import annotations

import argparse
import os
import socket
import sys

# Before anything imports `tokenizers`: its threads do not survive the fork, and a process has one
# core to itself anyway.
os.environ["TOKENIZERS_PARALLELISM"] = "false"

from service.domain.errors import StoreUnavailableError
from service.queueing.names import MAINTENANCE, QUEUES
from service.settings import Settings, SettingsError, load_settings
from service.store.migrate import SchemaError, check_schema
from workers.celery_app import create_app
from workers.errors import WorkerStartError
from workers.exposition import exposed
from workers.no_pipeline import NoPipeline
from workers.pipeline import AnalyserClass, Pipeline


def main(arguments: list[str] | None = None, pipeline: AnalyserClass = Pipeline) -> int:
    """Exit code 0: stopped when asked to; 1: could not start or broke; 2: wrong settings."""
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    parser.add_argument(
        "--queues",
        default=",".join(QUEUES),
        help=f"which queues to serve, separated by commas (default: {','.join(QUEUES)})",
    )
    chosen = parser.parse_args(arguments)
    named = {name for name in chosen.queues.split(",") if name}
    unknown = sorted(named - set(QUEUES))
    # In our order, which is the order in which they are served.
    queues = [name for name in QUEUES if name in named]
    if unknown or not queues:
        parser.error(f"no such queue: {', '.join(unknown)} (known: {', '.join(QUEUES)})")
    if set(queues) == {MAINTENANCE}:
        pipeline = NoPipeline
    try:
        settings = load_settings()
        check_schema(settings)
        pipeline.check(settings)
    except SettingsError as err:
        return _refuse(err, 2)
    except (SchemaError, StoreUnavailableError, WorkerStartError) as err:
        return _refuse(err, 1)
    try:
        with exposed(settings):
            return run(settings, queues, pipeline)
    except WorkerStartError as err:
        return _refuse(err, 1)


def run(settings: Settings, queues: list[str], pipeline: AnalyserClass) -> int:
    """Serve the queues until asked to stop. Returns the exit code."""
    app, broken = create_app(settings, pipeline)
    worker = app.Worker(
        hostname=f"worker-{os.getpid()}@{socket.gethostname()}",
        queues=queues,
        pool_cls="prefork",
        loglevel=settings.log_level,
        # Workers need not know of each other: the database knows them all.
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    return 1 if broken() else int(worker.exitcode or 0)


def _refuse(err: Exception, code: int) -> int:
    cause = f" ({err.__cause__})" if err.__cause__ else ""
    print(f"the worker cannot start: {err}{cause}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
