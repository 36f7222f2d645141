"""One application over fakes that always has something to show."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask import Flask

from service.app import create_app
from service.domain.documents import to_document
from service.domain.ports import WorkerInfo
from service.schemas.example_analysis import EXAMPLE
from service.settings import load_settings
from tests.fakes import FakeDoorbell, FakeStore

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def make_app() -> Flask:
    """Every job is done at once; one worker is alive."""
    now = datetime(2026, 1, 5, tzinfo=UTC)
    models = ({"name": "ner", "version": "1", "sha256": "ab", "metrics": {"f1": 0.9}},)
    store = FakeStore(
        document=to_document(EXAMPLE), workers=(WorkerInfo("w1", "p1", models, now, now),)
    )
    return create_app(replace(load_settings(), webhook_secret=SECRET), store, FakeDoorbell())


@pytest.fixture
def app() -> Flask:
    return make_app()
