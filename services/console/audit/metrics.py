"""The metrics of a scheduled audit."""

from prometheus_client import CollectorRegistry, Counter, Gauge

# How a run ended: both sides agree; they differ; somebody had not caught up; the log has lost records; anything else.
OUTCOMES = ("agreed", "differed", "behind", "log_lost", "failed")


class AuditMetrics:
    """What the last runs found. A run that could not compare leaves the figures of the run before."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.differences = Gauge(
            "audit_differences", "Fields in which reporting differed from the log at the last run", registry=registry
        )
        self.duties = Gauge("audit_duties_compared", "Duties compared by the last run", registry=registry)
        self.unreadable = Gauge(
            "audit_records_unreadable",
            "Records of the log that cannot be decoded, as the last run saw them",
            registry=registry,
        )
        self.last_success = Gauge(
            "audit_last_success_timestamp_seconds",
            "When the last run that compared everything ended, in seconds since 1970; 0 before the first",
            registry=registry,
        )
        self.run_seconds = Gauge("audit_last_run_seconds", "Seconds that the last run took", registry=registry)
        self.runs = Counter("audit_runs", "Runs by how they ended", ["outcome"], registry=registry)
        for outcome in OUTCOMES:
            self.runs.labels(outcome)
