"""The trail of a request: through threads of control, log lines, message headers and spans."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from worker_fakes import MemoryStore, a_context, a_job

from service.app import create_app
from service.domain.job import Priority
from service.settings import SettingsError, load_settings
from service.telemetry import trail
from service.telemetry.logs import JsonLines
from service.telemetry.traces import NoTraces, OtelTraces, open_traces
from tests.fakes import FakeDoorbell, FakeStore
from workers.errors import PermanentError
from workers.message import delivered
from workers.tasks import analyse

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = f"00-{TRACE}-b7ad6b7169203331-01"


@dataclass
class Postbox(FakeDoorbell):
    """Keeps the headers that a message would have carried."""

    headers: list[dict[str, str]] = field(default_factory=list)

    def ring(self, job_id: str, priority: Priority) -> bool:
        self.headers.append(trail.current().headers())
        return super().ring(job_id, priority)


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def traces(exporter: InMemorySpanExporter) -> Iterator[OtelTraces]:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    opened = OtelTraces(provider)
    yield opened
    opened.close()


def submit(postbox: Postbox, traces: NoTraces, **headers: str) -> None:
    app = create_app(load_settings(), FakeStore(), postbox, traces)
    sent = {"X-Request-Id": "r-1", **headers}
    answer = app.test_client().post("/v1/articles", json={"text": "News."}, headers=sent)
    assert answer.status_code == 202
    # Nothing of a request stays behind in the thread that answered it.
    assert trail.current() == trail.Trail()


def work(traces: NoTraces, headers: dict[str, str], act: Any = lambda: None) -> MemoryStore:
    store = MemoryStore(a_job())
    context = a_context(store, act)
    context.traces = traces
    with delivered(traces, headers, "j1"):
        analyse(context, "j1")
    return store


def by_name(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


def parent(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent is not None else None


def own(span: ReadableSpan) -> int:
    assert span.context is not None
    return span.context.span_id


def test_request_message_and_worker_are_one_trace(
    traces: OtelTraces, exporter: InMemorySpanExporter
) -> None:
    postbox = Postbox()
    submit(postbox, traces, traceparent=CALLER)
    [headers] = postbox.headers
    assert headers["request_id"] == "r-1"
    work(traces, headers)

    spans = by_name(exporter)
    request, ring, job = spans["POST /v1/articles"], spans["ring"], spans["analyse"]
    stages = [span for name, span in spans.items() if name.startswith("stage ")]
    assert {span.name for span in stages} == {"stage clean", "stage stance", "stage store"}
    assert parent(request) == int("b7ad6b7169203331", 16)
    assert parent(ring) == own(request)
    assert parent(job) == own(ring)
    assert all(parent(stage) == own(job) for stage in stages)
    kinds = [span.kind for span in (request, ring, job)]
    assert kinds == [SpanKind.SERVER, SpanKind.PRODUCER, SpanKind.CONSUMER]
    for span in spans.values():
        assert span.context is not None
        assert f"{span.context.trace_id:032x}" == TRACE
        assert span.attributes is not None
        assert span.attributes["stancewire.request_id"] == "r-1"
    assert all(
        span.attributes is not None and span.attributes["stancewire.job_id"] == "j1"
        for span in (job, *stages)
    )


def test_a_message_of_the_sweeper_begins_a_trace(
    traces: OtelTraces, exporter: InMemorySpanExporter
) -> None:
    work(traces, {})
    assert by_name(exporter)["analyse"].parent is None


def test_health_checks_are_not_traced(traces: OtelTraces, exporter: InMemorySpanExporter) -> None:
    client = create_app(load_settings(), FakeStore(), FakeDoorbell(), traces).test_client()
    for path in ("/livez", "/readyz", "/metrics"):
        client.get(path)
    assert exporter.get_finished_spans() == ()


def test_a_failing_stage_is_a_span_with_an_error(
    traces: OtelTraces, exporter: InMemorySpanExporter
) -> None:
    def fail() -> None:
        raise PermanentError("unreadable", "…")

    store = work(traces, {}, fail)
    assert store.failure == ("unreadable", False)
    spans = by_name(exporter)
    assert not spans["stage clean"].status.is_ok
    assert spans["analyse"].status.is_ok or spans["analyse"].status.is_unset


def test_without_tracing_the_request_id_still_travels() -> None:
    postbox = Postbox()
    submit(postbox, NoTraces())
    assert postbox.headers == [{"request_id": "r-1"}]


def test_tracing_is_off_unless_configured() -> None:
    settings = load_settings()
    assert settings.otlp_endpoint == ""
    assert type(open_traces(settings, "api")) is NoTraces
    opened = open_traces(replace(settings, otlp_endpoint="http://127.0.0.1:9"), "api")
    assert isinstance(opened, OtelTraces)
    opened.close()


def test_tracing_that_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(SettingsError, match=r"stancewire\[tracing\]"):
        open_traces(replace(load_settings(), otlp_endpoint="http://127.0.0.1:9"), "api")


@pytest.mark.parametrize(
    "headers",
    [
        {"request_id": "a b", "traceparent": "00-x"},
        {"request_id": "x" * 65, "traceparent": CALLER + "\n"},
        {"request_id": 7, "traceparent": None},
        {"traceparent": CALLER.upper()},
        {},
    ],
)
def test_a_trail_of_the_wrong_form_is_left_out(headers: dict[str, object]) -> None:
    assert trail.from_headers(headers) == trail.Trail()


def test_log_lines_name_request_job_and_trace(caplog: pytest.LogCaptureFixture) -> None:
    lines: list[dict[str, Any]] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(JsonLines().format(record)))

    kept = Kept()
    logging.getLogger("workers").addHandler(kept)
    try:
        with caplog.at_level(logging.INFO, logger="workers"):
            work(NoTraces(), {"request_id": "r-1", "traceparent": CALLER})
    finally:
        logging.getLogger("workers").removeHandler(kept)
    [line] = [line for line in lines if line["message"] == "attempt"]
    assert (line["request_id"], line["job_id"], line["trace_id"]) == ("r-1", "j1", TRACE)
    assert (line["outcome"], line["attempt"], line["code"]) == ("succeeded", 0, None)
    assert line["seconds"] >= 0
