"""A deleted or expired article leaves its ids among the tombstones, and nothing else anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import MetaData, make_url, select

from service.app import create_app
from service.domain.delivery import Attempt
from service.domain.job import JobFailure, Stage
from service.domain.ports import DeliveryFilter
from service.settings import Settings, load_settings
from service.store import SqlStore, migrate, open_store
from service.store.engine import open_engine, reading
from tests.fakes import FakeDoorbell
from tests.integration.conftest import FakeClock
from tests.unit.api_support import assert_problem, body
from workers.retention import let_go

SECRET = "Quibbleworth"
OTHER = "Farnsbarns"
SIGNED = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def settings(database_url: str) -> Settings:
    return replace(load_settings(), database_url=database_url, webhook_secret=SIGNED)


@pytest.fixture
def store(settings: Settings, clock: FakeClock) -> Iterator[SqlStore]:
    migrate(settings)
    opened = open_store(settings, clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def client(settings: Settings, store: SqlStore) -> FlaskClient:
    return create_app(settings, store, FakeDoorbell()).test_client()


def places(database_url: str, word: str) -> set[str]:
    """Every `table.column` of the database that holds the word, whatever tables there are."""
    engine = open_engine(database_url)
    found: MetaData = MetaData()
    with reading(engine) as connection:
        found.reflect(connection)
        holding = {
            f"{table.name}.{column}"
            for table in found.tables.values()
            for row in connection.execute(select(table)).mappings()
            for column, value in row.items()
            if word in str(value)
        }
    engine.dispose()
    assert "alembic_version" in found.tables
    return holding


def in_files(database_url: str, word: str) -> set[str]:
    """The files of a SQLite database whose bytes hold the word."""
    path = Path(make_url(database_url).database or "")
    return {
        file.name
        for file in path.parent.glob(f"{path.name}*")
        if word.encode() in file.read_bytes()
    }


def article(word: str, number: int = 0) -> dict[str, Any]:
    """An article that says the word wherever a caller can say something."""
    return {
        "text": f"{word} said no. " * 400,
        "title": word,
        "source": word,
        "url": f"https://example.org/{word}",
        "metadata": {word: [word]},
        "options": {"targets": [word], "callback_url": f"https://hooks.example/{word}/{number}"},
    }


@dataclass
class Submitted:
    """What a caller knows of an article."""

    article_id: str
    job_id: str
    delivery_id: str

    @property
    def ids(self) -> tuple[str, ...]:
        return (self.article_id, self.job_id, self.delivery_id)


def accept(client: FlaskClient, word: str) -> list[dict[str, Any]]:
    """One article by itself, two in a batch; the second of the batch is somebody else's."""
    single = client.post("/v1/articles", json=article(word), headers={"Idempotency-Key": "single"})
    assert single.status_code == 202
    batch = client.post(
        "/v1/batches",
        json=[article(word, 1), article(OTHER, 2)],
        headers={"Idempotency-Key": "batch"},
    )
    assert batch.status_code == 202
    return [body(single), *body(batch)["items"]]


def end(store: SqlStore, receipt: dict[str, Any], word: str, failed: bool) -> Submitted:
    """Analyse the article, one way or the other, and call its receiver, which wants no more."""
    claim = store.claim(receipt["job_id"], worker_id="w", lease=60)
    assert claim is not None
    store.renew(claim, stage=Stage.STANCE, lease=60)
    if failed:
        store.fail(claim, JobFailure("unreadable", f"{word} cannot be read"), retryable=False)
    else:
        store.complete(claim, {"mentions": [{"text": word}] * 2_000}, "v1")
    wanted = DeliveryFilter(job_id=receipt["job_id"])
    [delivery] = store.deliveries(wanted, after=None, limit=2).deliveries
    send = store.claim_delivery(delivery.id, lease=60)
    assert send is not None
    store.attempted(send, Attempt(status=410, failure=JobFailure("refused", word)))
    return Submitted(receipt["article_id"], receipt["job_id"], delivery.id)


def by_the_caller(client: FlaskClient, store: SqlStore, clock: FakeClock, ids: list[str]) -> str:
    for id_ in ids:
        assert client.delete(f"/v1/articles/{id_}").status_code == 204
    return "deleted"


