"""How much later a message went out than a notifier that needs no time would have sent it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.notifier.core.scheduling import schedule
from services.notifier.core.scheduling.schedule import SendingHours
from services.notifier.core.scheduling.scheduled_alert import DutyAlert


class SendingCause(StrEnum):
    """What an alert waited for: the verdict on an event, or the day that the plan names for it."""

    VERDICT = "verdict"
    DATE = "date"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingDelay:
    """From when the delay of a sent alert counts: since it was due, and since the event behind it was received.

    Both are within the sending hours: an alert that falls due in the night is due in the morning. `received_at` is None
    for an alert that waited for its day.
    """

    cause: SendingCause
    due_at: datetime
    received_at: datetime | None


def find_delay(one: DutyAlert, hours: SendingHours) -> SendingDelay | None:
    """Return from when the delay of an alert counts; None for one that an older notifier has scheduled."""
    assessed_at, received_at = one.origin.assessed_at, one.origin.received_at
    if assessed_at is None:
        return None
    due_at = schedule.set_send_at(one.alert, hours, assessed_at).send_at
    if one.alert.at > assessed_at:
        return SendingDelay(cause=SendingCause.DATE, due_at=due_at, received_at=None)
    begun_at = None if received_at is None else schedule.set_send_at(one.alert, hours, received_at).send_at
    return SendingDelay(cause=SendingCause.VERDICT, due_at=due_at, received_at=begun_at)
