"""Figures, log lines and traces of real processes: API under gunicorn, broker, worker."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from service.settings import load_settings
from service.store import migrate
from tests.integration.processes import ROOT, Broker, Worker, wait_for

ANSWERS = 40


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class Collector:
    """Takes spans by OTLP over HTTP and keeps them as (service, span)."""

    def __init__(self) -> None:
        spans: list[tuple[str, Any]] = []
        self.spans = spans

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    about = {a.key: a.value.string_value for a in resource.resource.attributes}
                    for scope in resource.scope_spans:
                        spans.extend((about["service.name"], span) for span in scope.spans)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def collector() -> Iterator[Collector]:
    started = Collector()
    yield started
    started.stop()


@pytest.fixture
def environment(
    tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    broker = Broker()
    chosen = {
        "STANCEWIRE_DATABASE_URL": f"sqlite:///{tmp_path}/store.db",
        "STANCEWIRE_BROKER_URL": broker.url,
        "STANCEWIRE_BROKER_TIMEOUT": "2",
        "STANCEWIRE_BIND": f"127.0.0.1:{free_port()}",
        "STANCEWIRE_API_PROCESSES": "2",
        "STANCEWIRE_LEASE": "2",
        "STANCEWIRE_MAX_ATTEMPTS": "2",
        "STANCEWIRE_SWEEP_INTERVAL": "1",
        "STANCEWIRE_REDELIVER_AFTER": "1",
        "STANCEWIRE_WORKER_HEARTBEAT": "1",
        "STANCEWIRE_METRICS_BIND": f"127.0.0.1:{free_port()}",
        "STANCEWIRE_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    migrate(load_settings())
    yield chosen
    broker.stop()


@pytest.fixture
def api(environment: dict[str, str], tmp_path: Path) -> Iterator[httpx.Client]:
    command = [sys.executable, "-m", "gunicorn", "-c", "python:service.gunicorn_conf"]
    with (tmp_path / "api.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "service.wsgi"], cwd=ROOT, env=os.environ, stdout=log, stderr=log
        )
    with httpx.Client(base_url=f"http://{environment['STANCEWIRE_BIND']}", timeout=20) as client:

        def answers() -> bool:
            try:
                return client.get("/livez").status_code == 200
            except httpx.TransportError:
                return False

        try:
            wait_for(answers, 60, "the API starts")
            yield client
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(40)
            print((tmp_path / "api.log").read_text())


@pytest.fixture
def worker(environment: dict[str, str], tmp_path: Path) -> Iterator[Worker]:
    started = Worker({}, tmp_path / "worker.log")
    try:
        wait_for(lambda: started.said("ready: pipeline"), 60, "the worker starts")
        yield started
    finally:
        started.kill()
        print(started.log.read_text())


def figure(text: str, name: str, **labels: str) -> float:
    """The sum of the samples that have these labels."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def json_lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]


def analysed(api: httpx.Client, text: str, **headers: str) -> str:
    """Submit an article, wait for the end of its job, return the job's id."""
    receipt = api.post("/v1/articles", json={"text": text}, headers=headers)
    assert receipt.status_code == 202, receipt.text
    job_id: str = receipt.json()["job_id"]

    def ended() -> bool:
        state = api.get(f"/v1/jobs/{job_id}").json()["state"]
        return state in {"succeeded", "failed"}

    wait_for(ended, 60, "the job ends")
    return job_id


def test_every_process_of_the_api_answers_for_all(api: httpx.Client) -> None:
    # A connection each, so that both processes get some of them.
    for _ in range(ANSWERS):
        httpx.get(f"{api.base_url}/nothing")
    for _ in range(6):
        text = httpx.get(f"{api.base_url}/metrics").text
        found = figure(text, "stancewire_http_requests_total", route="none", status="404")
        assert found == ANSWERS
        assert figure(text, "stancewire_database_up") == 1


