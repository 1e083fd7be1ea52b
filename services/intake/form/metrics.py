"""The metrics of the form: requests by outcome, a closed set."""

from enum import Enum

from prometheus_client import CollectorRegistry, Counter


class FormOutcome(Enum):
    """The outcome of one request to the form."""

    SHOWN = "shown"
    FAULTY = "faulty"
    CHECKED = "checked"
    INCOMPLETE = "incomplete"
    SENT = "sent"
    RECEIPT = "receipt"
    NO_LINK = "no_link"
    EXPIRED = "expired"
    REVOKED = "revoked"
    NO_DUTY = "no_duty"
    REFUSED = "refused"
    UNKEPT = "unkept"


class FormMetrics:
    """The metrics of the form in one intake process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter("intake_form_requests", "Requests to the form", ["outcome"], registry=registry)
        for outcome in FormOutcome:
            self._requests.labels(outcome.value)

    def count(self, outcome: FormOutcome) -> None:
        """Count one request."""
        self._requests.labels(outcome.value).inc()
