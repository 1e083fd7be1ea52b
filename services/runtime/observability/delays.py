"""How long the way of an event takes from its receipt to somewhere: histograms with an example of a trace.

They are measured where the way ends. What is read again, after a loss or for a new database, is not measured: it would
say that an event of last year took a year.
"""

from collections.abc import Iterable
from datetime import datetime

from prometheus_client import CollectorRegistry, Histogram

from schemas.events.event_origin import EventOrigin, TraceContext
from services.runtime.observability.spans import SpanExporter

# Bounds of the times from one service to another: from a batch to a day on which nothing could be sent. The objectives
# are among them (a minute, a quarter of an hour), because a share can be counted at a bound alone.
DELAY_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0)


class DelayHistogram:
    """A histogram of delays in seconds, one for each of *values* of the label *label*, if it has one."""

    def __init__(
        self, name: str, about: str, registry: CollectorRegistry, *, label: str = "", values: Iterable[str] = ()
    ) -> None:
        labels = [label] if label else []
        histogram = Histogram(name, about, labels, buckets=DELAY_BUCKETS, registry=registry)
        self._series = {value: histogram.labels(value) for value in values} if label else {"": histogram}
        self._span = ""
        self._spans: SpanExporter | None = None

    def export_spans(self, spans: SpanExporter | None, name: str) -> None:
        """Export each delay of an event with a trace as a span *name* too, if *spans* is given."""
        self._span, self._spans = name, spans

    def observe_all(self, origins: Iterable[EventOrigin], now: datetime, value: str = "") -> None:
        """Measure from the receipt of each of *origins* to *now*; one that was not received by intake is left out."""
        for one in origins:
            if one.received_at is not None:
                self.observe(one.received_at, now, value, trace=one.trace)

    def observe(self, since: datetime, now: datetime, value: str = "", *, trace: TraceContext | None = None) -> None:
        """Measure from *since* to *now*; below zero, where two clocks differ, counts as zero."""
        seconds = max(0.0, (now - since).total_seconds())
        self._series[value].observe(seconds, None if trace is None else {"trace_id": trace.trace_id})
        if trace is not None and self._spans is not None:
            self._spans.export(self._span, trace, since, now)
