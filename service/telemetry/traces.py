"""OpenTelemetry spans, when a collector is configured; otherwise nothing at all.

The packages are an extra (`stancewire[tracing]`) and are imported only when they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Literal

from service.settings import Settings, SettingsError
from service.telemetry import trail

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from opentelemetry.sdk.trace import TracerProvider

Kind = Literal["internal", "server", "producer", "consumer"]
Attributes = Mapping[str, str | int]

_NONE: Attributes = {}

# What a collector that is away may cost a process that ends; a running one sends in a thread.
_SEND_SECONDS = 2.0


class NoTraces:
    """Tracing is off."""

    def span(
        self, name: str, kind: Kind = "internal", attributes: Attributes = _NONE
    ) -> AbstractContextManager[None]:
        """Nothing."""
        return nullcontext()

    def close(self) -> None:
        """Nothing to send."""


class OtelTraces(NoTraces):
    """Spans of one process, sent by the provider's processors."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("stancewire")

    def span(
        self, name: str, kind: Kind = "internal", attributes: Attributes = _NONE
    ) -> AbstractContextManager[None]:
        """A span below the one that the trail names; within the block the trail names it."""
        return self._span(name, kind, attributes)

    @contextmanager
    def _span(self, name: str, kind: Kind, attributes: Attributes) -> Iterator[None]:
        from opentelemetry.context import Context
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        propagator = TraceContextTextMapPropagator()
        here = trail.current()
        # Context() and not the ambient one: the trail alone says what belongs together.
        parent = propagator.extract(here.headers(), Context())
        known = {"stancewire.request_id": here.request_id, "stancewire.job_id": here.job_id}
        with self._tracer.start_as_current_span(
            name,
            parent,
            SpanKind[kind.upper()],
            {**attributes, **{key: value for key, value in known.items() if value}},
        ):
            carrier: dict[str, str] = {}
            propagator.inject(carrier)
            with trail.following(traceparent=carrier.get(trail.TRACEPARENT)):
                yield

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


def open_traces(settings: Settings, part: str) -> NoTraces:
    """The traces of this process; `part` is `api` or `worker`. Not to be called before a fork:
    the sender is a thread. Raises `SettingsError` when the packages are missing."""
    if not settings.otlp_endpoint:
        return NoTraces()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as err:
        raise SettingsError(
            "STANCEWIRE_OTLP_ENDPOINT is set, but OpenTelemetry is not installed: "
            "install stancewire[tracing]"
        ) from err
    provider = TracerProvider(resource=Resource.create({"service.name": f"stancewire-{part}"}))
    address = settings.otlp_endpoint.rstrip("/") + "/v1/traces"
    exporter = OTLPSpanExporter(endpoint=address, timeout=_SEND_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return OtelTraces(provider)