def by_age(client: FlaskClient, store: SqlStore, clock: FakeClock, ids: list[str]) -> str:
    while store.expire(days=1, keep=0, limit=1):
        pass
    return "expired"


Lose = Callable[[FlaskClient, SqlStore, FakeClock, list[str]], str]


@pytest.mark.parametrize("lose", [by_the_caller, by_age])
def test_nothing_but_the_ids_stays(
    client: FlaskClient,
    store: SqlStore,
    clock: FakeClock,
    settings: Settings,
    database_url: str,
    lose: Lose,
) -> None:
    receipts = accept(client, SECRET)
    mine = [end(store, receipts[0], SECRET, failed=False), end(store, receipts[1], SECRET, True)]
    clock.advance(2 * 86_400)
    others = end(store, receipts[2], OTHER, failed=False)
    # The scan finds what is there.
    words = {
        "articles.text", "articles.title", "articles.source", "articles.url", "articles.metadata",
        "jobs.options", "jobs.failure_detail", "analyses.document",
        "webhook_deliveries.url", "webhook_deliveries.body", "webhook_deliveries.failure_detail",
    }  # fmt: skip
    assert places(database_url, SECRET) == words
    assert "idempotency_keys.body" in places(database_url, mine[0].article_id)
    assert "idempotency_keys.body" in places(database_url, mine[1].job_id)

    reason = lose(client, store, clock, [one.article_id for one in mine])

    assert places(database_url, SECRET) == set()
    for one in mine:
        for id_ in one.ids:
            assert places(database_url, id_) == {"tombstones.id"}
        for address in (
            f"articles/{one.article_id}",
            f"articles/{one.article_id}/analysis",
            f"jobs/{one.job_id}",
            f"webhook_deliveries/{one.delivery_id}",
        ):
            problem = assert_problem(client.get(f"/v1/{address}"), 410, "gone")
            assert reason in problem["detail"]
    assert places(database_url, OTHER) == words - {"jobs.failure_detail", "webhook_deliveries.body"}
    assert client.get(f"/v1/articles/{others.article_id}/analysis").status_code == 200
    # When the marks are due, these go too.
    clock.advance(settings.tombstone_days * 86_400)
    let_go(store, settings)
    for id_ in (*mine[0].ids, *mine[1].ids):
        assert places(database_url, id_) == set()


def test_a_repetition_is_told_that_it_is_gone(client: FlaskClient) -> None:
    single, *_ = accept(client, SECRET)
    batch = client.get("/v1/jobs?source=" + OTHER).get_json()["jobs"][0]
    for id_ in (single["article_id"], batch["article_id"]):
        assert client.delete(f"/v1/articles/{id_}").status_code == 204
    for address, document, key in (
        ("/v1/articles", article(SECRET), "single"),
        ("/v1/batches", [article(SECRET, 1), article(OTHER, 2)], "batch"),
    ):
        again = client.post(address, json=document, headers={"Idempotency-Key": key})
        problem = assert_problem(again, 410, "gone")
        assert "Idempotency-Key" in problem["detail"]
    assert len(client.get("/v1/jobs").get_json()["jobs"]) == 1


@pytest.mark.parametrize("lose", [by_the_caller, by_age])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_bytes_go_from_the_file_and_its_log(
    client: FlaskClient,
    store: SqlStore,
    clock: FakeClock,
    settings: Settings,
    database_url: str,
    lose: Lose,
) -> None:
    mine = []
    for number in range(30):
        document = {**article(SECRET, number), "text": f"{SECRET} {number} " * (1 + 37 * number)}
        kept = {**article(OTHER, number), "text": f"{OTHER} {number} " * (1 + 41 * number)}
        for word, sent in ((SECRET, document), (OTHER, kept)):
            receipt = body(client.post("/v1/articles", json=sent))
            if word == SECRET:
                mine.append(end(store, receipt, word, failed=number % 3 == 0))
    clock.advance(2 * 86_400)
    assert in_files(database_url, SECRET)
    lose(client, store, clock, [one.article_id for one in mine])
    let_go(store, settings)
    assert in_files(database_url, SECRET) == set()
    assert "store.db" in in_files(database_url, OTHER)
