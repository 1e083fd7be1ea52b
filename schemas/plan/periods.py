"""Reporting periods: their text form (`2026`, `2026-H1`, `2026-Q3`, `2026-07`) and the days they cover."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache


class Recurrence(StrEnum):
    """How often an obligation falls due; `none` is a continuous duty, `once` a one-off."""

    YEAR = "year"
    HALF_YEAR = "half-year"
    QUARTER = "quarter"
    MONTH = "month"
    ONCE = "once"
    NONE = "none"

    @property
    def is_periodic(self) -> bool:
        """Whether duties of this recurrence have a period, which distinguishes one duty from the next."""
        return self in MONTHS_OF


MONTHS_OF = {Recurrence.YEAR: 12, Recurrence.HALF_YEAR: 6, Recurrence.QUARTER: 3, Recurrence.MONTH: 1}

# The text form of a period, for JSON Schemas.
YEARS = range(1900, 2200)
"""The years that periods and questions about the past may be of."""

PATTERN = r"^(19|20|21)[0-9]{2}(-(H[12]|Q[1-4]|0[1-9]|1[0-2]))?$"

_PERIOD = re.compile(
    r"(?P<year>(?:19|20|21)[0-9]{2})(?:-(?:H(?P<half>[12])|Q(?P<quarter>[1-4])|(?P<month>0[1-9]|1[0-2])))?"
)


def first_of_month(year: int, month: int) -> date:
    """Return the first day of *month*; month 13 is January of the next year, month 0 December of the year before."""
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Period:
    """A reporting period: the half-open span of local dates [starts_on, ends_on)."""

    starts_on: date
    ends_on: date
    recurrence: Recurrence
    text: str

    def __str__(self) -> str:
        return self.text

    def covers(self, other: "Period") -> bool:
        """Whether *other* lies wholly within this period."""
        return self.starts_on <= other.starts_on and other.ends_on <= self.ends_on


@lru_cache(maxsize=4096)  # a log names the same few periods millions of times
def parse(text: str) -> Period:
    """Parse the text of a period; raise `ValueError` naming the accepted forms if it is none."""
    match = _PERIOD.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a reporting period of 1900 to 2199; write 2026, 2026-H1, 2026-Q3 or 2026-07")
    year = int(match["year"])
    if match["half"]:
        return _period(year=year, index=int(match["half"]), recurrence=Recurrence.HALF_YEAR)
    if match["quarter"]:
        return _period(year=year, index=int(match["quarter"]), recurrence=Recurrence.QUARTER)
    if match["month"]:
        return _period(year=year, index=int(match["month"]), recurrence=Recurrence.MONTH)
    return _period(year=year, index=1, recurrence=Recurrence.YEAR)


def within(outer: Period, recurrence: Recurrence) -> Iterator[Period]:
    """Yield the periods of *recurrence* that lie within *outer*, in order; none for one-off and continuous duties."""
    if recurrence not in MONTHS_OF:
        return
    for index in range(1, 12 // MONTHS_OF[recurrence] + 1):
        period = _period(year=outer.starts_on.year, index=index, recurrence=recurrence)
        if outer.covers(period):
            yield period


def containing(day: date, recurrence: Recurrence) -> Period:
    """Return the period of *recurrence* that contains *day*."""
    return _period(year=day.year, index=(day.month - 1) // MONTHS_OF[recurrence] + 1, recurrence=recurrence)


def following(period: Period) -> Period:
    """Return the next period of the same recurrence."""
    return containing(period.ends_on, period.recurrence)


def before(period: Period, count: int) -> list[Period]:
    """Return the *count* periods of the same recurrence before *period*, the nearest first; fewer at the first year."""
    found: list[Period] = []
    day = period.starts_on - timedelta(days=1)
    while len(found) < count and day.year in YEARS:
        found.append(containing(day, period.recurrence))
        day = found[-1].starts_on - timedelta(days=1)
    return found


def _period(*, year: int, index: int, recurrence: Recurrence) -> Period:
    months = MONTHS_OF[recurrence]
    return Period(
        starts_on=first_of_month(year, (index - 1) * months + 1),
        ends_on=first_of_month(year, index * months + 1),
        recurrence=recurrence,
        text=_format(year, index, recurrence),
    )


def _format(year: int, index: int, recurrence: Recurrence) -> str:
    match recurrence:
        case Recurrence.HALF_YEAR:
            return f"{year:04d}-H{index}"
        case Recurrence.QUARTER:
            return f"{year:04d}-Q{index}"
        case Recurrence.MONTH:
            return f"{year:04d}-{index:02d}"
        case _:
            return f"{year:04d}"
