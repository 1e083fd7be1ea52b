"""Quiet hours: alerts go out only during the working day of the people who read them."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingHours:
    """The local window [opens, closes], both ends included, in which alerts may go out."""

    opens: time
    closes: time
    zone: ZoneInfo

    def is_open(self, at: datetime) -> bool:
        """Whether an alert may go out at *at*."""
        return self.opens <= at.astimezone(self.zone).time() <= self.closes

    def next_open(self, at: datetime) -> datetime:
        """Return *at* if the window is open then, else the next instant at which it opens."""
        local = at.astimezone(self.zone)
        if self.is_open(at):
            return at
        day = local if local.time() < self.opens else local + ONE_DAY
        return self._at_wall_time(day, self.opens).astimezone(at.tzinfo)

    def last_open(self, at: datetime) -> datetime:
        """Return *at* if the window is open then, else the last instant before it at which it was open."""
        local = at.astimezone(self.zone)
        if self.is_open(at):
            return at
        day = local if local.time() > self.closes else local - ONE_DAY
        return self._at_wall_time(day, self.closes).astimezone(at.tzinfo)

    def adjust(self, at: datetime, *, before: datetime | None = None) -> datetime:
        """Return when to send what is meant for *at*: the next open instant, or the last one if that misses *before*.

        Example: a reminder for 23:00 of its due date goes out at 17:30 of that day, not on the next morning.
        """
        later = self.next_open(at)
        if before is None or later < before:
            return later
        return self.last_open(at)

    def _at_wall_time(self, day: datetime, wall: time) -> datetime:
        return datetime.combine(day.date(), wall, tzinfo=self.zone)
