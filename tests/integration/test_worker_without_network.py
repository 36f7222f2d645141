"""The real worker with its models reaches for broker and database, and for nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from client.local_stack import valkey_server
from service.domain.article import AnalysisOptions
from service.domain.job import JobState, Priority
from service.settings import load_settings
from service.store import migrate, open_store
from tests.integration.conftest import make_article, new_database
from tests.integration.processes import ROOT, Broker, wait_for

TEXT = 'Norland\'s president, Ada Berg, praised the deal. "It is a good day," she said.'

# Every connection, lookup and datagram that Python code asks for, in every process of the worker.
_AUDIT = """
import json, os, sys

def hook(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.bind"}:
        target = list(arguments[1:]) if event.startswith("socket.connect") else list(arguments)
        with open(os.environ["AUDIT_FILE"], "a") as file:
            file.write(json.dumps([event, *target], default=str) + "\\n")

sys.addaudithook(hook)
"""


@contextmanager
def analysing(
    monkeypatch: pytest.MonkeyPatch,
    log: Path,
    environment: dict[str, str],
    *before: str,
) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that has analysed an article; `before` is what starts it."""
    chosen = {"STANCEWIRE_SWEEP_INTERVAL": "1", "STANCEWIRE_REDELIVER_AFTER": "1", **environment}
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    migrate(settings)
    store = open_store(settings)
    options = AnalysisOptions(targets=("the deal",))
    [receipt] = store.submit([(make_article(TEXT), options)], priority=Priority.BULK).receipts
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [*before, sys.executable, "-m", "workers", "--queues", "interactive,bulk"],
            cwd=ROOT,
            env=os.environ,
            stdout=output,
            stderr=output,
        )
    try:
        wait_for(lambda: store.job(receipt.job_id).state.is_final, 120, "the job ends")
        assert store.job(receipt.job_id).state is JobState.SUCCEEDED
        analysis = store.analysis(receipt.article_id)
        assert analysis.document["mentions"]
        yield worker
        worker.terminate()
        assert worker.wait(40) == 0
    finally:
        worker.kill()
        worker.wait()
        store.close()
        print(log.read_text())


def test_every_connection_goes_to_broker_or_database(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database_url = new_database("postgresql", request, tmp_path)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(_AUDIT)
    audit = tmp_path / "audit"
    broker = Broker()
    environment = {
        "STANCEWIRE_DATABASE_URL": database_url,
        "STANCEWIRE_BROKER_URL": broker.url,
        "PYTHONPATH": str(hooks),
        "AUDIT_FILE": str(audit),
    }
    try:
        with analysing(monkeypatch, tmp_path / "worker.log", environment):
            pass
    finally:
        broker.stop()
    events = [json.loads(line) for line in audit.read_text().splitlines()]
    assert {event[0] for event in events} <= {"socket.connect", "socket.getaddrinfo"}, events
    database = database_url.partition("unix_sock=")[2].replace("%2F", "/")
    connected = [event[1] for event in events if event[0] == "socket.connect"]
    assert {json.dumps(target) for target in connected} == {
        json.dumps(["127.0.0.1", broker.port]),
        json.dumps(database),
    }
    looked_up = {(event[1], event[2]) for event in events if event[0] == "socket.getaddrinfo"}
    assert looked_up <= {("127.0.0.1", broker.port)}


def sent(pid: int | str) -> int:
    """What the network namespace of a process has tried to send, whether or not it could."""
    total = 0
    names: list[str] = []
    for line in Path(f"/proc/{pid}/net/snmp").read_text().splitlines():
        part, *values = line.split()
        if part not in {"Ip:", "Udp:", "Tcp:"}:
            continue
        if not values[0].lstrip("-").isdigit():
            names = values
            continue
        figures = dict(zip(names, values, strict=True))
        wanted = ("OutRequests", "OutNoRoutes", "OutDatagrams", "ActiveOpens")
        total += sum(int(figures.get(name, 0)) for name in wanted)
    for line in Path(f"/proc/{pid}/net/snmp6").read_text().splitlines():
        name, value = line.split()
        if name in {"Ip6OutNoRoutes", "Udp6OutDatagrams"}:
            total += int(value)
    return total


def may_unshare() -> bool:
    unshare = shutil.which("unshare")
    if unshare is None:
        return False
    return subprocess.run([unshare, "-n", "true"], capture_output=True, check=False).returncode == 0


# The audit hook sees what Python does; this also sees what the libraries in C do.
@pytest.mark.skipif(not may_unshare(), reason="`unshare -n` is not allowed here (needs root)")
def test_a_worker_without_a_network_analyses_and_never_asks_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # That the figures notice: one attempt to connect to an address that nobody has.
    attempt = (
        "import socket\n"
        "try:\n"
        "    socket.create_connection(('192.0.2.1', 9), 1)\n"
        "except OSError:\n"
        "    print(sent('self'))\n"
    )
    code = f"from tests.integration.test_worker_without_network import sent\n{attempt}"
    noticed = subprocess.run(
        ["unshare", "-n", sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(noticed.stdout) > 0

    path = tmp_path / "broker.socket"
    broker = subprocess.Popen(
        [valkey_server(), "--port", "0", "--unixsocket", path, "--save", "", "--dir", tmp_path],
        stdout=subprocess.DEVNULL,
    )
    environment = {
        "STANCEWIRE_DATABASE_URL": f"sqlite:///{tmp_path}/store.db",
        "STANCEWIRE_BROKER_URL": f"redis+socket://{path}",
    }
    log = tmp_path / "worker.log"
    try:
        wait_for(path.exists, 10, "the broker listens")
        with analysing(monkeypatch, log, environment, "unshare", "-n") as worker:
            assert os.readlink(f"/proc/{worker.pid}/ns/net") != os.readlink("/proc/self/ns/net")
            assert sent(worker.pid) == 0
    finally:
        broker.kill()
        broker.wait()
