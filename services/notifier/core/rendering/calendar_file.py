"""The deadlines of reports as calendar entries (RFC 5545), which go with the first letter that names them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from icalendar import Alarm, Calendar, Event

from schemas.events import ids
from schemas.events.assessments import StepKind
from services.notifier.core.rendering.letter_facts import Deadline, LetterFacts

_PRODUCT = "-//Don Doc//notifier//VI"
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_UID_DIGITS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEntry:
    """The deadline of one report: its title on the day, and what stands below it."""

    facts: LetterFacts
    summary: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _EventText:
    """All that an entry says but which duty it is about. `hour` is None for a deadline at the end of a day."""

    summary: str
    description: str
    last_day: date
    hour: datetime | None
    is_cancelled: bool


def write_calendar(entries: Iterable[CalendarEntry], *, domain: str, now: datetime) -> str | None:
    """Return *entries* as a file; a later one of a duty replaces the one before, an exemption cancels it."""
    dated = [(one, one.facts.deadline) for one in entries if one.facts.deadline]
    if not dated:
        return None
    texts = tuple(_describe_event(one, deadline) for one, deadline in dated)
    file = _write_file(texts, domain, now.astimezone(UTC).replace(second=0, microsecond=0))
    for number, (one, _) in enumerate(dated):
        identity = ids.digest("deadline", str(one.facts.one.duty))[:_UID_DIGITS]
        file = file.replace(_hold_place(number), identity)
    return file


def _describe_event(entry: CalendarEntry, deadline: Deadline) -> _EventText:
    due_at = entry.facts.one.alert.due_at
    return _EventText(
        summary=entry.summary,
        description=entry.description,
        last_day=deadline.last_day,
        hour=None if deadline.before is None else due_at,
        is_cancelled=entry.facts.kind is StepKind.EXEMPTION,
    )


def _hold_place(number: int) -> str:
    """Return what stands for the identity of the duty of entry *number*; it is as long, so no line is folded anew."""
    return f"{number:0{_UID_DIGITS}}"


# All agencies that owe the same report are told the same, and writing a file takes the library half a millisecond.
@lru_cache(maxsize=256)
def _write_file(events: tuple[_EventText, ...], domain: str, minute: datetime) -> str:
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if all(one.is_cancelled for one in events) else "PUBLISH")
    for number, one in enumerate(events):
        calendar.add_component(_write_event(one, f"{_hold_place(number)}@{domain}", minute))
    return str(calendar.to_ical().decode())


def _write_event(text: _EventText, uid: str, minute: datetime) -> Event:
    """Return one entry. A deadline at the end of a day is an entry of that day, one with an hour ends at that hour."""
    event = Event()
    event.add("uid", uid)
    event.add("dtstamp", minute)
    # In minutes: what was written later counts, in whichever order the mails are opened.
    event.add("sequence", int(minute.timestamp()) // 60)
    if text.is_cancelled:
        event.add("status", "CANCELLED")
    if text.hour is None:
        event.add("dtstart", text.last_day)
        event.add("dtend", text.last_day + _DAY)
    else:
        # In UTC, so that no time zone has to be described.
        event.add("dtstart", text.hour.astimezone(UTC) - _HOUR)
        event.add("dtend", text.hour.astimezone(UTC))
    event.add("summary", text.summary)
    event.add("description", text.description)
    event.add("transp", "TRANSPARENT")
    if not text.is_cancelled:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("trigger", -_DAY)
        alarm.add("description", text.summary)
        event.add_component(alarm)
    return event
