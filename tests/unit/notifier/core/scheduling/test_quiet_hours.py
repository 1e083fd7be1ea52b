"""Alerts go out in the working day of the people who read them."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from services.notifier.core.scheduling.quiet_hours import SendingHours

HOURS = SendingHours(opens=time(7, 30), closes=time(17, 30), zone=ZoneInfo("Asia/Ho_Chi_Minh"))


def at(text: str) -> datetime:
    """Return an instant of December 2026 in Viet Nam, written `day hour:minute`."""
    return datetime.strptime(f"2026-12-{text} +0700", "%Y-%m-%d %H:%M %z")


@pytest.mark.parametrize(
    ("meant", "sent"),
    [
        ("03 00:00", "03 07:30"),
        ("03 07:30", "03 07:30"),
        ("03 12:00", "03 12:00"),
        ("03 17:30", "03 17:30"),
        ("03 17:31", "04 07:30"),
        ("03 23:59", "04 07:30"),
    ],
)
def test_an_alert_in_the_quiet_hours_waits_for_the_next_opening(meant: str, sent: str) -> None:
    """Both ends of the window are open; before it the opening is on the same day, after it on the next."""
    assert at(sent) == HOURS.adjust(at(meant))


def test_a_reminder_is_moved_forward_while_that_is_before_the_due_instant() -> None:
    """A reminder of the last night goes out on the last morning."""
    assert at("09 07:30") == HOURS.adjust(at("09 00:00"), before=at("10 00:00"))


@pytest.mark.parametrize(("meant", "sent"), [("09 23:00", "09 17:30"), ("10 02:00", "09 17:30")])
def test_a_reminder_never_passes_its_due_instant(meant: str, sent: str) -> None:
    """A reminder for the hour before the end of 9 December goes out on that afternoon, not on the 10th."""
    assert at(sent) == HOURS.adjust(at(meant), before=at("10 05:00"))


def test_an_alert_in_the_sending_hours_is_not_moved() -> None:
    """An alert within the window stays where it is, even if the next opening would be too late."""
    assert at("09 16:00") == HOURS.adjust(at("09 16:00"), before=at("09 12:00"))
