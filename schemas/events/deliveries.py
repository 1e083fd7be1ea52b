"""The attempts to deliver alerts, which the notifier publishes: `vn.dondoc.alert.*` on `dondoc.deliveries.v1`.

The events contain no address of any recipient.
"""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from schemas.events.assessments import StepKind

DELIVERED = "vn.dondoc.alert.attempted.v1"


class Channel(StrEnum):
    """The channel on which an alert is sent."""

    EMAIL = "email"
    SMS = "sms"


class AttemptOutcome(StrEnum):
    """How an attempt ended; `unknown` if the process died between claiming it and recording the server's answer."""

    DELIVERED = "delivered"
    TEMPORARY_FAILURE = "temporary_failure"
    PERMANENT_FAILURE = "permanent_failure"
    TECHNICAL_FAILURE = "technical_failure"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    UNREACHABLE = "unreachable"


class AlertedDuty(BaseModel):
    """One duty that an alert is about, and the reason for the alert."""

    model_config = ConfigDict(frozen=True)

    plan: str
    agency: str
    obligation: str
    period: str | None
    kind: StepKind
    step: str
    due_at: datetime | None


class AlertAttempted(BaseModel):
    """One attempt at one alert on one channel.

    `to_agency` is an agency id or the name of a contact list, never an address.
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
