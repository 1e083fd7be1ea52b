"""ISO 8601 durations and their arithmetic on local dates, where a month ends on its own last day.

Civil Code 2015 art. 148: a period of months or years ends on the corresponding day, or on the last day of the month
where there is none.
"""

from datetime import datetime, timedelta
from functools import lru_cache

import isodate

_ANCHOR = datetime(2000, 1, 1)  # noqa: DTZ001 - any wall time does: only whether and which way it moves counts

LONGEST = timedelta(days=36525)
"""A century: a longer wait is a slip of the pen, and could run off the calendar."""

_ANCHOR = datetime(2000, 1, 1)  # noqa: DTZ001 - only distance and direction count


@lru_cache(maxsize=1024)
def parse(text: str) -> timedelta | isodate.Duration:
    """Return the duration that *text* writes; raise `ValueError` with the remedy where it writes none.

    One that leaves the calendar or splits a month (P0.5M) is none: no date could be moved by it.
    """
    try:
        step = isodate.parse_duration(text)
        reach = max(_ANCHOR - (_ANCHOR - step), (_ANCHOR + step) - _ANCHOR, key=abs)
    except (isodate.ISO8601Error, ValueError, TypeError, OverflowError) as cause:
        raise ValueError(f"{text!r} is not an ISO 8601 duration; write P7D for seven days, PT0S for at once") from cause
    if abs(reach) > LONGEST:
        raise ValueError(f"{text!r} is longer than a century; write P7D for seven days, P1M for a month")
    return step


def validate(text: str) -> str:
    """Return *text* unchanged if it is a duration; raise `ValueError` otherwise."""
    parse(text)
    return text


def sign(text: str) -> int:
    """Return -1, 0 or 1 as *text* goes back in time, stands still or goes forward."""
    moved = _ANCHOR + parse(text)
    return (moved > _ANCHOR) - (moved < _ANCHOR)


def shift(local: datetime, text: str, *, back: bool = False) -> datetime:
    """Return the wall time *text* after (or before) *local*: days and months are calendar units, not 24-hour spans."""
    step = parse(text)
    return local - step if back else local + step


def format_days(days: int) -> str:
    """Write a number of days as an ISO 8601 duration."""
    return f"P{days}D" if days else "PT0S"


def between(earlier: datetime, later: datetime) -> str:
    """Write the time from *earlier* to *later* as an ISO 8601 duration, in whole days where it is."""
    passed = later - earlier
    if passed % timedelta(days=1) == timedelta():
        return format_days(passed.days)
    return str(isodate.duration_isoformat(passed))
