"""The web application with mines around its doorbell, for gunicorn."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.chaos.mines import FOLDER, pass_by
from service.app import create_app
from service.domain.job import Priority
from service.queueing import open_doorbell
from service.settings import load_settings
from service.telemetry import logs

_FOLDER = Path(os.environ[FOLDER])
_settings = load_settings()
_doorbell = open_doorbell(_settings)


class MinedDoorbell:
    """The doorbell, with a point to die at before and after each ring."""

    def ring(self, job_id: str, priority: Priority) -> bool:
        pass_by(_FOLDER, "before-ring")
        rang = _doorbell.ring(job_id, priority)
        pass_by(_FOLDER, "rung")
        return rang

    def ping(self) -> bool:
        return _doorbell.ping()


logs.configure(_settings.log_level)
application = create_app(_settings, doorbell=MinedDoorbell())
