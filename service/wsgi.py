"""The application that gunicorn serves: `gunicorn -c python:service.gunicorn_conf service.wsgi`."""

from __future__ import annotations

import sys

from service import request_log
from service.app import create_app
from service.settings import SettingsError, load_settings

try:
    _settings = load_settings()
except SettingsError as err:
    sys.exit(str(err))

request_log.configure(_settings.log_level)

application = create_app(_settings)
