"""What intake counts. Label sets are closed and start at zero; no id is ever a label."""

from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.intake.core.problems import CONNECTION_PROBLEMS, AuthenticationFailure, RequestProblem
from services.runtime.http.request_metrics import OPERATIONS, RequestMetrics
from services.runtime.kafka.log_coverage import Agreement
from services.runtime.metrics import SECONDS_BUCKETS


class Surface(StrEnum):
    """What requests ask for, by which they are counted. A dry run is apart, for it depends on rules."""

    EVENTS = "events"
    DRY_RUN = "dry_run"
    FORM = "form"
    OTHER = "other"


# The content modes of the CloudEvents HTTP binding.
MODES = ("structured", "binary", "batch")

# What a comparison of the log with what is remembered of it can show.
LOSSES = (Agreement.LOG_SHORTER, Agreement.LOG_REPLACED)


class KeyMetrics:
    """What an operator must know of the API keys."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.authentication_failures = Counter(
            "intake_authentication_failures", "Requests without a valid key, by reason", ["reason"], registry=registry
        )
        self.access_ends_at = Gauge(
            "intake_access_ends_timestamp_seconds",
            "When the first upstream system is without a valid key, in Unix time; +Inf if none ever is",
            registry=registry,
        )
        self.open_systems = Gauge(
            "intake_systems_without_source",
            "Upstream systems with a valid key that names no source of its own",
            registry=registry,
        )
        for failure in AuthenticationFailure:
            self.authentication_failures.labels(failure.value)

    def count_failure(self, failure: AuthenticationFailure) -> None:
        """Count a request without a valid key."""
        self.authentication_failures.labels(failure.value).inc()


class SpoolMetrics:
    """What the spool counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.spooled = Counter("intake_spool_events", "Events written to the spool", registry=registry)
        self.drained = Counter("intake_spool_drained_events", "Events replayed from the spool", registry=registry)
        self.bytes = Gauge("intake_spool_bytes", "Bytes in the spool", registry=registry)
        self.bytes_max = Gauge("intake_spool_bytes_max", "Bytes that the spool may hold", registry=registry)
        self.damaged_events = Counter(
            "intake_spool_damaged_events",
            "Events with a receipt that a damaged spool could not give back, at least",
            registry=registry,
        )
        self.damaged_files = Gauge(
            "intake_spool_damaged_files", "Damaged spool files that nobody has recovered yet", registry=registry
        )


class LogMetrics:
    """What the log reader counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.unreadable = Counter(
            "intake_log_records_unreadable", "Records of facts that the log reader cannot read", registry=registry
        )
        self.losses = Counter(
            "intake_log_losses",
            "How often the log did not have what it had, by what was found",
            ["found"],
            registry=registry,
        )
        self.damaged_batches = Counter(
            "intake_log_damaged_batches", "Damaged batches of facts that the log reader passed over", registry=registry
        )
        self.missing = Gauge(
            "intake_events_missing", "Events with a receipt that neither log nor spool has any more", registry=registry
        )
        for found in LOSSES:
            self.losses.labels(found.value)


class IntakeMetrics:
    """The metrics of one intake process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.events = Counter(
            "intake_events_accepted", "Events answered with a receipt, by content mode", ["mode"], registry=registry
        )
        self.repeats = Counter(
            "intake_events_repeated", "Events known already, answered with their first receipt", registry=registry
        )
        self.refusals = Counter(
            "intake_requests_refused", "Requests refused, by problem", ["problem"], registry=registry
        )
        self.keys = KeyMetrics(registry)
        self.seconds = Histogram(
            "intake_request_seconds",
            "How long it took to make a request's events durable",
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self.bodies = Gauge("intake_bodies_bytes", "Bytes of request bodies in flight", registry=registry)
        self.known = Gauge("intake_identities_known", "Event identities held in memory", registry=registry)
        self.workers = Gauge("intake_workers", "Worker processes that serve requests", registry=registry)
        self.clerks = Gauge("intake_clerks", "Deprecated name of intake_workers, until version 0.3", registry=registry)
        self.broker_is_up = Gauge("intake_bus_is_up", "1 while the broker acknowledges, else 0", registry=registry)
        self.log = LogMetrics(registry)
        self.spool = SpoolMetrics(registry)
        self.requests = RequestMetrics(registry, [*(one.value for one in Surface), OPERATIONS])
        self.accepted = {mode: self.events.labels(mode) for mode in MODES}
        for problem in set(RequestProblem) - CONNECTION_PROBLEMS:
            self.refusals.labels(problem.value.slug)

    def set_workers(self, count: int) -> None:
        """Set the number of workers that serve requests, under the old name of the metric as well."""
        self.workers.set(count)
        self.clerks.set(count)
