"""The application that gunicorn serves: `gunicorn -c python:service.gunicorn_conf service.wsgi`."""

from __future__ import annotations

import sys

from service.app import create_app
from service.settings import SettingsError, load_settings
from service.telemetry import logs

try:
    _settings = load_settings()
except SettingsError as err:
    sys.exit(str(err))

logs.configure(_settings.log_level)

try:
    application = create_app(_settings)
except SettingsError as err:
    sys.exit(str(err))
