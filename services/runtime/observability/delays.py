"""How long an event takes from its receipt to a later point, such as its verdict: histograms with example traces.

They are measured at the later point. What is read again, after a loss or for a new database, is not measured: it would
say that an event of last year took a year.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import Exemplar, HistogramMetricFamily
from prometheus_client.registry import Collector

from schemas.events.event_origin import EventOrigin, TraceContext
from services.runtime.observability.spans import SpanExporter

# Bounds of the times from one service to another: from a batch to a day on which nothing could be sent. The objectives
# are among them (a minute, a quarter of an hour), because a share can be counted at a bound alone.
DELAY_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0)
_BOUNDS = (*map(str, DELAY_BUCKETS), "+Inf")


class _DelaySeries:
    """The delays of one value of the label: how many in each bucket, their sum, and the last example in each."""

    __slots__ = ("counts", "examples", "total")

    def __init__(self) -> None:
        self.counts = [0] * len(_BOUNDS)
        self.examples: list[Exemplar | None] = [None] * len(_BOUNDS)
        self.total = 0.0

    def buckets(self) -> list[tuple[str, float] | tuple[str, float, Exemplar]]:
        """Return the buckets as they are exported: each with all below it."""
        counted = zip(_BOUNDS, accumulate(self.counts), self.examples, strict=True)
        return [(bound, count, example) if example else (bound, count) for bound, count, example in counted]


class DelayHistogram(Collector):
    """A histogram of delays in seconds, one for each of *values* of the label *label*, if it has one.

    The event loop alone counts and exports. The library's own histogram takes three locks and goes through the buckets
    for each delay, which costs rules a fifteenth of its processor time.
    """

    def __init__(
        self, name: str, about: str, registry: CollectorRegistry, *, label: str = "", values: Iterable[str] = ()
    ) -> None:
        self._name, self._about = name, about
        self._labels = [label] if label else []
        self._series = {value: _DelaySeries() for value in (values if label else ("",))}
        self._span = ""
        self._spans: SpanExporter | None = None
        registry.register(self)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the histogram as it stands, for the registry."""
        family = HistogramMetricFamily(self._name, self._about, labels=self._labels)
        for value, series in self._series.items():
            family.add_metric([value] if self._labels else [], series.buckets(), series.total)
        yield family

    def export_spans(self, spans: SpanExporter | None, name: str) -> None:
        """Export each delay of an event with a trace as a span *name* too, if *spans* is given."""
        self._span, self._spans = name, spans

    def observe_all(self, origins: Iterable[EventOrigin], now: datetime, value: str = "") -> None:
        """Measure from the receipt of each of *origins* to *now*; one that was not received by intake is left out.

        Below zero, where two clocks differ, counts as zero.
        """
        series = self._series[value]
        for one in origins:
            if one.received_at is None:
                continue
            seconds = max(0.0, (now - one.received_at).total_seconds())
            bucket = bisect_left(DELAY_BUCKETS, seconds)
            series.counts[bucket] += 1
            series.total += seconds
            if one.trace is not None:
                series.examples[bucket] = Exemplar({"trace_id": one.trace.trace_id}, seconds, now.timestamp())
                if self._spans is not None:
                    self._spans.export(self._span, one.trace, one.received_at, now)

    def observe(self, since: datetime, now: datetime, value: str = "", *, trace: TraceContext | None = None) -> None:
        """Measure from *since* to *now*, as `observe_all` does."""
        self.observe_all((EventOrigin(received_at=since, trace=trace),), now, value)
