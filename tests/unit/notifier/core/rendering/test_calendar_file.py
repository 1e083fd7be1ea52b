"""The deadline as a calendar entry, as a calendar program reads it."""

from datetime import UTC, date, timedelta
from typing import Any

from icalendar import Calendar

from schemas.events.assessments import StepKind
from services.notifier.core.rendering.render import RenderedMessage
from tests.unit.notifier.digest_builders import a_digest, an_alert, render_text
from tests.unit.notifier.letters_of_6766 import DUE, a_call, a_history, at, write_letter


def read_entry(mail: RenderedMessage) -> tuple[Any, Any]:
    """Return the calendar of a mail and its only entry."""
    assert mail.thread is not None
    assert mail.thread.calendar is not None
    calendar = Calendar.from_ical(mail.thread.calendar)
    (event,) = calendar.walk("VEVENT")
    return calendar, event


def test_a_deadline_at_the_end_of_a_day_is_an_entry_of_that_day() -> None:
    """The last good day, with the report in the title and an alarm the day before."""
    calendar, event = read_entry(write_letter(a_call(StepKind.REMINDER), now=at(8, 11)))
    assert (calendar["method"], event["dtstart"].dt, event["dtend"].dt) == (
        "PUBLISH",
        date(2024, 12, 9),
        date(2024, 12, 10),
    )
    assert event["summary"] == "Báo cáo Kế hoạch 6766 năm 2024: hết ngày 09/12/2024"
    assert "TRIGGER:-P1D" in calendar.to_ical().decode()


def test_a_deadline_with_an_hour_ends_at_that_hour() -> None:
    """It is written in UTC, so that no program has to know our time zone."""
    due = DUE + timedelta(hours=17)
    _, event = read_entry(write_letter(a_call(StepKind.REMINDER, due_at=due), now=at(8, 11)))
    assert event["dtend"].dt == due.astimezone(UTC)


def test_an_extension_replaces_the_entry_and_an_exemption_cancels_it() -> None:
    """The same identity with a higher sequence; a cancelled entry says so."""
    _, first = read_entry(write_letter(a_call(StepKind.REMINDER), now=at(8, 11)))
    _, moved = read_entry(write_letter(a_call(StepKind.EXTENSION, due_at=DUE + timedelta(days=10)), now=at(3)))
    calendar, ended = read_entry(write_letter(a_call(StepKind.EXEMPTION), now=at(4)))
    assert first["uid"] == moved["uid"] == ended["uid"]
    assert first["sequence"] < moved["sequence"] < ended["sequence"]
    assert moved["dtstart"].dt == date(2024, 12, 19)
    assert (calendar["method"], ended["status"]) == ("CANCEL", "CANCELLED")


def test_later_letters_and_letters_without_a_deadline_carry_no_entry() -> None:
    """Neither a second reminder nor an urging, nor a duty without a date."""
    reminded = {"h-tho-xuan": a_history(reminded=[at(8, 11)])}
    mails = (
        write_letter(a_call(StepKind.REMINDER), now=at(3), histories=reminded),
        write_letter(a_call(StepKind.URGING), now=at(10)),
        render_text(a_digest(an_alert(due_at=None, step="P7D"))),
    )
    assert [one.thread.calendar for one in mails if one.thread] == [None, None, None]


def test_agencies_that_are_told_the_same_have_entries_of_their_own() -> None:
    """A program that shows the calendars of two offices takes neither entry for the other one."""
    agencies = ("h-tho-xuan", "tp-thanh-hoa")
    files = [read_entry(write_letter(a_call(StepKind.REMINDER, one), now=at(8, 11))) for one in agencies]
    assert len({str(event["uid"]) for _, event in files}) == len(agencies)
    assert len({str(event["summary"]) for _, event in files}) == 1
