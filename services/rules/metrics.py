"""The metrics of rules. Partitions are a closed set of labels; no agency, plan or duty is ever a label."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.rules.state.opening import LOG_FINDINGS, REBUILD_FINDINGS
from services.runtime.kafka.consumer_lag import UNKNOWN, LagByPartition
from services.runtime.metrics import SECONDS_BUCKETS
from services.runtime.observability.delays import DelayHistogram

DEAD_LETTER_REASONS = ("unreadable", "unknown", "misrouted", "conflict", "oversized", "costly", "unexpected")


class RulesMetrics:
    """Every metric of this service, registered once and initialised to zero."""

    def __init__(self, registry: CollectorRegistry, partitions: int) -> None:
        self.facts = Counter("rules_facts_consumed", "Records of facts consumed and committed", registry=registry)
        self.assessments = Counter("rules_assessments_written", "Assessments written and committed", registry=registry)
        self.dead_letters = Counter(
            "rules_dead_letters", "Facts set aside, by kind of reason", ["reason"], registry=registry
        )
        self.batch_seconds = Histogram(
            "rules_batch_seconds",
            "Time from a batch of one partition to its commit",
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self.restore_seconds = Histogram(
            "rules_restore_seconds",
            "Time to fence the earlier owner of a partition and restore its state",
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self._declare_partitions(registry)
        self.received_to_verdict = DelayHistogram(
            "rules_received_to_verdict_seconds",
            "From the receipt of an event until its assessments are committed",
            registry,
        )
        self._declare_findings(registry)
        for reason in DEAD_LETTER_REASONS:
            self.dead_letters.labels(reason)
        for number in range(partitions):
            self.lag.labels(str(number)).set(UNKNOWN)
            self.oldest_unread.labels(str(number)).set(UNKNOWN)

    def _declare_partitions(self, registry: CollectorRegistry) -> None:
        self.owned = Gauge("rules_partitions_owned", "Partitions open in this process", registry=registry)
        self.reopened = Counter(
            "rules_partitions_reopened", "Partitions opened anew after a failure", registry=registry
        )
        self.lag = Gauge(
            "rules_lag_records",
            "Records of facts that the group has not committed, NaN while unknown",
            ["partition"],
            registry=registry,
        )
        self.oldest_unread = Gauge(
            "rules_oldest_unread_seconds",
            "Age of the oldest fact that the group has not committed, 0 if there is none, NaN while unknown",
            ["partition"],
            registry=registry,
        )

    def _declare_findings(self, registry: CollectorRegistry) -> None:
        """Declare what an opening finds that is not intact."""
        self.state_rebuilds = Counter(
            "rules_state_rebuilds",
            "Partitions whose state was missing, old or damaged and is made anew from the log",
            ["reason"],
            registry=registry,
        )
        self.log_incidents = Counter(
            "rules_log_incidents",
            "Partitions of the log found to have lost records that were read before",
            ["kind"],
            registry=registry,
        )
        for finding in REBUILD_FINDINGS:
            self.state_rebuilds.labels(finding)
        for finding in LOG_FINDINGS:
            self.log_incidents.labels(finding)

    def show_lag(self, lags: LagByPartition) -> None:
        """Set the gauges for how far the group is behind."""
        for place, lag in lags.items():
            self.lag.labels(str(place.partition)).set(lag.records)
            self.oldest_unread.labels(str(place.partition)).set(lag.oldest_unread_seconds)
