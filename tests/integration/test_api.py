"""The web application over a real database and a real broker, which may be away or full."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, make_url, select, text
from werkzeug.test import TestResponse

from service.app import create_app
from service.domain.errors import LeaseLostError
from service.domain.job import Stage
from service.domain.ports import JobFilter
from service.queueing import open_doorbell
from service.settings import Settings, load_settings
from service.store import SqlStore, migrate, open_store
from service.store.tables import metadata
from tests.integration.processes import Broker, wait_for
from tests.unit.api_support import assert_problem, body

# What accepting an article may take; a busy test machine has three tries.
PROMISED = 0.3
MOST = 20


@pytest.fixture
def broker() -> Iterator[Broker]:
    started = Broker()
    yield started
    started.stop()


@pytest.fixture
def settings(database_url: str, broker: Broker) -> Settings:
    return replace(
        load_settings(),
        database_url=database_url,
        broker_url=broker.url,
        max_queued=MOST,
        max_batch_articles=MOST,
    )


@pytest.fixture
def store(settings: Settings) -> Iterator[SqlStore]:
    migrate(settings)
    opened = open_store(settings)
    yield opened
    opened.close()


@pytest.fixture
def app(settings: Settings, store: SqlStore) -> Iterator[Flask]:
    doorbell = open_doorbell(settings)
    # The first call imports the transport; a web process has done so long before.
    wait_for(doorbell.ping, 5, "the broker answers")
    yield create_app(settings, store, doorbell)
    doorbell.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def post(client: FlaskClient, key: str | None = None, **article: Any) -> TestResponse:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post("/v1/articles", json={"text": "Some news.", **article}, headers=headers)


def rows(database_url: str) -> dict[str, list[Any]]:
    """Every row of every table."""
    engine = create_engine(database_url)
    with engine.connect() as connection:
        found = {
            name: list(connection.execute(select(table)).all())
            for name, table in metadata.tables.items()
        }
    engine.dispose()
    return found


def test_a_hundred_parallel_posts_of_one_key_give_one_job(app: Flask, store: SqlStore) -> None:
    together = Barrier(100)

    def one(_: int) -> TestResponse:
        client = app.test_client()
        together.wait()
        return post(client, "the-same")

    with ThreadPoolExecutor(100) as pool:
        responses = list(pool.map(one, range(100)))
    answered = [response for response in responses if response.status_code == 202]
    # A database under such a rush may ask a caller to come again, but gives no second answer.
    for response in responses:
        if response not in answered:
            assert response.status_code in {409, 503}, response.text
            assert response.headers["Retry-After"]
    assert len(answered) > 50
    [job_id] = {body(response)["job_id"] for response in answered}
    assert [job.id for job in store.jobs(JobFilter(), after=None, limit=9).jobs] == [job_id]
    assert body(post(app.test_client(), "the-same"))["job_id"] == job_id


def test_a_full_queue_is_said_so(client: FlaskClient, store: SqlStore) -> None:
    batch = [{"text": f"Some news, {number}."} for number in range(MOST - 1)]
    assert client.post("/v1/batches", json=batch).status_code == 202
    last = post(client, "last")
    assert last.status_code == 202
    for response in (post(client), client.post("/v1/batches", json=batch[:2])):
        assert_problem(response, 503, "queue-full")
        assert int(response.headers["Retry-After"]) > 0
    # What was accepted is still told to whoever asks again.
    assert body(post(client, "last")) == body(last)
    for number in range(2):
        store.cancel(store.jobs(JobFilter(), after=None, limit=MOST).jobs[number].id)
    # A batch is accepted whole or not at all.
    assert_problem(client.post("/v1/batches", json=batch[:3]), 503, "queue-full")
    assert client.post("/v1/batches", json=batch[:2]).status_code == 202
    assert len(store.jobs(JobFilter(), after=None, limit=99).jobs) == MOST + 2


@pytest.mark.parametrize("fault", ["down", "hangs", "full"])
def test_submissions_do_not_wait_for_a_broker(
    client: FlaskClient, broker: Broker, fault: str
) -> None:
    with disturbed(broker, fault):
        took = []
        for _ in range(3):
            began = time.monotonic()
            assert post(client).status_code == 202
            took.append(time.monotonic() - began)
            # Until the doorbell has rested and waits for the broker again.
            time.sleep(1.0)
    assert min(took) < PROMISED


@contextmanager
def disturbed(broker: Broker, fault: str) -> Iterator[None]:
    if fault == "down":
        broker.stop()
        yield
        broker.start()
    elif fault == "hangs":
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(broker.pid, signal.SIGCONT)
    else:
        with broker.client() as connection:
            connection.config_set("maxmemory", 1)
            yield


@contextmanager
def away(database_url: str) -> Iterator[None]:
    """The database answers nobody."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        # A writer that does not end: the others give up after a while.
        engine = create_engine(database_url)
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN EXCLUSIVE")
            yield
            connection.rollback()
        engine.dispose()
        return
    name = url.database
    engine = create_engine(url.set(database="template1"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
            {"name": name},
        )
        yield
        connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
    engine.dispose()


def test_a_database_that_is_away(client: FlaskClient, store: SqlStore, database_url: str) -> None:
    kept = body(post(client, "before"))
    before = rows(database_url)
    with away(database_url):
        batch = client.post("/v1/batches", json=[{"text": "One."}, {"text": "Two."}])
        for response in (post(client, "during"), batch):
            assert_problem(response, 503, "store-unavailable")
            assert int(response.headers["Retry-After"]) > 0
    assert rows(database_url) == before
    assert client.get(kept["links"]["job"]).status_code == 200
    assert post(client, "during").status_code == 202


def test_an_article_deleted_during_its_analysis_leaves_nothing_behind(
    client: FlaskClient, store: SqlStore, database_url: str
) -> None:
    secret = "Quibbleworth"
    for moment in range(12):
        receipt = body(
            post(
                client,
                f"key-{moment}",
                text=f"{secret} said no.",
                title=secret,
                url=f"https://example.org/{secret}",
                metadata={"by": secret},
            )
        )
        claim = store.claim(receipt["job_id"], worker_id="w", lease=60)
        assert claim is not None
        together = Barrier(2)

        def work(claim: Any = claim, together: Barrier = together) -> None:
            together.wait()
            try:
                for stage in Stage:
                    store.renew(claim, stage=stage, lease=60)
                store.complete(claim, {"mentions": [{"text": secret}]}, "v")
            except LeaseLostError:
                return

        with ThreadPoolExecutor(1) as pool:
            working = pool.submit(work)
            together.wait()
            # From before the first stage until after the last.
            time.sleep(0.004 * moment)
            assert client.delete(receipt["links"]["article"]).status_code == 204
            working.result()
        found = rows(database_url)
        assert found["articles"] == found["jobs"] == found["analyses"] == []
        for name, table_rows in found.items():
            assert secret not in str(table_rows), name
        assert client.get(receipt["links"]["job"]).status_code == 410
