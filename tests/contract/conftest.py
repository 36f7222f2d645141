"""One application over fakes that always has something to show."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask import Flask

from service.app import create_app
from service.domain.documents import to_document
from service.domain.key import Scope, Token
from service.domain.ports import WorkerInfo
from service.schemas.example_analysis import EXAMPLE
from service.settings import load_settings
from tests.fakes import FakeDoorbell, FakeStore

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


# An operator's key; which it is doesn't matter.
KEY = Token("k2vqmz7d4xna", "A" * 43)


def make_app(*, with_key: bool = False) -> Flask:
    """Every job is done at once; one worker is alive. With a key it wants that, else none."""
    now = datetime(2026, 1, 5, tzinfo=UTC)
    models = ({"name": "ner", "version": "1", "sha256": "ab", "metrics": {"f1": 0.9}},)
    store = FakeStore(
        document=to_document(EXAMPLE), workers=(WorkerInfo("w1", "p1", models, now, now),)
    )
    if with_key:
        store.add_key(*Scope, token=KEY)
    return create_app(replace(load_settings(), webhook_secret=SECRET), store, FakeDoorbell())


@pytest.fixture
def app() -> Flask:
    return make_app()
