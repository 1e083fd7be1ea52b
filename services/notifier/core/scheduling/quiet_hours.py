"""Quiet hours: alerts go out in the recipient's working day only."""

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
        """Return *at*, or the next instant at which the window opens."""
        local = at.astimezone(self.zone)
        if self.is_open(at):
            return at
        day = local if local.time() < self.opens else local + ONE_DAY
        return self._on(day, self.opens).astimezone(at.tzinfo)

    def last_open(self, at: datetime) -> datetime:
        """Return *at*, or the last instant before it at which the window was open."""
        local = at.astimezone(self.zone)
        if self.is_open(at):
            return at
        day = local if local.time() > self.closes else local - ONE_DAY
        return self._on(day, self.closes).astimezone(at.tzinfo)

    def moved(self, at: datetime, *, before: datetime | None = None) -> datetime:
        """Return when to send what is meant for *at*: the next open instant; the last where that misses *before*."""
        later = self.next_open(at)
        if before is None or later < before:
            return later
        return self.last_open(at)

    def _on(self, day: datetime, wall: time) -> datetime:
        return datetime.combine(day.date(), wall, tzinfo=self.zone)
