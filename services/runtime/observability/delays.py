"""How long the way of an event takes from its receipt to somewhere: histograms with an example of a trace.

They are measured where the way ends. What is read again, after a loss or for a new database, is not measured: it would
say that an event of last year took a year.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import Exemplar, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from schemas.events.event_origin import EventOrigin, TraceContext

# Bounds of the times from one service to another: from a batch to a day on which nothing could be sent. The objectives
# are among them (a minute, a quarter of an hour), because a share can be counted at a bound alone.
DELAY_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0)


_BOUNDS = (*map(floatToGoString, DELAY_BUCKETS), "+Inf")


class DelayHistogram(Collector):
    """A histogram of delays in seconds, one for each of *values* of the label *label*, if it has one.

    It counts by itself, because every fact and every verdict passes here: the client's histogram takes three locks and
    looks through the bounds, which is a tenth of what assessing a fact costs.
    """

    def __init__(
        self, name: str, about: str, registry: CollectorRegistry, *, label: str = "", values: Iterable[str] = ()
    ) -> None:
        self._name, self._about = name, about
        self._labels = [label] if label else []
        self._series = {value: _Series() for value in (values if label else [""])}
        registry.register(self)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        family = HistogramMetricFamily(self._name, self._about, labels=self._labels)
        for value, series in self._series.items():
            found = zip(_BOUNDS, accumulate(series.counts), series.examples, strict=True)
            buckets = [
                (bound, count) if example is None else (bound, count, example) for bound, count, example in found
            ]
            family.add_metric([value] if self._labels else [], buckets, series.seconds)
        yield family

    def observe_all(self, origins: Iterable[EventOrigin], now: datetime, value: str = "") -> None:
        """Measure from the receipt of each of *origins* to *now*; one that was not received by intake is left out."""
        for one in origins:
            if one.received_at is not None:
                self.observe(one.received_at, now, value, trace=one.trace)

    def observe(self, since: datetime, now: datetime, value: str = "", *, trace: TraceContext | None = None) -> None:
        """Measure from *since* to *now*; below zero, where two clocks differ, counts as zero."""
        seconds = max(0.0, (now - since).total_seconds())
        bucket = bisect_left(DELAY_BUCKETS, seconds)
        series = self._series[value]
        series.counts[bucket] += 1
        series.seconds += seconds
        if trace is not None:
            series.examples[bucket] = Exemplar({"trace_id": trace.trace_id}, seconds, now.timestamp())


class _Series:
    """How many delays lie below each bound and above the one before, an example of each, and their sum."""

    __slots__ = ("counts", "examples", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * len(_BOUNDS)
        self.examples: list[Exemplar | None] = [None] * len(_BOUNDS)
        self.seconds = 0.0
