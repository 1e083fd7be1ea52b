"""The metrics of the notifier. Label sets are closed and start at zero; no agency, address or id is ever a label."""

import math
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.events.topics import DELIVERIES, VERDICTS
from services.notifier.core.dispatch.refusals import RefusalFault
from services.notifier.core.scheduling.sending_delay import SendingCause
from services.notifier.ledger_documents import Backlog
from services.runtime.kafka import consumer_lag
from services.runtime.kafka.consumer_lag import LagByPartition
from services.runtime.metrics import SECONDS_BUCKETS
from services.runtime.observability.delays import DelayHistogram
from services.runtime.state.state_metrics import StateMetrics


class NotifierMetrics:
    """The metrics of one notifier process. *routes* are the names of its routes, as they are configured."""

    def __init__(self, registry: CollectorRegistry, routes: Sequence[str]) -> None:
        self.assessments = Counter(
            "notifier_assessments_followed", "Assessments taken into the ledger, the latest a duty", registry=registry
        )
        self.dead_letters = Counter("notifier_dead_letters", "Verdicts set aside as unreadable", registry=registry)
        self.conflicts = Counter(
            "notifier_conflicts", "Verdicts set aside because their revision has other content", registry=registry
        )
        self.state = StateMetrics(registry, (VERDICTS.name, DELIVERIES.name))
        self.attempts = Counter(
            "notifier_attempts",
            "Attempts at a delivery, by channel and outcome",
            ["channel", "outcome"],
            registry=registry,
        )
        self.seconds = Histogram(
            "notifier_attempt_seconds",
            "From the claim to the answer",
            ["channel"],
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self.refusals = Counter(
            "notifier_refusals",
            "Attempts that a server refused, by channel and by whose fault it was",
            ["channel", "fault"],
            registry=registry,
        )
        self._declare_delays(registry)
        self._declare_routes(registry, routes)
        self._declare_backlog(registry)
        self._declare_lag(registry)
        for channel in Channel:
            self.seconds.labels(channel.value)
            self.retrying.labels(channel.value)
            for outcome in AttemptOutcome:
                self.attempts.labels(channel.value, outcome.value)
            for fault in RefusalFault:
                self.refusals.labels(channel.value, fault.value)

    def _declare_delays(self, registry: CollectorRegistry) -> None:
        self.due_to_sent = DelayHistogram(
            "notifier_due_to_sent_seconds",
            "From when an alert was due, within the sending hours, until a server took it, by what it waited for",
            registry,
            label="cause",
            values=SendingCause,
        )
        self.received_to_sent = DelayHistogram(
            "notifier_received_to_sent_seconds",
            "From the receipt of an event, within the sending hours, until a server took the alert about it",
            registry,
            label="channel",
            values=Channel,
        )

    def _declare_routes(self, registry: CollectorRegistry, routes: Sequence[str]) -> None:
        self.route_open = Gauge(
            "notifier_route_open", "1 while nothing is sent on a route because it fails", ["route"], registry=registry
        )
        self.route_rate = Gauge(
            "notifier_route_messages_per_minute",
            "The rate to which a route is held, set or learnt; 0 where nothing bounds it",
            ["route"],
            registry=registry,
        )
        self.receipts_unreadable = Counter(
            "notifier_receipts_unreadable", "Delivery receipts in a form that is not understood", registry=registry
        )
        for name in routes:
            self.route_open.labels(name)
            self.route_rate.labels(name)

    def _declare_backlog(self, registry: CollectorRegistry) -> None:
        self.due_unsent = Gauge("notifier_due_unsent", "Alerts that are due and not sent", registry=registry)
        self.unreached = Gauge(
            "notifier_unreached", "Duties with an alert that is due and has nobody to go to", registry=registry
        )
        self.mailbox_open = Gauge(
            "notifier_return_mailbox_open",
            "1 while the return mailbox can be read, else 0, NaN where there is none",
            registry=registry,
        )
        self.mailbox_open.set(math.nan)
        self.suspended = Gauge(
            "notifier_suspended_contacts", "Contacts to whose address nothing is sent any more", registry=registry
        )
        self.retrying = Gauge(
            "notifier_retrying",
            "Deliveries whose last attempt failed and that are tried again",
            ["channel"],
            registry=registry,
        )
        self.unpublished = Gauge(
            "notifier_unpublished", "Deliveries whose events are not on the bus yet", registry=registry
        )

    def _declare_lag(self, registry: CollectorRegistry) -> None:
        self.lag = Gauge(
            "notifier_lag_records", "Verdicts that the group has not committed, NaN while unknown", registry=registry
        )
        self.oldest_unread = Gauge(
            "notifier_oldest_unread_seconds",
            "Age of the oldest verdict that the group has not committed, 0 if there is none, NaN while unknown",
            registry=registry,
        )
        self.show_lag({})

    def show_lag(self, lags: LagByPartition) -> None:
        """Set the gauges for how far the group is behind."""
        lag = consumer_lag.add_up(lags.values())
        self.lag.set(lag.records)
        self.oldest_unread.set(lag.oldest_unread_seconds)

    def show_backlog(self, backlog: Backlog) -> None:
        """Set the gauges for what is still to be done."""
        self.due_unsent.set(backlog.due_unsent)
        self.unreached.set(backlog.unreached)
        self.unpublished.set(backlog.unpublished)
        for channel, deliveries in backlog.retrying.items():
            self.retrying.labels(channel.value).set(deliveries)