def test_one_request_through_figures_log_lines_and_spans(
    api: httpx.Client, worker: Worker, environment: dict[str, str], collector: Collector
) -> None:
    job_id = analysed(api, "hello", **{"X-Request-Id": "req-1"})

    # Log lines: the worker's say which request it was.
    wait_for(lambda: worker.said('"attempt"'), 10, "the attempt is logged")
    [line] = [line for line in json_lines(worker.log) if line["message"] == "attempt"]
    assert (line["request_id"], line["job_id"]) == ("req-1", job_id)
    assert line["outcome"] == "succeeded"
    assert all(set(line) >= {"time", "level", "message"} for line in json_lines(worker.log))

    # Spans: one trace from the request to the last stage.
    def named(name: str) -> list[tuple[str, Any]]:
        return [(service, span) for service, span in collector.spans if span.name == name]

    # Each ends at its own time and may come in a batch of its own.
    wanted = ("POST /v1/articles", "ring", "analyse")
    wait_for(lambda: all(map(named, wanted)), 20, "the spans arrive")
    [(service, request)] = named("POST /v1/articles")
    [(_, ring)] = named("ring")
    [(part, job)] = named("analyse")
    assert (service, part) == ("stancewire-api", "stancewire-worker")
    assert ring.parent_span_id == request.span_id
    assert job.parent_span_id == ring.span_id
    stages = [span for _, span in collector.spans if span.name.startswith("stage ")]
    assert len(stages) == 7
    assert {span.parent_span_id for span in stages} == {job.span_id}
    assert {span.trace_id for span in (ring, job, *stages)} == {request.trace_id}
    assert line["trace_id"] == request.trace_id.hex()

    # Figures: of the worker, and of the database by way of the API.
    text = httpx.get(f"http://{environment['STANCEWIRE_METRICS_BIND']}/metrics").text
    assert figure(text, "stancewire_attempts_ended_total", outcome="succeeded") == 1
    assert figure(text, "stancewire_stage_seconds_count") == 7
    assert figure(text, "stancewire_characters_total") == len("hello")
    assert figure(text, "stancewire_tokens_total", model="ner") == 1
    wait_for(
        lambda: figure(api.get("/metrics").text, "stancewire_live_workers") == 1,
        20,
        "the heartbeat is a figure",
    )


def test_a_killed_pool_process_keeps_its_figures(
    api: httpx.Client, worker: Worker, environment: dict[str, str]
) -> None:
    address = f"http://{environment['STANCEWIRE_METRICS_BIND']}"
    analysed(api, "hello")
    parent = psutil.Process(worker.process.pid)
    before = {child.pid for child in parent.children()}
    analysed(api, "die")
    wait_for(
        lambda: {child.pid for child in parent.children()} != before, 30, "a new process is there"
    )
    analysed(api, "hello")
    text = httpx.get(f"{address}/metrics").text
    assert figure(text, "stancewire_attempts_ended_total", outcome="succeeded") == 2
    # Begun and never ended: what died.
    assert figure(text, "stancewire_attempts_total") == 2 + 2
    assert figure(text, "stancewire_retries_total") == 1
    seen = api.get("/metrics").text
    assert figure(seen, "stancewire_recent_failures", code="attempts_exhausted") == 1

    assert httpx.get(f"{address}/else").status_code == 404
    children = parent.children(recursive=True)
    worker.process.send_signal(signal.SIGKILL)
    # Orphans notice; the server of the figures too.
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/metrics")


def test_a_taken_port_keeps_a_worker_from_starting(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        worker = Worker({"STANCEWIRE_METRICS_BIND": bind}, tmp_path / "worker.log")
        assert worker.process.wait(60) == 1
    assert worker.said(f"cannot listen on STANCEWIRE_METRICS_BIND {bind}")


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_the_folder_of_the_figures_is_removed(
    ending: signal.Signals, api: httpx.Client, environment: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    worker = Worker({"TMPDIR": str(folder)}, tmp_path / "worker.log")
    wait_for(lambda: worker.said("ready: pipeline"), 60, "the worker starts")
    analysed(api, "hello")
    assert list(folder.glob("stancewire-figures-*/*.db"))
    if ending is signal.SIGTERM:
        worker.ask_to_stop()
        assert worker.process.wait(40) == 0
    else:
        worker.process.send_signal(ending)
        worker.process.wait(10)
    wait_for(lambda: list(folder.glob("stancewire-figures-*")) == [], 10, "the folder is gone")
    worker.kill()
