"""Alerts go out in the working day of the people who read them."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from schemas.plan.registry import WorkingDays
from services.notifier.core.scheduling.schedule import SendingHours

HOURS = SendingHours(opens=time(7, 30), closes=time(17, 30), zone=ZoneInfo("Asia/Ho_Chi_Minh"), days=WorkingDays())


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


def at_2026(text: str) -> datetime:
    """Return an instant of 2026 in Viet Nam, written `month-day hour:minute`."""
    return datetime.strptime(f"2026-{text} +0700", "%Y-%m-%d %H:%M %z")


@pytest.mark.parametrize(
    ("meant", "sent"),
    [
        ("04-30 00:00", "04-29 07:30"),
        ("05-03 09:15", "04-29 09:15"),
        ("05-02 23:00", "04-29 17:30"),
        ("04-29 23:00", "04-29 17:30"),
        ("04-28 23:00", "04-29 07:30"),
        ("01-10 00:00", "01-10 07:30"),
    ],
)
def test_a_reminder_for_a_day_off_goes_out_on_the_working_day_before(meant: str, sent: str) -> None:
    """Case s09: from 30 April to 3 May nobody works; Saturday 10 January is a swapped working day."""
    assert HOURS.adjust(at_2026(meant), before=at_2026("12-31 00:00")) == at_2026(sent)


@pytest.mark.parametrize(
    ("meant", "sent"),
    [("05-01 00:00", "05-04 07:30"), ("04-29 18:00", "05-04 07:30"), ("01-02 10:00", "01-05 07:30")],
)
def test_everything_else_waits_for_the_next_working_day(meant: str, sent: str) -> None:
    """An urging of the holidays waits for Monday 4 May."""
    assert HOURS.adjust(at_2026(meant)) == at_2026(sent)
    assert not HOURS.is_open(at_2026("05-01 10:00"))


@pytest.mark.parametrize(
    ("since", "amount", "until"),
    [
        ("12-10 00:00", timedelta(hours=2), "12-10 09:30"),
        ("12-10 16:30", timedelta(hours=2), "12-11 08:30"),
        ("04-30 00:00", timedelta(hours=2), "05-04 09:30"),
        ("04-29 17:00", timedelta(hours=11), "05-05 08:00"),
        ("12-10 00:00", timedelta(), "12-10 07:30"),
    ],
)
def test_open_time_is_counted_within_the_sending_hours_of_working_days(
    since: str, amount: timedelta, until: str
) -> None:
    """Two hours from midnight on are over at half past nine; nights, weekends and holidays do not count."""
    assert HOURS.add_open_time(at_2026(since), amount) == at_2026(until)


def test_a_window_without_length_adds_nothing() -> None:
    """Where the window opens and closes at one instant, waiting for time in it would never end."""
    moment = SendingHours(opens=time(8), closes=time(8), zone=HOURS.zone, days=HOURS.days)
    assert moment.add_open_time(at_2026("12-10 00:00"), timedelta(hours=2)) == at_2026("12-10 08:00")
