"""ISO 8601 durations and their arithmetic on local (wall-clock) times; a month ends on its own last day.

Civil Code 2015 art. 148: a period of months or years ends on the corresponding day, or on the last day of the month
where there is none.
"""

from datetime import datetime, timedelta
from functools import lru_cache

import isodate

# A century. A longer duration is a typing mistake, and adding it to a date could leave the calendar.
LONGEST = timedelta(days=36525)

# Between two urgings. Who was away for ten years catches up with 90,000 of these intervals in less than a second.
SHORTEST_INTERVAL = timedelta(hours=1)

_ANCHOR = datetime(2000, 1, 1)  # noqa: DTZ001 - any local time will do: only the distance and direction from it count


@lru_cache(maxsize=1024)
def parse(text: str) -> timedelta | isodate.Duration:
    """Parse an ISO 8601 duration such as `P7D` or `P1M`; raise `ValueError` with the remedy if *text* is none.

    A duration that leaves the calendar or splits a month (`P0.5M`) is refused, because no date can be moved by it.
    """
    try:
        step = isodate.parse_duration(text)
        # A duration of months reaches further in one direction than in the other; both must stay within the calendar.
        reach = max(_ANCHOR - (_ANCHOR - step), (_ANCHOR + step) - _ANCHOR, key=abs)
    except (isodate.ISO8601Error, ValueError, TypeError, OverflowError) as cause:
        raise ValueError(f"{text!r} is not an ISO 8601 duration; write P7D for seven days, PT0S for at once") from cause
    if abs(reach) > LONGEST:
        raise ValueError(f"{text!r} is longer than a century; write P7D for seven days, P1M for a month")
    return step


def validate(text: str) -> str:
    """Return *text* unchanged if it is an ISO 8601 duration; raise `ValueError` otherwise."""
    parse(text)
    return text


def is_interval(text: str) -> bool:
    """Whether the duration *text* is at least `SHORTEST_INTERVAL`; raise `ValueError` if it is none."""
    return _ANCHOR + parse(text) >= _ANCHOR + SHORTEST_INTERVAL


def sign(text: str) -> int:
    """Return -1, 0 or 1 for a duration that is negative, zero or positive."""
    moved = _ANCHOR + parse(text)
    return (moved > _ANCHOR) - (moved < _ANCHOR)


def parse_elapsed(text: str) -> timedelta:
    """Parse a duration of a fixed length, such as `PT2H`; raise `ValueError` for one of months or years."""
    step = parse(text)
    if not isinstance(step, timedelta):
        raise ValueError(f"{text!r} has no fixed length; write PT2H for two hours, P1D for a day")  # noqa: TRY004 - as `parse`
    return step


def shift(local: datetime, text: str, *, back: bool = False) -> datetime:
    """Return the local time *text* after (or before) *local*. A day is a calendar unit, not 24 hours."""
    step = parse(text)
    return local - step if back else local + step


def format_days(days: int) -> str:
    """Format a number of days as an ISO 8601 duration: 7 as `P7D`, 0 as `PT0S`."""
    return f"P{days}D" if days else "PT0S"


def between(earlier: datetime, later: datetime) -> str:
    """Format the time from *earlier* to *later* as an ISO 8601 duration, in days where it is a whole number of them."""
    elapsed = later - earlier
    if elapsed % timedelta(days=1) == timedelta():
        return format_days(elapsed.days)
    return str(isodate.duration_isoformat(elapsed))
