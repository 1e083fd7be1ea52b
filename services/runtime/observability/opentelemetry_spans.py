"""Spans by OpenTelemetry's own library, over OTLP/HTTP. Nothing imports this module unless a collector is set."""

import threading
from datetime import UTC, datetime, timedelta

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from schemas.events.event_origin import TraceContext
from services.runtime.observability import version

# Of one request to the collector with its retries, and of all that are left when a service stops.
ANSWER_SECONDS = 5

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PROPAGATOR = TraceContextTextMapPropagator()


class OpenTelemetrySpans:
    """Exports spans through *provider*, which batches them in a thread of its own and samples as the sender does."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer(version.PACKAGE)

    def export(self, name: str, trace: TraceContext, started_at: datetime, ended_at: datetime) -> None:
        """Export a span *name* as a child of *trace*; where two clocks differ it has no length."""
        carrier = {"traceparent": trace.parent} | ({} if trace.state is None else {"tracestate": trace.state})
        started = _count_nanoseconds(started_at)
        span = self._tracer.start_span(name, context=_PROPAGATOR.extract(carrier), start_time=started)
        span.end(max(started, _count_nanoseconds(ended_at)))

    def close(self) -> None:
        """Send what is left; a collector that is away is given up after `ANSWER_SECONDS`."""
        # The library gives each batch that it still holds as long as the first, half a minute in all.
        shutdown = threading.Thread(target=self._provider.shutdown, daemon=True)
        shutdown.start()
        shutdown.join(ANSWER_SECONDS)


def create_exporter(service: str, endpoint: str) -> OpenTelemetrySpans:
    """Return the exporter of *service* to the collector whose OTLP/HTTP address is *endpoint*."""
    resource = Resource.create({"service.name": f"dondoc-{service}", "service.version": version.find_build().version})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    # Headers, certificates and compression are the library's own variables, OTEL_EXPORTER_OTLP_….
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=ANSWER_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return OpenTelemetrySpans(provider)


def _count_nanoseconds(instant: datetime) -> int:
    # Whole microseconds: a float of so many seconds has none.
    return (instant - _EPOCH) // _MICROSECOND * 1000
