"""The delay of an alert counts from when a notifier that is never late would have sent it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from schemas.events.assessments import StepKind
from schemas.events.event_origin import EventOrigin
from services.notifier.core.scheduling import sending_delay
from services.notifier.core.scheduling.schedule import SendingHours
from services.notifier.core.scheduling.scheduled_alert import DutyAlert
from services.notifier.core.scheduling.sending_delay import SendingCause
from tests.unit.notifier.digest_builders import an_alert
from tests.unit.notifier.schedule_builders import ALWAYS, OFFICE_HOURS, days

SECOND = timedelta(seconds=1)
NOON = days(-7) + timedelta(hours=12)  # 9 December begins at 17:00 UTC of the 8th, so this is noon in Viet Nam
EVENING = NOON + timedelta(hours=8)
NEXT_MORNING = NOON + timedelta(hours=19.5)


def an_alert_of(at: datetime, *, received_at: datetime | None, assessed_at: datetime | None) -> DutyAlert:
    """Return a notice that falls due at *at*."""
    alert = an_alert(StepKind.RECEIVED)
    scheduled = replace(alert.alert, at=at, send_at=at, due_at=None)
    return replace(alert, alert=scheduled, origin=EventOrigin(received_at=received_at, assessed_at=assessed_at))


@pytest.mark.parametrize(
    ("hours", "received_at", "due_at", "begun_at"),
    [(ALWAYS, EVENING, EVENING + SECOND, EVENING), (OFFICE_HOURS, EVENING, NEXT_MORNING, NEXT_MORNING)],
)
def test_what_an_event_causes_counts_from_the_event(
    hours: SendingHours, received_at: datetime, due_at: datetime, begun_at: datetime
) -> None:
    """From its verdict and from its receipt; a night in which nothing is sent does not count."""
    one = an_alert_of(received_at, received_at=received_at, assessed_at=received_at + SECOND)
    found = sending_delay.find_delay(one, hours)
    assert found is not None
    assert (found.cause, found.due_at, found.received_at) == (SendingCause.VERDICT, due_at, begun_at)


def test_what_waits_for_its_day_counts_from_that_day() -> None:
    """The event behind it was received long before, and has nothing to do with how late it is."""
    one = an_alert_of(NOON, received_at=days(-60), assessed_at=days(-60))
    found = sending_delay.find_delay(one, OFFICE_HOURS)
    assert found is not None
    assert (found.cause, found.due_at, found.received_at) == (SendingCause.DATE, NOON, None)


def test_an_adoption_has_no_receipt() -> None:
    """A plan is adopted by rules, not received by intake."""
    found = sending_delay.find_delay(an_alert_of(NOON, received_at=None, assessed_at=NOON), ALWAYS)
    assert found is not None
    assert (found.cause, found.received_at) == (SendingCause.VERDICT, None)


def test_what_an_older_notifier_has_scheduled_is_not_measured() -> None:
    """Its schedule does not say when the verdict was written."""
    assert sending_delay.find_delay(an_alert_of(NOON, received_at=None, assessed_at=None), ALWAYS) is None
