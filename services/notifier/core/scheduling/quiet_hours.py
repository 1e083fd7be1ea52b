"""Quiet hours: alerts go out only on working days, in the working hours of the people who read them.

A reminder that falls on a day off goes out on the working day before, because afterwards there would be less time to
act. Everything else waits for the next working day.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)


class WorkingDayCalendar(Protocol):
    """Knows on which days the offices of a registry work."""

    def is_working_day(self, day: date) -> bool: ...

    def next_working_day(self, day: date) -> date:
        """Return *day* if it is worked, else the next day that is."""
        ...

    def previous_working_day(self, day: date) -> date:
        """Return *day* if it is worked, else the last day before it that is."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingHours:
    """The local window [opens, closes] of a working day, both ends included, in which alerts may go out."""

    opens: time
    closes: time
    zone: ZoneInfo
    days: WorkingDayCalendar

    def is_open(self, at: datetime) -> bool:
        """Whether an alert may go out at *at*."""
        local = at.astimezone(self.zone)
        return self.opens <= local.time() <= self.closes and self.days.is_working_day(local.date())

    def next_open(self, at: datetime) -> datetime:
        """Return *at* if the window is open then, else the next instant at which it opens."""
        if self.is_open(at):
            return at
        local = at.astimezone(self.zone)
        day = local.date() if local.time() <= self.closes else local.date() + ONE_DAY
        return self._at_wall_time(self.days.next_working_day(day), self.opens, at)

    def last_open(self, at: datetime) -> datetime:
        """Return *at* if the window is open then, else the last instant before it at which it was open."""
        if self.is_open(at):
            return at
        local = at.astimezone(self.zone)
        day = local.date() if local.time() >= self.opens else local.date() - ONE_DAY
        return self._at_wall_time(self.days.previous_working_day(day), self.closes, at)

    def adjust(self, at: datetime, *, before: datetime | None = None) -> datetime:
        """Return when to send what is meant for *at*: the next open instant or, *before* a due instant, in time for it.

        Examples: a reminder for 23:00 of its due date goes out at 17:30 of that day, not on the next morning; one for
        Saturday morning goes out on Friday morning.
        """
        later = self.next_open(at)
        if before is None:
            return later
        local = at.astimezone(self.zone)
        if not self.days.is_working_day(local.date()):
            worked = self.days.previous_working_day(local.date())
            return self._at_wall_time(worked, min(max(local.time(), self.opens), self.closes), at)
        is_next_day_at_most = later.astimezone(self.zone).date() <= local.date() + ONE_DAY
        return later if later < before and is_next_day_at_most else self.last_open(at)

    def add_open_time(self, at: datetime, amount: timedelta) -> datetime:
        """Return the instant at which the window has been open for *amount* since *at*, the first open one for none."""
        begun = self.next_open(at)
        if self.opens >= self.closes:  # a window without length never adds up to anything
            return begun
        while (left := self._closing_of(begun) - begun) < amount:
            amount -= left
            begun = self.next_open(self._closing_of(begun) + timedelta(microseconds=1))
        return begun + amount

    def _closing_of(self, at: datetime) -> datetime:
        return self._at_wall_time(at.astimezone(self.zone).date(), self.closes, at)

    def _at_wall_time(self, day: date, wall: time, like: datetime) -> datetime:
        """Return the instant of *wall* time on *day* in the time zone of *like*."""
        return datetime.combine(day, wall, tzinfo=self.zone).astimezone(like.tzinfo)
