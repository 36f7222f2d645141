"""The Dockerfile and the compose file, read as an attacker in a container would."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.settings import load_settings

ROOT = Path(__file__).parents[2]
OURS = {"migrate", "api", "worker", "webhooks"}
SERVERS = {"postgres", "valkey"}

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def stages() -> dict[str, list[tuple[str, str]]]:
    """Each stage of the Dockerfile with its instructions and those of the stages below it."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.M)
    found: dict[str, list[tuple[str, str]]] = {}
    current: list[tuple[str, str]] = []
    for line in text.replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            below, _, name = rest.partition(" AS ")
            current = found[name] = list(found.get(below, []))
        elif word:
            current.append((word, rest.strip()))
    return found


STAGES = stages()


def test_the_files_are_understood() -> None:
    assert set(SERVICES) == OURS | SERVERS
    assert {"api", "worker"} < set(STAGES)


@pytest.mark.parametrize("name", sorted(OURS | SERVERS))
def test_a_container_has_no_rights_to_give_away(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["tmpfs"]
    loosened = {"privileged", "pid", "ipc", "network_mode", "devices", "cap_add"}
    assert not loosened & set(service)
    for volume in service.get("volumes", []):
        # A named volume: nothing of the host is shared, least of all its container socket.
        assert volume.split(":")[0] in COMPOSE["volumes"]


@pytest.mark.parametrize("name", sorted(OURS | SERVERS))
def test_a_container_cannot_take_the_machine(name: str) -> None:
    assert SERVICES[name]["pids_limit"] > 0
    assert SERVICES[name]["mem_limit"]


@pytest.mark.parametrize("stage", ["api", "worker"])
def test_our_images_run_as_nobody_in_particular(stage: str) -> None:
    users = [rest for word, rest in STAGES[stage] if word == "USER"]
    assert users
    uid, gid = users[-1].split(":")
    assert int(uid) >= 1000
    assert int(gid) >= 1000
    for name, service in SERVICES.items():
        # Images of others begin as root unless they are told not to.
        assert ("user" in service) == (name in SERVERS)
        assert str(service.get("user", "")).split(":")[0] not in {"root", "0"}
    # Nothing is written into the image after its user is chosen, and nothing fetched.
    instructions = [word for word, _ in STAGES[stage]]
    assert "RUN" not in instructions[instructions.index("USER") :]
    assert not any(word == "ADD" for word, _ in STAGES[stage])


@pytest.mark.parametrize("stage", ["build-api", "build-worker"])
def test_packages_come_by_hash(stage: str) -> None:
    [install] = [rest for word, rest in STAGES[stage] if word == "RUN" and "pip install" in rest]
    assert "--require-hashes" in install
    assert "--only-binary :all:" in install
    lock = {"build-api": "service.lock", "build-worker": "worker.lock"}[stage]
    assert f"-r requirements/{lock}" in install


def packages(lock: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements" / lock).read_text(), re.M))


def test_an_image_has_only_what_its_part_needs() -> None:
    learning = {"torch", "transformers", "onnxruntime", "tokenizers", "numpy"}
    assert not packages("service.lock") & learning
    assert not packages("worker.lock") & {"torch", "transformers", "flask", "gunicorn"}
    copied = {
        stage: {rest.split()[-2] for word, rest in STAGES[stage] if word == "COPY"}
        for stage in ("api", "worker")
    }
    assert copied == {
        "api": {"/opt/stancewire", "service"},
        "worker": {"/opt/stancewire", "service", "workers"},
    }


def test_health_is_checked() -> None:
    assert [word for word, _ in STAGES["api"]].count("HEALTHCHECK") == 1
    for name in SERVERS:
        assert SERVICES[name]["healthcheck"]["test"]
    for name in OURS - {"migrate"}:
        conditions = {
            needed: about["condition"] for needed, about in SERVICES[name]["depends_on"].items()
        }
        assert conditions == {
            "migrate": "service_completed_successfully",
            "valkey": "service_healthy",
        }


def test_broker_and_database_are_out_of_reach() -> None:
    for name in OURS | SERVERS:
        published = SERVICES[name].get("ports", [])
        if name == "api":
            assert published
            assert all(port.startswith("127.0.0.1:") for port in published)
        else:
            assert published == []
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in SERVERS | {"worker", "migrate"}:
        assert SERVICES[name]["networks"] == ["inside"]


def test_no_secret_is_written_down() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET", variable):
                assert re.fullmatch(r"\$\{\w+:[?-][^}]*\}", value), f"{name}: {variable}"
            assert not re.search(r"://[^:$]+:[^$@]+@", value), f"{name}: {variable}"
    # Analyses need no key to sign webhooks with.
    assert "STANCEWIRE_WEBHOOK_SECRET" not in SERVICES["worker"]["environment"]
    for stage in STAGES.values():
        for word, rest in stage:
            assert not (word in {"ENV", "ARG"} and re.search(r"(PASSWORD|SECRET|TOKEN|KEY)=", rest))


def test_what_is_handed_on_has_the_defaults_of_the_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    defaults = load_settings()
    for name in ("worker", "webhooks"):
        handed = {
            variable: re.fullmatch(rf"\$\{{{variable}:-(.*)\}}", str(value))
            for variable, value in SERVICES[name]["environment"].items()
        }
        found = {variable: match[1] for variable, match in handed.items() if match}
        assert {"STANCEWIRE_PROFILE", "STANCEWIRE_RETENTION_DAYS"} < set(found)
        for variable, value in found.items():
            monkeypatch.setenv(variable, value)
    assert load_settings() == defaults


def test_weights_and_code_cannot_be_changed_by_the_process() -> None:
    command = next(rest for word, rest in STAGES["api"] if word == "CMD")
    # gunicorn's heartbeat is the one file that it would write beside /tmp.
    assert "/dev/shm" in json.loads(command)
    assert all(word != "VOLUME" for word, _ in STAGES["worker"])
