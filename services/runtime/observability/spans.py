"""Spans of what becomes of an event, for a tracing system; off, and not even imported, unless a collector is set.

A span is exported where a delay of an event with a trace is measured. It is a child of the sender's own span, so what
the sender traces goes on here. The bytes of facts, verdicts and deliveries are the same whether spans are exported.
"""

import asyncio
import importlib
import importlib.util
from datetime import datetime
from typing import Protocol, cast

from schemas.events.event_origin import TraceContext

LIBRARY = "opentelemetry.exporter.otlp.proto.http"
_ADAPTER = "services.runtime.observability.opentelemetry_spans"


class SpanExporter(Protocol):
    """Sends spans to a collector in the background; what it cannot send it drops."""

    def export(self, name: str, trace: TraceContext, started_at: datetime, ended_at: datetime) -> None:
        """Export a span *name* as a child of *trace*, unless its sender does not sample the trace. Never wait."""
        ...

    def close(self) -> None:
        """Send what is left, and give up after some seconds."""
        ...


class _Adapter(Protocol):
    def create_exporter(self, service: str, endpoint: str) -> SpanExporter: ...


def open_exporter(service: str, endpoint: str | None) -> SpanExporter | None:
    """Return the exporter of *service* to the collector at *endpoint*; None if none is set."""
    if endpoint is None:
        return None
    return cast("_Adapter", importlib.import_module(_ADAPTER)).create_exporter(service, endpoint)


async def close_exporter(exporter: SpanExporter | None) -> None:
    """Close *exporter* beside the event loop, if there is one."""
    if exporter is not None:
        await asyncio.to_thread(exporter.close)


def is_library_installed() -> bool:
    """Whether the optional packages of OpenTelemetry are there."""
    try:
        return importlib.util.find_spec(LIBRARY) is not None
    except ModuleNotFoundError:  # a package above it is missing
        return False
