"""The metrics of several processes as one exposition."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from services.intake.workers.metrics_merge import MergedMetrics, read_samples
from services.intake.workers.protocol import Sample


def a_process(accepted: int, bodies: int) -> CollectorRegistry:
    """The registry of a process that accepted so many events and holds so many bytes of bodies."""
    registry = CollectorRegistry()
    Counter("events", "Events", ["mode"], registry=registry).labels("batch").inc(accepted)
    Gauge("bodies", "Bodies", registry=registry).set(bodies)
    Histogram("seconds", "Seconds", buckets=(1.0,), registry=registry).observe(0.5)
    return registry


def read_figures(merged: MergedMetrics) -> dict[str, float]:
    """The figures by name and labels, as Prometheus reads them."""
    lines = generate_latest(merged).decode().splitlines()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")}


def test_figures_of_workers_are_added_to_those_of_the_main_process() -> None:
    """Counters, histograms and gauges alike; each name stands once."""
    merged = MergedMetrics(a_process(1, 10))
    merged.update(1, read_samples(a_process(2, 20)))
    merged.update(2, read_samples(a_process(4, 40)))
    figures = read_figures(merged)
    assert figures['events_total{mode="batch"}'] == 7
    assert figures["bodies"] == 70
    assert figures["seconds_count"] == 3
    assert figures['seconds_bucket{le="1.0"}'] == 3


def test_a_later_report_of_a_worker_replaces_the_former() -> None:
    """A heartbeat tells totals, not increments."""
    merged = MergedMetrics(a_process(0, 0))
    for accepted in (2, 5):
        merged.update(1, read_samples(a_process(accepted, accepted)))
    assert read_figures(merged)['events_total{mode="batch"}'] == 5


def test_counters_never_fall_when_a_worker_ends() -> None:
    """What it counted stays in the sum; the bytes that it held are gone with it."""
    merged = MergedMetrics(a_process(1, 10))
    for worker, accepted in ((1, 2), (2, 3)):
        merged.update(worker, read_samples(a_process(accepted, 20)))
        merged.retire(worker)
    merged.update(3, [Sample("events_total", (("mode", "batch"),), 4.0)])
    figures = read_figures(merged)
    assert figures['events_total{mode="batch"}'] == 1 + 2 + 3 + 4
    assert figures["bodies"] == 10


def test_a_worker_that_never_reported_retires_quietly() -> None:
    """It may have ended before its first heartbeat."""
    merged = MergedMetrics(a_process(1, 10))
    merged.retire(9)
    assert read_figures(merged)["bodies"] == 10
