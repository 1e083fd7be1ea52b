"""A delay is counted in the bucket of its length, with the trace as its example."""

from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry

from schemas.events.event_origin import NO_ORIGIN, EventOrigin, TraceContext
from services.runtime.http import probes
from services.runtime.observability.delays import DelayHistogram

NOW = datetime(2026, 12, 8, tzinfo=UTC)
TRACE = TraceContext(parent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")


def test_delays_are_counted_by_their_label() -> None:
    """A minute is within the objective; a clock that is behind makes a delay of zero; what intake never had is none."""
    registry = CollectorRegistry()
    delays = DelayHistogram("x_seconds", "x", registry, label="cause", values=("verdict", "date"))
    late, early = (EventOrigin(received_at=NOW - timedelta(seconds=one)) for one in (61, -3))
    delays.observe_all([late, early, NO_ORIGIN], NOW, "verdict")
    sample = registry.get_sample_value
    assert sample("x_seconds_bucket", {"cause": "verdict", "le": "60.0"}) == 1
    assert sample("x_seconds_count", {"cause": "verdict"}) == 2
    assert sample("x_seconds_sum", {"cause": "verdict"}) == 61
    assert sample("x_seconds_count", {"cause": "date"}) == 0


def test_an_example_names_the_trace() -> None:
    """Whoever asks for OpenMetrics finds one slow event by its trace."""
    registry = CollectorRegistry()
    DelayHistogram("x_seconds", "x", registry).observe(NOW - timedelta(seconds=2), NOW, trace=TRACE)
    content = probes.encode_metrics(registry, "application/openmetrics-text;version=1.0.0").content.decode()
    assert f'{{trace_id="{TRACE.trace_id}"}}' in content
