"""The metrics of states that are made from the log: what comparing them with the log showed, and what they lack."""

from collections.abc import Iterable
from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge

from services.runtime.kafka.log_coverage import Agreement


class StateMetrics:
    """The metrics of the states of one process, by the topic that each is made from."""

    def __init__(self, registry: CollectorRegistry, topics: Iterable[str]) -> None:
        # A time and not a count: a service finds a loss right after its start, before it is scraped for the first time,
        # and `increase()` does not see what a counter counted before that.
        self._compared = Gauge(
            "runtime_state_compared_timestamp_seconds",
            "When a state was last found so beside the log that it is made from, as Unix time; 0: never",
            ["topic", "agreement"],
            registry=registry,
        )
        self._missing = Gauge(
            "runtime_state_missing_records",
            "Offsets that are still to be read before the states of this process are complete",
            ["topic"],
            registry=registry,
        )
        for topic in topics:
            self._missing.labels(topic)
            for agreement in Agreement:
                self._compared.labels(topic, agreement.value)

    def show_comparison(self, topic: str, agreement: Agreement, at: datetime) -> None:
        """Note what the comparison of a partition showed at *at*, on the wall clock."""
        self._compared.labels(topic, agreement.value).set(at.timestamp())

    def show_missing(self, topic: str, offsets: int) -> None:
        """Set how many offsets of *topic* are still to be read."""
        self._missing.labels(topic).set(offsets)
