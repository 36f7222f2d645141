"""The application that gunicorn serves: `gunicorn -c python:service.gunicorn_conf service.wsgi`."""

from __future__ import annotations

import sys
from typing import NoReturn

from service.app import create_app
from service.settings import SettingsError, load_settings
from service.telemetry import logs

# gunicorn's `Arbiter.APP_LOAD_ERROR`: after any other code it starts the next process, for ever.
APP_LOAD_ERROR = 4


def _refuse(err: SettingsError) -> NoReturn:
    """End the whole service, not only this process."""
    print(err, file=sys.stderr)
    sys.exit(APP_LOAD_ERROR)


try:
    _settings = load_settings()
except SettingsError as err:
    _refuse(err)

logs.configure(_settings.log_level)

try:
    application = create_app(_settings)
except SettingsError as err:
    _refuse(err)
