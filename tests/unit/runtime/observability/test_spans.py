"""Spans of what becomes of an event: children of the sender's own, only where a collector is set."""

import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from schemas.events.event_origin import EventOrigin, TraceContext
from services.runtime import settings
from services.runtime.observability import opentelemetry_spans, spans
from services.runtime.observability.delays import DelayHistogram
from services.runtime.settings import ServiceSettings
from tests.support.servers.span_receiver import run_small_receiver

NOW = datetime(2026, 12, 8, tzinfo=UTC)
TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
LIBRARY = ("opentelemetry.sdk", "opentelemetry.exporter")  # FastStream looks whether the rest is there
APPS = [f"services.{one}.app" for one in ("intake", "rules", "notifier", "reporting")]


def a_trace(*, flags: str) -> TraceContext:
    """Build a place in a trace, with the flags of its sender."""
    return TraceContext(parent=f"00-{TRACE_ID}-{SPAN_ID}-{flags}", state="vendor=1")


def test_a_delay_of_a_traced_event_is_a_span() -> None:
    """It begins at the receipt, is a child of the sender's span, and an event without a trace has none."""
    delays = DelayHistogram("x_seconds", "x", CollectorRegistry())
    received_at = NOW - timedelta(seconds=61, microseconds=1)
    with run_small_receiver() as receiver:
        exporter = opentelemetry_spans.create_exporter("rules", receiver.endpoint)
        delays.export_spans(exporter, "rules: assess")
        traced = EventOrigin(received_at=received_at, trace=a_trace(flags="01"))
        delays.observe_all([traced, EventOrigin(received_at=received_at)], NOW)
        exporter.close()
        (span,) = receiver.read()
    assert (span.service, span.name) == ("dondoc-rules", "rules: assess")
    assert (span.trace_id, span.parent_id) == (TRACE_ID, SPAN_ID)
    assert span.nanoseconds == 61_000_001_000


def test_a_trace_that_its_sender_does_not_sample_has_no_spans() -> None:
    """Who traces one request in a hundred pays for that one here as well; a clock behind makes a span of no length."""
    with run_small_receiver() as receiver:
        exporter = opentelemetry_spans.create_exporter("intake", receiver.endpoint)
        exporter.export("left out", a_trace(flags="00"), NOW, NOW)
        exporter.export("behind", a_trace(flags="01"), NOW, NOW - timedelta(seconds=1))
        exporter.close()
        assert [(one.name, one.nanoseconds) for one in receiver.read()] == [("behind", 0)]


def test_a_collector_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that stops waits its time for what is left, and no longer, whatever is under way."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        exporter = opentelemetry_spans.create_exporter("rules", f"http://127.0.0.1:{silent.getsockname()[1]}")
        request_seconds = opentelemetry_spans.ANSWER_SECONDS
        monkeypatch.setattr(opentelemetry_spans, "ANSWER_SECONDS", 0.1)
        exporter.export("never received", a_trace(flags="01"), NOW, NOW)
        started = time.monotonic()
        exporter.close()
        assert time.monotonic() - started < request_seconds


def test_nothing_is_exported_unless_a_collector_is_set() -> None:
    """Off by default, and then no service even imports the library."""
    assert spans.open_exporter("rules", None) is None
    script = f"import sys, {', '.join(APPS)}\nprint([one for one in sys.modules if one.startswith({LIBRARY!r})])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=180)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("endpoint", ["collector:4318", "grpc://collector:4317", "http://"])
def test_an_address_that_is_none_is_refused(endpoint: str) -> None:
    """The line says what one looks like."""
    with pytest.raises(ValidationError) as caught:
        ServiceSettings(otlp_endpoint=endpoint)
    (line,) = settings.describe_errors(caught.value)
    assert line.startswith("setting otlp_endpoint: ")
    assert "http://collector:4318" in line


def test_a_collector_without_the_library_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line says what to install; without the setting nothing is missed."""
    monkeypatch.setattr(spans, "LIBRARY", "opentelemetry_that_is_missing.exporter")
    assert ServiceSettings().otlp_endpoint is None
    with pytest.raises(ValidationError, match=r"dondoc\[otlp\]"):
        ServiceSettings(otlp_endpoint="http://collector:4318")
