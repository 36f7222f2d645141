"""`stancewire keys` and `stancewire tenants` as processes, and the API that heeds them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.integration.processes import REFUSED, ROOT, wait_for
from tests.integration.test_seen_from_outside import free_port

GUNICORN = [sys.executable, "-m", "gunicorn", "-c", "python:service.gunicorn_conf", "service.wsgi"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    found = {
        **os.environ,
        "STANCEWIRE_DATABASE_URL": f"sqlite:///{tmp_path}/keys.db",
        # Nobody listens there.
        "STANCEWIRE_BROKER_URL": "redis://127.0.0.1:9/0",
        "STANCEWIRE_API_PROCESSES": "1",
    }
    done = stancewire(found, "migrate")
    assert done.returncode == 0, done.stderr
    return found


def stancewire(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "client.cli", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_life_of_a_key(environment: dict[str, str], tmp_path: Path) -> None:
    limits = ("--requests-per-minute", "60", "--articles-per-day", "9", "--expires-in-days", "7")
    scopes = ("--scope", "read", "--scope", "write")
    made = stancewire(
        environment, "keys", "create", "--name", "desk", "--tenant", "paper", *scopes, *limits
    )
    assert made.returncode == 0, made.stderr
    [key] = made.stdout.splitlines()
    _, key_id, secret = key.split("_", 2)
    assert secret not in made.stderr
    # Not in the database, nor in what it has written besides.
    for file in tmp_path.iterdir():
        assert secret.encode() not in file.read_bytes()

    listed = stancewire(environment, "keys", "list", "--json")
    one = json.loads(listed.stdout)
    assert (one["id"], one["tenant"], one["name"]) == (key_id, "paper", "desk")
    assert (one["state"], one["scopes"]) == ("good", "read,write")
    assert (one["requests_per_minute"], one["articles_per_day"]) == (60, 9)
    assert one["last_used_at"] is None
    assert secret not in listed.stdout
    assert key_id in stancewire(environment, "keys", "list", "--tenant", "paper").stdout
    assert stancewire(environment, "keys", "list", "--tenant", "default").stdout == ""

    # The whole key names its id too, and does not come back.
    rotated = stancewire(environment, "keys", "rotate", key, "--grace", "60")
    assert rotated.returncode == 0, rotated.stderr
    assert rotated.stdout.startswith(f"sw_{key_id}_")
    assert rotated.stdout.strip() != key
    revoked = stancewire(environment, "keys", "revoke", key_id)
    assert (revoked.returncode, revoked.stdout) == (0, "")
    assert (
        json.loads(stancewire(environment, "keys", "list", "--json").stdout)["state"] == "revoked"
    )
    assert stancewire(environment, "keys", "rotate", key_id).returncode == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("keys",), "COMMAND"),
        (("keys", "create", "--name", "x"), "--scope"),
        (("keys", "create", "--name", "x", "--scope", "all"), "invalid choice"),
        (("keys", "create", "--name", "", "--scope", "read"), "printed"),
        (("keys", "create", "--name", "x", "--scope", "read", "--tenant", "A"), "no tenant's name"),
        (("keys", "create", "--name", "x", "--scope", "read", "--articles-per-day", "0"), "whole"),
        (("tenants", "delete", "default"), "--yes"),
    ],
)
def test_wrong_usage_is_exit_code_2(
    environment: dict[str, str], arguments: tuple[str, ...], said: str
) -> None:
    done = stancewire(environment, *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_not_there_is_exit_code_1(environment: dict[str, str]) -> None:
    for arguments in (("keys", "revoke", "x"), ("tenants", "delete", "nobody", "--yes")):
        done = stancewire(environment, *arguments)
        assert done.returncode == 1
        assert "there is no" in done.stderr
    away = {**environment, "STANCEWIRE_DATABASE_URL": "sqlite:////nowhere/at/all.db"}
    done = stancewire(away, "keys", "list")
    assert done.returncode == 1
    assert "does not answer" in done.stderr


def test_a_tenant_is_deleted(environment: dict[str, str]) -> None:
    for tenant in ("default", "paper"):
        arguments = ("--name", "x", "--scope", "read", "--tenant", tenant)
        assert stancewire(environment, "keys", "create", *arguments).returncode == 0
    assert stancewire(environment, "tenants", "list").stdout.split() == ["default", "paper"]
    assert stancewire(environment, "tenants", "delete", "paper", "--yes").returncode == 0
    assert stancewire(environment, "tenants", "list").stdout.split() == ["default"]
    last = stancewire(environment, "tenants", "delete", "default", "--yes")
    assert last.returncode == 1
    assert "create a key for another tenant first" in last.stderr


def test_elsewhere_than_on_loopback_the_api_wants_a_key_to_start(
    environment: dict[str, str],
) -> None:
    port = free_port()
    environment = {**environment, "STANCEWIRE_BIND": f"0.0.0.0:{port}"}
    refused = subprocess.run(
        GUNICORN, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert refused.returncode in REFUSED, refused.stderr
    assert "STANCEWIRE_BIND: must be a loopback address while there is no API key" in refused.stderr

    made = stancewire(environment, "keys", "create", "--name", "x", "--scope", "read")
    key = made.stdout.strip()
    with subprocess.Popen(
        GUNICORN, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    ) as api:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                wait_for(lambda: answers(client), 30, "the API answers")
                assert client.get("/v1/jobs").status_code == 401
                bearer = {"Authorization": f"Bearer {key}"}
                assert client.get("/v1/jobs", headers=bearer).status_code == 200
                sent = client.post("/v1/articles", headers=bearer, json={"text": "Some news."})
                assert sent.status_code == 403
                listed = stancewire(environment, "keys", "list", "--json")
                assert json.loads(listed.stdout)["last_used_at"] is not None
                url = f"http://127.0.0.1:{port}"
                asked = {**environment, "STANCEWIRE_URL": url, "STANCEWIRE_API_KEY": key}
                unknown = stancewire(asked, "status", "0199e3a1-5c00-7000-8000-ffffffffffff")
                assert "never was" in unknown.stderr
                asked["STANCEWIRE_API_KEY"] = key[:-1] + ("A" if key[-1] != "A" else "B")
                strange = stancewire(asked, "status", "0199e3a1-5c00-7000-8000-ffffffffffff")
                assert "no such API key" in strange.stderr
        finally:
            api.terminate()
        _, logged = api.communicate(timeout=40)
    assert key.split("_", 2)[2] not in logged
    assert key.split("_", 2)[1] in logged


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/livez").status_code == 200
    except httpx.TransportError:
        return False
