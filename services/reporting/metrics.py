"""The metrics of reporting. Topics and formats are closed sets; no agency and no plan is a label."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.runtime.metrics import SECONDS_BUCKETS

TOPICS = ("verdicts", "deliveries", "facts")
FORMATS = ("docx", "pdf", "xlsx", "csv", "json")


class ReportingMetrics:
    """Every metric of this service, in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.records = Counter("reporting_records_kept", "Records read and stored", ["topic"], registry=registry)
        self.dead_letters = Counter("reporting_dead_letters", "Records set aside", ["topic"], registry=registry)
        self.unreadable = Counter(
            "reporting_records_unreadable", "Records of the log that cannot be read", ["topic"], registry=registry
        )
        self.stored_unreadable = Counter(
            "reporting_stored_records_unreadable",
            "Stored records that could not be read for an answer, each time they were asked for",
            registry=registry,
        )
        self.batch_seconds = Histogram(
            "reporting_batch_seconds",
            "Time to read and store a batch",
            ["topic"],
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self.lag = Gauge(
            "reporting_lag_records", "Records not yet read at the last batch", ["topic"], registry=registry
        )
        self.documents = Counter("reporting_documents_made", "Annual reports made", ["format"], registry=registry)
        self.document_seconds = Histogram(
            "reporting_document_seconds",
            "Time to compile and lay out an annual report",
            ["format"],
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self._create_series()

    def _create_series(self) -> None:
        """Create every series at zero: Prometheus sees no increase from an absent series to its first value."""
        for topic in TOPICS:
            for by_topic in (self.records, self.dead_letters, self.unreadable, self.batch_seconds, self.lag):
                by_topic.labels(topic)
        for document_format in FORMATS:
            self.documents.labels(document_format)
            self.document_seconds.labels(document_format)
