"""The deadlines of reports as calendar entries (RFC 5545), which go with the first letter that names them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from icalendar import Alarm, Calendar, Event

from schemas.events import ids
from schemas.events.assessments import StepKind
from services.notifier.core.rendering.letter_facts import Deadline, LetterFacts

_PRODUCT = "-//Don Doc//notifier//VI"
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEntry:
    """The deadline of one report: its title on the day, and what stands below it."""

    facts: LetterFacts
    summary: str
    description: str


def write_calendar(entries: Iterable[CalendarEntry], *, domain: str, now: datetime) -> str | None:
    """Return *entries* as a file; a later one of a duty replaces the one before, an exemption cancels it."""
    events = [_write_event(one, one.facts.deadline, domain=domain, now=now) for one in entries if one.facts.deadline]
    if not events:
        return None
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if all(one.get("status") == "CANCELLED" for one in events) else "PUBLISH")
    for event in events:
        calendar.add_component(event)
    return str(calendar.to_ical().decode())


def _write_event(entry: CalendarEntry, deadline: Deadline, *, domain: str, now: datetime) -> Event:
    """Return one entry. A deadline at the end of a day is an entry of that day, one with an hour ends at that hour."""
    facts, event = entry.facts, Event()
    event.add("uid", f"{ids.digest('deadline', str(facts.one.duty))[:40]}@{domain}")
    event.add("dtstamp", now.astimezone(UTC))
    # In minutes: what was written later counts, in whichever order the mails are opened.
    event.add("sequence", int(now.timestamp()) // 60)
    if facts.kind is StepKind.EXEMPTION:
        event.add("status", "CANCELLED")
    due_at = facts.one.alert.due_at
    if deadline.before is None or due_at is None:
        event.add("dtstart", deadline.last_day)
        event.add("dtend", deadline.last_day + _DAY)
    else:
        # In UTC, so that no time zone has to be described.
        event.add("dtstart", due_at.astimezone(UTC) - _HOUR)
        event.add("dtend", due_at.astimezone(UTC))
    event.add("summary", entry.summary)
    event.add("description", entry.description)
    event.add("transp", "TRANSPARENT")
    if facts.kind is not StepKind.EXEMPTION:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("trigger", -_DAY)
        alarm.add("description", entry.summary)
        event.add_component(alarm)
    return event
