"""The metrics of several processes as one: the samples of the workers added to those of the main process.

Counters of a worker that has ended stay in the sum, for a counter that falls would look to Prometheus like a restart.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from prometheus_client import Metric
from prometheus_client.samples import Sample as PrometheusSample

from services.intake.workers.protocol import Sample

_Key = tuple[str, tuple[tuple[str, str], ...]]

# Figures of which the main process's own is the right one.
NOT_SUMMED = frozenset(
    {"process_start_time_seconds", "process_max_fds", "runtime_check_holds", "python_info", "dondoc_build_info"}
)

GAUGE = "gauge"


class Collects(Protocol):
    """A registry of metrics."""

    def collect(self) -> Iterable[Metric]:
        """Yield every metric."""
        ...


def read_samples(registry: Collects) -> Sequence[Sample]:
    """Return the samples of a worker's *registry* that can be summed over processes."""
    return [
        Sample(sample.name, tuple(sorted(sample.labels.items())), sample.value)
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name not in NOT_SUMMED
    ]


class MergedMetrics:
    """A registry whose samples are those of *own* with the workers' added."""

    def __init__(self, own: Collects) -> None:
        self._own = own
        self._of_worker: dict[int, Mapping[_Key, float]] = {}
        self._of_ended: dict[_Key, float] = {}

    def update(self, worker: int, samples: Iterable[Sample]) -> None:
        """Replace the samples of *worker*."""
        self._of_worker[worker] = {(one.name, one.labels): one.value for one in samples}

    def retire(self, worker: int) -> None:
        """Keep the counters of a worker that has ended, forget its gauges."""
        counters = {sample.name for metric in self._own.collect() if metric.type != GAUGE for sample in metric.samples}
        for key, value in self._of_worker.pop(worker, {}).items():
            if key[0] in counters:
                self._of_ended[key] = self._of_ended.get(key, 0.0) + value

    def collect(self) -> Iterator[Metric]:
        """Yield every metric of this process, each sample with the workers' added."""
        for metric in self._own.collect():
            merged = Metric(metric.name, metric.documentation, metric.type, metric.unit)
            merged.samples = [self._merge(sample) for sample in metric.samples]
            yield merged

    def _merge(self, sample: PrometheusSample) -> PrometheusSample:
        if sample.name in NOT_SUMMED:
            return sample
        key = (sample.name, tuple(sorted(sample.labels.items())))
        others = sum(found.get(key, 0.0) for found in (self._of_ended, *self._of_worker.values()))
        return sample._replace(value=sample.value + others)
