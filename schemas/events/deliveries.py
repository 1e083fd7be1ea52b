"""What the notifier did, without addresses: `vn.dondoc.alert.*` on `dondoc.deliveries.v1`."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from schemas.events.assessments import StepKind

DELIVERED = "vn.dondoc.alert.attempted.v1"


class Channel(StrEnum):
    """How an alert travels."""

    EMAIL = "email"
    SMS = "sms"


class AttemptOutcome(StrEnum):
    """How an attempt ended; `unknown` is a crash between the claim and the answer."""

    DELIVERED = "delivered"
    TEMPORARY_FAILURE = "temporary_failure"
    PERMANENT_FAILURE = "permanent_failure"
    TECHNICAL_FAILURE = "technical_failure"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    UNREACHABLE = "unreachable"


class AlertedDuty(BaseModel):
    """One duty that an alert speaks of, and why."""

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

    `to_agency` is an agency id or a contact list; there is no address in it.
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
