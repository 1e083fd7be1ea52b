"""Reporting periods: their text form (`2026-H1`, `2026-9M`, `2026-Q3`, `2026-07`, `2026-W07`), days and names in words.

Weeks are those of ISO 8601: they begin on Monday, and a week belongs to the year, half-year, quarter or month in which
its Thursday lies. So a year holds the weeks of its ISO year, 52 or 53.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

from schemas.plan.values import Bilingual, Language


class Recurrence(StrEnum):
    """How often an obligation falls due; `none` is a continuous duty, `once` a one-off."""

    YEAR = "year"
    HALF_YEAR = "half-year"
    NINE_MONTH = "nine-month"
    QUARTER = "quarter"
    MONTH = "month"
    WEEK = "week"
    ONCE = "once"
    NONE = "none"

    @property
    def is_periodic(self) -> bool:
        """Whether duties of this recurrence have a period, which distinguishes one duty from the next."""
        return self not in _WITHOUT_PERIODS


_WITHOUT_PERIODS = frozenset({Recurrence.ONCE, Recurrence.NONE})

MONTHS_OF = {
    Recurrence.YEAR: 12,
    Recurrence.HALF_YEAR: 6,
    Recurrence.NINE_MONTH: 9,
    Recurrence.QUARTER: 3,
    Recurrence.MONTH: 1,
}
"""The months of a period, for the recurrences whose periods consist of months."""

YEARS = range(1900, 2200)
"""The years that periods and questions about the past may be of."""

FORMS = "2026, 2026-H1, 2026-9M, 2026-Q3, 2026-07 or 2026-W07"
FORMS_VI = FORMS.replace(" or ", " hoặc ")
"""The text forms of a period, as messages name them in English and in Vietnamese."""

_PARTS = r"H[12]|9M|Q[1-4]|0[1-9]|1[0-2]|W(?:0[1-9]|[1-4][0-9]|5[0-3])"

# The text form of a period, for JSON Schemas.
PATTERN = rf"^(19|20|21)[0-9]{{2}}(-({_PARTS}))?$"

_SHOWN_CHARS = 40  # of a text that is no period, in the message: enough to recognise it

_PERIOD = re.compile(rf"(?P<year>(?:19|20|21)[0-9]{{2}})(?:-(?P<part>{_PARTS}))?")
_PART_OF_YEAR = re.compile(_PARTS)

_ROMAN = ("I", "II", "III", "IV")
_ORDINALS = ("first", "second", "third", "fourth")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

PLACE_OF_PERIOD = "{period}"
"""Where a title has its period, if not at its end."""

# A rhythm at the end of a title. With `hằng` it only says how often; alone it may belong to what stands before it.
_HOW_OFTEN = re.compile(r"[ ,]+(?:định kỳ )?(?:hằng|hàng|định kỳ|mỗi) (?:năm|quý|tháng|tuần)$", re.IGNORECASE)
_MONTHS_OF_YEAR = re.compile(r"[ ,]+(?:6|9|sáu|chín) tháng(?: (?:đầu|cuối) năm)?$", re.IGNORECASE)
_RHYTHM = re.compile(r"[ ,]+(?P<rhythm>năm|quý|tháng|tuần)$", re.IGNORECASE)
_BELONGS_TO_RHYTHM = re.compile(r"(?:đầu|cuối|giữa|trong|cả|một|nửa|từng)$", re.IGNORECASE)
_NUMBER = re.compile(r"\d$")

_WEEK = timedelta(weeks=1)
_TO_THURSDAY = timedelta(days=3)


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

    @property
    def year(self) -> int:
        """The year that the text names; the first ISO week of a year may begin in the December before it."""
        return int(self.text[:4])

    @property
    def part(self) -> str:
        """What follows the hyphen, for example `H1` or `07`; empty for a year."""
        return self.text[5:]

    @property
    def last_day(self) -> date:
        """The last day of the period."""
        return self.ends_on - timedelta(days=1)

    def covers(self, other: "Period") -> bool:
        """Whether *other* belongs to this period: it lies within it or, if it is a week, its Thursday does."""
        if other.recurrence is Recurrence.WEEK and self.recurrence is not Recurrence.WEEK:
            return self.starts_on <= other.starts_on + _TO_THURSDAY < self.ends_on
        return self.starts_on <= other.starts_on and other.ends_on <= self.ends_on


@lru_cache(maxsize=4096)  # a log names the same few periods millions of times
def parse(text: str) -> Period:
    """Parse the text of a period; raise `ValueError` naming the accepted forms if it is none."""
    match = _PERIOD.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:_SHOWN_CHARS]!r} is not a reporting period of 1900 to 2199; write {FORMS}")
    year, part = int(match["year"]), match["part"] or ""
    recurrence = recurrence_of_part(part)
    if recurrence is Recurrence.WEEK:
        return _parse_week(year, int(part[1:]))
    index = 1 if recurrence in _ONE_A_YEAR else int(part.lstrip("HQ"))
    return _period(year=year, index=index, recurrence=recurrence)


def recurrence_of_part(part: str) -> Recurrence:
    """Return the recurrence whose periods have *part* after the hyphen; raise `ValueError` if none has."""
    if not part:
        return Recurrence.YEAR
    if _PART_OF_YEAR.fullmatch(part) is None:
        raise ValueError(f"{part!r} names no part of a year; write H1, 9M, Q3, 07 or W07")
    return _RECURRENCE_BY_LETTER.get(part[0] if part != "9M" else part, Recurrence.MONTH)


def sort_key(text: str | None) -> tuple[date, date]:
    """Return the key by which the texts of periods sort in time, no period first; raise `ValueError` if it is none.

    Of two periods that begin on one day the shorter is over first: 2026-Q1 before 2026-H1.
    """
    if text is None:
        return date.min, date.min
    period = parse(text)
    return period.starts_on, period.ends_on


def within(outer: Period, recurrence: Recurrence) -> Iterator[Period]:
    """Yield the periods of *recurrence* that belong to *outer*, in order; none for one-off and continuous duties."""
    if not recurrence.is_periodic:
        return
    # The last week of a year may belong to the next one, and the first one to the year before.
    period = first_ending_after(outer.starts_on, recurrence)
    while period.starts_on < outer.ends_on:
        if outer.covers(period):
            yield period
        period = following(period)


def first_ending_after(day: date, recurrence: Recurrence) -> Period:
    """Return the period of *recurrence* that contains *day*; of nine months, from October on, the next one."""
    if recurrence is Recurrence.WEEK:
        return _week_of(day - timedelta(days=day.weekday()))
    if recurrence is Recurrence.NINE_MONTH:
        year = day.year + (day.month > MONTHS_OF[recurrence])
        return _period(year=year, index=1, recurrence=recurrence)
    return _period(year=day.year, index=(day.month - 1) // MONTHS_OF[recurrence] + 1, recurrence=recurrence)


def following(period: Period) -> Period:
    """Return the next period of the same recurrence."""
    return first_ending_after(period.ends_on, period.recurrence)


def before(period: Period, count: int) -> list[Period]:
    """Return the *count* periods of the same recurrence before *period*, the nearest first; fewer at the first year."""
    found: list[Period] = []
    while len(found) < count and (earlier := _preceding(found[-1] if found else period)).year in YEARS:
        found.append(earlier)
    return found


def year_before(period: Period) -> Period | None:
    """Return the same period a year earlier, `2025-Q3` for `2026-Q3`; None where there is no such period."""
    try:
        return parse(f"{period.year - 1:04d}{period.text[4:]}")
    except ValueError:  # before the first year that has periods, or a week 53 that the year before has not
        return None


def _preceding(period: Period) -> Period:
    if period.recurrence is Recurrence.WEEK:
        return _week_of(period.starts_on - _WEEK)
    if period.recurrence is Recurrence.NINE_MONTH:
        return _period(year=period.year - 1, index=1, recurrence=period.recurrence)
    return first_ending_after(period.starts_on - timedelta(days=1), period.recurrence)


def _parse_week(year: int, week: int) -> Period:
    try:
        monday = date.fromisocalendar(year, week, 1)
    except ValueError as cause:
        raise ValueError(f"{year} has 52 weeks, by ISO 8601; there is no {year}-W{week}") from cause
    return _week_of(monday)


def _week_of(monday: date) -> Period:
    year, week, _ = monday.isocalendar()
    text = f"{year:04d}-W{week:02d}"
    return Period(starts_on=monday, ends_on=monday + _WEEK, recurrence=Recurrence.WEEK, text=text)


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
        case Recurrence.NINE_MONTH:
            return f"{year:04d}-9M"
        case Recurrence.QUARTER:
            return f"{year:04d}-Q{index}"
        case Recurrence.MONTH:
            return f"{year:04d}-{index:02d}"
        case _:
            return f"{year:04d}"


_ONE_A_YEAR = frozenset({Recurrence.YEAR, Recurrence.NINE_MONTH})
_RECURRENCE_BY_LETTER = {
    "H": Recurrence.HALF_YEAR,
    "9M": Recurrence.NINE_MONTH,
    "Q": Recurrence.QUARTER,
    "W": Recurrence.WEEK,
}


def name_period(period: Period) -> Bilingual:
    """Return a period in words: `quý III năm 2026` and `the third quarter of 2026`."""
    year = period.year
    match period.recurrence:
        case Recurrence.HALF_YEAR:
            first = period.part == "H1"
            vi, en = ("đầu", "first") if first else ("cuối", "second")
            return Bilingual.of(vi=f"6 tháng {vi} năm {year}", en=f"the {en} half of {year}")
        case Recurrence.NINE_MONTH:
            return Bilingual.of(vi=f"9 tháng đầu năm {year}", en=f"the first nine months of {year}")
        case Recurrence.QUARTER:
            place = int(period.part[1:]) - 1
            return Bilingual.of(vi=f"quý {_ROMAN[place]} năm {year}", en=f"the {_ORDINALS[place]} quarter of {year}")
        case Recurrence.MONTH:
            month = int(period.part)
            return Bilingual.of(vi=f"tháng {month} năm {year}", en=f"{_MONTHS[month - 1]} {year}")
        case Recurrence.WEEK:
            week = int(period.part[1:])
            return Bilingual.of(vi=f"tuần {week} năm {year}", en=f"week {week} of {year}")
        case _:
            return Bilingual.of(vi=f"năm {year}", en=str(year))


@lru_cache(maxsize=1_024)
def add_period(title: str, period: str | None, language: Language = "vi") -> str:
    """Return *title* with its period, where it says `{period}` or at the end; no word is said twice.

    What the title says of the rhythm gives way to the period. A one-off duty has none.
    """
    if period is None:
        return (
            " ".join(title.replace(PLACE_OF_PERIOD, "").split()).rstrip(",;:–- ") if PLACE_OF_PERIOD in title else title
        )
    named = name_period(parse(period)).in_language(language)
    if PLACE_OF_PERIOD in title:
        return title.replace(PLACE_OF_PERIOD, named)
    stem = title.rstrip(".;, ")
    if language == "en":
        return f"{stem} for {named}"
    return _join_vietnamese(stem, named)


def _join_vietnamese(title: str, named: str) -> str:
    stem = _MONTHS_OF_YEAR.sub("", _HOW_OFTEN.sub("", title))
    first_word = named.partition(" ")[0]
    found = _RHYTHM.search(stem)
    if found is None:
        return f"{stem} {named}"
    before, rhythm = stem[: found.start()], found["rhythm"].casefold()
    if _NUMBER.search(before):  # `kế hoạch 5 năm` is no rhythm
        return f"{stem}, {named}" if rhythm == first_word else f"{stem} {named}"
    if rhythm == first_word or not _BELONGS_TO_RHYTHM.search(before):
        return f"{before} {named}"
    return f"{stem} {named}"
