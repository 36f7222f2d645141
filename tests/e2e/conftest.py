"""One running stack for all end-to-end tests: Valkey, gunicorn, a Celery worker, real weights."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from e2e_texts import ROOT, SEED_FILES

from client import NewArticle, StancewireClient
from client.local_stack import LocalStack

# A killed worker's job comes back when its lease runs out; nobody wants to wait a minute for it.
STACK_SETTINGS = {
    "STANCEWIRE_LEASE": "6",
    "STANCEWIRE_SWEEP_INTERVAL": "1",
    "STANCEWIRE_REDELIVER_AFTER": "3",
    # A test knows which process has a job, and that the next one waits.
    "STANCEWIRE_WORKER_PROCESSES": "1",
}


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    with LocalStack(environment={**os.environ, **STACK_SETTINGS}) as running:
        yield running


@pytest.fixture(scope="session")
def client(stack: LocalStack) -> Iterator[StancewireClient]:
    with StancewireClient(stack.url, trust_env=False) as found:
        yield found


@pytest.fixture(scope="session")
def http(stack: LocalStack) -> Iterator[httpx.Client]:
    """The bare protocol, for what a client library hides."""
    with httpx.Client(base_url=stack.url, timeout=60.0, trust_env=False) as found:
        yield found


@pytest.fixture(scope="session")
def seed_texts() -> dict[str, str]:
    return {path.name: path.read_bytes().decode("utf-8") for path in SEED_FILES}


@pytest.fixture(scope="session")
def analysed(client: StancewireClient, seed_texts: dict[str, str]) -> dict[str, dict[str, Any]]:
    """The analysis of every sample article, by file name."""
    receipts = {name: client.submit(NewArticle(text)) for name, text in seed_texts.items()}
    for receipt in receipts.values():
        job = client.wait(receipt.job_id, timeout=120)
        assert job.state == "succeeded", job.failure
    return {name: client.analysis(receipt.article_id) for name, receipt in receipts.items()}


@pytest.fixture(scope="session")
def openapi() -> dict[str, Any]:
    document = json.loads((ROOT / "api_spec/openapi.json").read_text("utf-8"))
    assert isinstance(document, dict)
    return document
