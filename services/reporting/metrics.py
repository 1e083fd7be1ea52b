"""The metrics of reporting. Topics and formats are closed sets; no agency and no plan is a label."""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from schemas.events.assessments import Status
from schemas.events.topics import DELIVERIES, FACTS, REPORTS, VERDICTS
from services.reporting.core.access.decisions import RefusalReason
from services.reporting.core.sealing.versions import SealOutcome
from services.runtime.http.request_metrics import OPERATIONS
from services.runtime.kafka import consumer_lag
from services.runtime.kafka.consumer_lag import LagByPartition
from services.runtime.metrics import SECONDS_BUCKETS
from services.runtime.observability.delays import DelayHistogram
from services.runtime.state.state_metrics import StateMetrics

TOPICS_CONSUMED = (VERDICTS, DELIVERIES, FACTS, REPORTS)
TOPICS = ("verdicts", "deliveries", "facts", "reports")
ANSWERS = ("return", "accept", "grade")
FORMATS = ("docx", "pdf", "xlsx", "csv", "json")

# What requests ask for, by which they are counted. A document takes seconds to make, and a stream lasts for hours.
API, DOCUMENTS, PAGES, STREAM = "api", "documents", "pages", "stream"
SURFACES = (API, DOCUMENTS, PAGES, STREAM, OPERATIONS)
_DOCUMENT = re.compile(r"/v1/plans/[^/]+/periods/[^/]+/report\.[a-z]+")
_OPERATORS_PATHS = frozenset({"/livez", "/readyz", "/metrics", "/asyncapi"})


class AnswerOutcome(StrEnum):
    """What became of an officer's answer: a label of the metric."""

    RECORDED = "recorded"
    REFUSED = "refused"
    KEY_REFUSED = "key_refused"
    UNAVAILABLE = "unavailable"


def surface_of(path: str) -> str:
    """Return under which name the requests for *path* are counted."""
    if path in _OPERATORS_PATHS:
        return OPERATIONS
    if not path.startswith("/v1/"):
        return PAGES
    if path == "/v1/stream":
        return STREAM
    return DOCUMENTS if _DOCUMENT.fullmatch(path) else API


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
        self.conflicts = Counter(
            "reporting_conflicts", "Records whose id is stored with another content", ["topic"], registry=registry
        )
        self.state = StateMetrics(registry, (topic.name for topic in TOPICS_CONSUMED))
        self.batch_seconds = Histogram(
            "reporting_batch_seconds",
            "Time to read and store a batch",
            ["topic"],
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self._declare_lag(registry)
        self.documents = Counter("reporting_documents_made", "Annual reports made", ["format"], registry=registry)
        self.document_seconds = Histogram(
            "reporting_document_seconds",
            "Time to compile and lay out an annual report",
            ["format"],
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self._declare_reading(registry)
        self._declare_sealing(registry)
        self._declare_season(registry)
        self.answers = Counter(
            "reporting_answers", "Answers of officers to reports", ["answer", "outcome"], registry=registry
        )
        self._create_series()
        self.show_lag({})

    def _declare_reading(self, registry: CollectorRegistry) -> None:
        self.refusals = Counter(
            "reporting_reads_refused", "Requests refused to their reader", ["reason"], registry=registry
        )
        self.readers = Gauge("reporting_readers", "Readers whose key is in force", registry=registry)
        self.access_ends_at = Gauge(
            "reporting_access_ends_timestamp_seconds",
            "When the first key of a reader ends that is in force, in Unix time; +Inf if none ever does",
            registry=registry,
        )
        self.stream_readers = Gauge(
            "reporting_stream_readers", "Readers connected to the stream of changes", registry=registry
        )
        self.standby_active = Gauge(
            "reporting_standby_active",
            "1 while the standby database answers, 0 while the first one does",
            registry=registry,
        )

    def _declare_sealing(self, registry: CollectorRegistry) -> None:
        self.seals = Counter("reporting_seals", "Requests to seal a report", ["outcome"], registry=registry)
        self.last_seal = Gauge(
            "reporting_last_seal_timestamp_seconds",
            "When the newest version of any report was sealed, in seconds since 1970, NaN while none is known",
            registry=registry,
        )
        self.last_seal.set(float("nan"))
        self._last_sealed_at = 0.0

    def _declare_lag(self, registry: CollectorRegistry) -> None:
        self.received_to_dashboard = DelayHistogram(
            "reporting_received_to_dashboard_seconds",
            "From the receipt of an event until pages and answers show what is stored of it, by topic",
            registry,
            label="topic",
            values=TOPICS,
        )
        self.lag = Gauge(
            "reporting_lag_records",
            "Records that the group has not committed, NaN while unknown",
            ["topic"],
            registry=registry,
        )
        self.oldest_unread = Gauge(
            "reporting_oldest_unread_seconds",
            "Age of the oldest record that the group has not committed, 0 if there is none, NaN while unknown",
            ["topic"],
            registry=registry,
        )

    def show_lag(self, lags: LagByPartition) -> None:
        """Set the gauges for how far the group is behind, topic by topic."""
        for label, topic in zip(TOPICS, TOPICS_CONSUMED, strict=True):
            lag = consumer_lag.add_up(lag for place, lag in lags.items() if place.topic == topic.name)
            self.lag.labels(label).set(lag.records)
            self.oldest_unread.labels(label).set(lag.oldest_unread_seconds)

    def _declare_season(self, registry: CollectorRegistry) -> None:
        self.season_duties = Gauge(
            "reporting_season_duties",
            "Duties of the seasons that run, over all plans, by status, NaN while unknown",
            ["status"],
            registry=registry,
        )
        self.season_due = Gauge(
            "reporting_season_due_timestamp_seconds",
            "The next due instant of any season, else the last one, in seconds since 1970; NaN while none is known",
            registry=registry,
        )
        self.forget_season()

    def show_season(self, statuses: Mapping[Status, int], due: float) -> None:
        """Set the gauges of the seasons that run; *due* is Unix time."""
        for status in Status:
            self.season_duties.labels(status.value).set(statuses.get(status, 0))
        self.season_due.set(due)

    def forget_season(self) -> None:
        """Show that nothing is known of any season."""
        for status in Status:
            self.season_duties.labels(status.value).set(math.nan)
        self.season_due.set(math.nan)

    def count_refusal(self, reason: RefusalReason) -> None:
        """Count a request that is refused to its reader."""
        self.refusals.labels(reason.value).inc()

    def note_seal(self, sealed_at: datetime) -> None:
        """Show when a version was sealed, by whatever process, unless a newer one is known."""
        self._last_sealed_at = max(self._last_sealed_at, sealed_at.timestamp())
        self.last_seal.set(self._last_sealed_at)

    def _create_series(self) -> None:
        """Create every series at zero: Prometheus sees no increase from an absent series to its first value."""
        for topic in TOPICS:
            for by_topic in (self.records, self.dead_letters, self.unreadable, self.conflicts, self.batch_seconds):
                by_topic.labels(topic)
        for seal_outcome in SealOutcome:
            self.seals.labels(seal_outcome.value)
        for reason in RefusalReason:
            self.refusals.labels(reason.value)
        for answer in ANSWERS:
            for outcome in AnswerOutcome:
                self.answers.labels(answer, outcome.value)
        for document_format in FORMATS:
            self.documents.labels(document_format)
            self.document_seconds.labels(document_format)
