"""Secrets planted everywhere, then every output and every problem document searched for them."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from client.local_stack import valkey_server
from service.domain.key import KeyGrant, Scope, Token
from service.settings import load_settings
from service.store import migrate, open_store
from tests.integration.conftest import new_database
from tests.integration.processes import ROOT, ApiServer, wait_for
from tests.integration.test_seen_from_outside import free_port

DATABASE = "canary-database-1"
BROKER = "canary-broker-2"
BEARER = "canary-bearer-3"
SIGNING = base64.b64encode(b"canary-signing-of-webhooks-4").decode()
CALLBACK = "canary-callback-5"
USER = "canary-user-6"
TITLE = "canary-title-7"
ARTICLE = "Canaryland"
QUERY = "canary-query-8"
CANARIES = (DATABASE, BROKER, BEARER, SIGNING, "canary-", ARTICLE)

TEXT = f'The president of {ARTICLE} praised the deal. "It is a good day," she said on Monday.'
STRANGER = {"Authorization": f"Bearer {BEARER}"}


class Broker:
    """A Valkey behind a password, on one port however often it is started."""

    def __init__(self) -> None:
        self.port = free_port()
        self.start()

    def start(self) -> None:
        arguments = ["--port", str(self.port), "--save", "", "--requirepass", BROKER]
        self._process = subprocess.Popen(
            [valkey_server(), *arguments], stdout=subprocess.DEVNULL, cwd="/tmp"
        )

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def broker() -> Iterator[Broker]:
    started = Broker()
    yield started
    started.stop()


@pytest.fixture
def environment(
    broker: Broker,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, str]:
    database = new_database("postgresql", request, tmp_path)
    chosen = {
        # The server trusts whoever comes by its socket; the password is in the URL all the same.
        "STANCEWIRE_DATABASE_URL": database.replace("postgres@", f"postgres:{DATABASE}@"),
        "STANCEWIRE_BROKER_URL": f"redis://:{BROKER}@127.0.0.1:{broker.port}/0",
        "STANCEWIRE_BROKER_TIMEOUT": "2",
        "STANCEWIRE_WEBHOOK_SECRET": f"whsec_{SIGNING}",
        "STANCEWIRE_LOG_LEVEL": "DEBUG",
        "STANCEWIRE_SWEEP_INTERVAL": "1",
        "STANCEWIRE_REDELIVER_AFTER": "1",
        "STANCEWIRE_MAX_REQUEST_BYTES": "100000",
        "STANCEWIRE_MAX_BATCH_ARTICLES": "10",
    }
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    assert DATABASE in chosen["STANCEWIRE_DATABASE_URL"]
    migrate(load_settings())
    return chosen


@pytest.fixture
def key(environment: dict[str, str]) -> Token:
    """A caller's key, whose secret is one more that nothing may tell."""
    store = open_store(load_settings())
    _, token = store.create_key(KeyGrant("canaries", "canaries", frozenset(Scope)))
    store.close()
    return token


def assert_tells_nothing(where: str, told: str, *more: str) -> None:
    for canary in (*CANARIES, *more):
        lines = [line[:600] for line in told.splitlines() if canary in line]
        assert not lines, f"{where} tells {canary}: {lines[:3]}"


def started_worker(log: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "workers"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=output,
            stderr=output,
        )


REFUSED: tuple[tuple[int, dict[str, Any]], ...] = (
    (400, {"content": f'{{"text": "{ARTICLE}", {ARTICLE}'}),
    (400, {"content": f'{{"text": "{ARTICLE}", "text": "{ARTICLE}"}}'}),
    (422, {"json": {"text": "", "title": TITLE}}),
    (422, {"json": {"text": f"{ARTICLE}\0"}}),
    (422, {"json": {"text": TEXT, "url": f"ftp://{USER}@a.example/?{QUERY}"}}),
    (422, {"json": {"text": TEXT, "language": f"{TITLE} is none"}}),
    (422, {"json": {"text": TEXT, "published_at": TITLE}}),
    (422, {"json": {"text": TEXT, "options": {"callback_url": f"https://{USER}:{CALLBACK}@a.a/"}}}),
    (422, {"json": {"text": TEXT, "options": {"callback_url": f"http://a.a/?t={CALLBACK}"}}}),
    (422, {"json": {"text": TEXT, "options": {"callback_url": f"https://10.1.2.3/{CALLBACK}"}}}),
    (413, {"content": f"{ARTICLE} " * 20_000}),
    (415, {"content": TEXT, "headers": {"Content-Type": f"text/{TITLE}"}}),
    (422, {"json": {"text": TEXT}, "headers": {"Idempotency-Key": f"{TITLE} {TITLE}"}}),
)


def post(api: ApiServer, **request: Any) -> httpx.Response:
    headers = {"Content-Type": "application/json", **request.pop("headers", {})}
    return api.client.post("/v1/articles", headers=headers, **request)


