"""The attempts to deliver alerts, which the notifier publishes: `vn.dondoc.alert.*` on `dondoc.deliveries.v1`.

The events contain no address of any recipient.
"""

from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from schemas.events.assessments import StepKind

DELIVERED = "vn.dondoc.alert.attempted.v1"
ACKNOWLEDGED = "vn.dondoc.alert.acknowledged.v1"


class Channel(StrEnum):
    """The channel on which an alert is sent."""

    EMAIL = "email"
    SMS = "sms"


class AttemptOutcome(StrEnum):
    """How an attempt ended, or what became of it later.

    `accepted`: the server or centre took the message, and nothing more is known. `confirmed`: it reports that the
    recipient has it. `bounced`: it reports that the recipient will not get it. `complained`: the recipient reports it
    as unwanted. `expired`: nobody took it in time. `unknown`: the process died, or the connection broke, after the
    message was handed over and before the answer. `delivered` stands in older records and means `accepted`; it is read
    and not written.
    """

    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    EXPIRED = "expired"
    DELIVERED = "delivered"
    TEMPORARY_FAILURE = "temporary_failure"
    PERMANENT_FAILURE = "permanent_failure"
    TECHNICAL_FAILURE = "technical_failure"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    UNREACHABLE = "unreachable"


# The server has the message, for all that is known.
TAKEN = frozenset({AttemptOutcome.ACCEPTED, AttemptOutcome.DELIVERED, AttemptOutcome.CONFIRMED})

# What became of a message that was sent before; it was not sent again.
REPORTED = frozenset(
    {AttemptOutcome.CONFIRMED, AttemptOutcome.BOUNCED, AttemptOutcome.COMPLAINED, AttemptOutcome.EXPIRED}
)


class AlertedDuty(BaseModel):
    """One duty that an alert is about, and the reason for the alert.

    `as_successor`: the reader is told because the agency has ended and the reader stands in its place.
    """

    model_config = ConfigDict(frozen=True)

    plan: str
    agency: str
    obligation: str
    period: str | None
    kind: StepKind
    step: str
    due_at: datetime | None
    as_successor: bool = False


class AlertAttempted(BaseModel):
    """One attempt at one alert on one channel.

    `to_agency` is an agency id or the name of a contact list, never an address. `delivery` is the same for all attempts
    at one recipient and `route` names the provider. `template` names the words with their version, `template_digest` is
    that of their files and `text_digest` that of the text which the notifier keeps. `instead_of` is the delivery on an
    earlier channel whose address nobody has. All are absent from older records.
    """

    model_config = ConfigDict(frozen=True)

    alert: str
    channel: Channel
    to_agency: str
    kind: StepKind
    step: str
    duties: tuple[AlertedDuty, ...]
    attempt: int
    outcome: AttemptOutcome
    reason: str | None = None
    attempted_at: datetime
    message_id: str | None = None
    segments: int | None = None
    delivery: str | None = None
    route: str | None = None
    template: str | None = None
    template_digest: str | None = None
    text_digest: str | None = None
    instead_of: str | None = None


class AlertAcknowledged(BaseModel):
    """An agency says that it has read an alert about `duties`, and may name the day on which it will report.

    It changes no deadline and no status.
    """

    model_config = ConfigDict(frozen=True)

    agency: str
    duties: tuple[AlertedDuty, ...]
    alert: str
    promised_on: date | None = None