def test_no_output_and_no_problem_tells_a_secret(
    environment: dict[str, str], broker: Broker, key: Token, tmp_path: Path
) -> None:
    api = ApiServer(environment, tmp_path / "api.log")
    api.client.headers["Authorization"] = f"Bearer {key.text}"
    log = tmp_path / "worker.log"
    worker = started_worker(log, {})
    try:
        api.wait_until_it_answers()

        def analysed(**more: Any) -> None:
            receipt = post(api, json={"text": TEXT, "title": TITLE, **more})
            assert receipt.status_code == 202, receipt.text
            url = f"/v1/jobs/{receipt.json()['job_id']}"
            wait_for(lambda: api.client.get(url).json()["state"] == "succeeded", 120, "it succeeds")

        # Success, with a webhook that cannot be delivered.
        analysed(options={"callback_url": f"https://hooks.invalid/path?token={CALLBACK}"})
        wait_for(lambda: "attempt 1, status" in log.read_text(), 30, "it is tried")
        assert api.client.get(f"/v1/jobs?{QUERY}={QUERY}").status_code == 422

        # Input that is refused, by the application and before it.
        for status, request in REFUSED:
            response = post(api, **request)
            assert response.status_code == status, (request, response.text)
            assert_tells_nothing(f"the problem for {str(request)[:80]}", response.text)
            assert_tells_nothing("its head", str(response.headers))
        response = post(api, content=TEXT, headers={"A": QUERY * 5000})
        assert response.status_code == 431
        assert_tells_nothing("the problem", response.text)
        # Paths are logged, queries are not: no path of ours has a secret in it.
        response = api.client.get(f"/v1/nothing?key={QUERY}")
        assert response.status_code == 404
        assert_tells_nothing("the problem", response.text)

        # What is no key, and what is none any more.
        for stranger in (STRANGER, {"Authorization": f"Bearer {Token.new(key.key_id).text}"}):
            response = post(api, json={"text": TEXT}, headers=stranger)
            assert response.status_code == 401
            assert_tells_nothing("the problem", response.text, key.secret)

        # The broker goes and comes.
        broker.stop()
        wait_for(lambda: "onnect" in log.read_text()[-3000:], 30, "the worker notices")
        assert post(api, json={"text": TEXT}).status_code == 202
        assert api.client.get("/readyz").status_code == 503
        broker.start()
        analysed()
        assert_tells_nothing("/metrics", api.client.get("/metrics").text, key.secret)
    finally:
        worker.terminate()
        worker.wait(60)
        api.stop()
        api.kill()
    told = log.read_text()
    assert '"level": "DEBUG"' in told
    assert '"outcome": "succeeded"' in told
    assert_tells_nothing("the worker", told, key.secret)
    told = api.log.read_text()
    assert '"level": "DEBUG"' in told
    assert_tells_nothing("the API", told, key.secret)


def test_a_database_that_is_away_or_unknown(
    environment: dict[str, str], key: Token, tmp_path: Path
) -> None:
    away = f"postgresql+pg8000://{USER}:{DATABASE}@127.0.0.1:{free_port()}/{TITLE}"
    environment = {**environment, "STANCEWIRE_DATABASE_URL": away}
    api = ApiServer(environment, tmp_path / "api.log")
    api.client.headers["Authorization"] = f"Bearer {key.text}"
    try:
        api.wait_until_it_answers()
        for response in (post(api, json={"text": TEXT}), api.client.get("/readyz")):
            assert response.status_code == 503
            assert_tells_nothing("the problem", response.text)
    finally:
        api.stop()
        api.kill()
    told = api.log.read_text()
    assert "the store does not answer" in told
    assert_tells_nothing("the API", told, key.secret)
    log = tmp_path / "worker.log"
    assert started_worker(log, environment).wait(60) == 1
    assert "cannot start" in log.read_text()
    assert_tells_nothing("the worker", log.read_text())
    migration = run("service.store", environment, "upgrade")
    assert migration.returncode != 0
    assert_tells_nothing("the migration", migration.stdout + migration.stderr)


def run(
    module: str, environment: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", f"mysql://{USER}:{DATABASE}@a.example/b"),
        ("DATABASE_URL", f"{USER}:{DATABASE}"),
        ("BROKER_URL", f"amqp://{USER}:{BROKER}@a.example/"),
        ("WEBHOOK_SECRET", f"whsec_{SIGNING[:8]}"),
        ("WEBHOOK_SECRET", BEARER),
        ("OTLP_ENDPOINT", f"ftp://{USER}:{BROKER}@a.example/"),
    ],
)
def test_a_wrong_setting_is_named_and_not_shown(name: str, value: str) -> None:
    refused = run("workers", {f"STANCEWIRE_{name}": value})
    assert refused.returncode == 2
    assert f"STANCEWIRE_{name}" in refused.stderr
    assert value not in refused.stderr
    assert_tells_nothing("the message", refused.stdout + refused.stderr)


def test_the_search_finds_what_it_looks_for() -> None:
    with pytest.raises(AssertionError, match=BEARER):
        assert_tells_nothing("x", f"a\nb {BEARER} c")
