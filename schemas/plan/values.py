"""Value types that documents and events consist of: ids, instants, local dates, durations, bilingual text.

An instant of the system lies within reach: in the years 1000 to 2999 of UTC, as the dates of plans do. Within reach no
time zone, no shift by a duration (at most a century) and no step to the instant before can leave Python's calendar. An
instant further away, such as the end `9999-12-31T23:59:59Z` of an exemption that is meant to have none, counts as the
nearest one within reach.

Durations (ISO 8601) shift local times, and a month ends on its own last day. Civil Code 2015 art. 148: a period of
months or years ends on the corresponding day, or on the last day of the month where there is none.
"""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Annotated, Literal

import isodate
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, WithJsonSchema

from schemas.text import normal_form

Language = Literal["en", "vi"]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
NonBlank = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Alias = Annotated[NonBlank, AfterValidator(normal_form.normalize)]
"""Another name of an agency, in Unicode NFC as the names in all events are."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$")]
MediaType = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+$")]

# Far enough from the ends of Python's calendar (1 and 9999) that no date arithmetic overflows.
FIRST_YEAR, LAST_YEAR = 1000, 2999
EARLIEST = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
LATEST = datetime(LAST_YEAR, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)

# A century. A longer duration is a typing mistake, and adding it to a date could leave the calendar.
LONGEST_DURATION = timedelta(days=36525)

# Between two urgings. Who was away for ten years catches up with 90,000 of these intervals in less than a second.
SHORTEST_INTERVAL = timedelta(hours=1)

_ANCHOR = datetime(2000, 1, 1)  # noqa: DTZ001 - any local time will do: only the distance and direction from it count

# ASCII: elsewhere `\d` matches the digits of every script, which RFC 3339 does not know.
_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})?", re.ASCII)
_LOCAL_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def parse_instant(text: str) -> datetime:
    """Parse an RFC 3339 instant and return it in UTC; raise `ValueError` with the remedy if *text* is none."""
    try:
        # RFC 3339 allows a lower-case t and z (section 5.6); `fromisoformat` reads only Z.
        instant = datetime.fromisoformat(text.upper())
    except ValueError as cause:
        raise ValueError(f"{text!r} is not an RFC 3339 instant; write 2026-12-09T23:59:00+07:00") from cause
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no offset; write 2026-12-09T23:59:00+07:00")
    return move_to_zone(instant, UTC)


def move_to_zone(instant: datetime, zone: tzinfo) -> datetime:
    """Convert *instant* to *zone*; one out of reach becomes the nearest instant within reach."""
    if FIRST_YEAR < instant.year < LAST_YEAR:  # surely within reach, whatever its offset
        return instant.astimezone(zone)
    return min(max(instant, EARLIEST), LATEST).astimezone(zone)


def is_in_reach(instant: datetime) -> bool:
    """Whether *instant* is one that the system reckons with."""
    return FIRST_YEAR < instant.year < LAST_YEAR or EARLIEST <= instant <= LATEST


@lru_cache(maxsize=1024)
def parse_duration(text: str) -> timedelta | isodate.Duration:
    """Parse an ISO 8601 duration such as `P7D` or `P1M`; raise `ValueError` with the remedy if *text* is none.

    A duration that leaves the calendar or splits a month (`P0.5M`) is refused, because no date can be moved by it.
    """
    try:
        step = isodate.parse_duration(text)
        # A duration of months reaches further in one direction than in the other; both must stay within the calendar.
        reach = max(_ANCHOR - (_ANCHOR - step), (_ANCHOR + step) - _ANCHOR, key=abs)
    except (isodate.ISO8601Error, ValueError, TypeError, OverflowError) as cause:
        raise ValueError(f"{text!r} is not an ISO 8601 duration; write P7D for seven days, PT0S for at once") from cause
    if abs(reach) > LONGEST_DURATION:
        raise ValueError(f"{text!r} is longer than a century; write P7D for seven days, P1M for a month")
    return step


def validate_duration(text: str) -> str:
    """Return *text* unchanged if it is an ISO 8601 duration; raise `ValueError` otherwise."""
    parse_duration(text)
    return text


def is_interval(text: str) -> bool:
    """Whether the duration *text* is at least `SHORTEST_INTERVAL`; raise `ValueError` if it is none."""
    return _ANCHOR + parse_duration(text) >= _ANCHOR + SHORTEST_INTERVAL


def find_sign(text: str) -> int:
    """Return -1, 0 or 1 for a duration that is negative, zero or positive."""
    moved = _ANCHOR + parse_duration(text)
    return (moved > _ANCHOR) - (moved < _ANCHOR)


def parse_elapsed(text: str) -> timedelta:
    """Parse a duration of a fixed length, such as `PT2H`; raise `ValueError` for one of months or years."""
    step = parse_duration(text)
    if not isinstance(step, timedelta):
        raise ValueError(f"{text!r} has no fixed length; write PT2H for two hours, P1D for a day")  # noqa: TRY004 - as `parse_duration`
    return step


def shift(local: datetime, text: str, *, back: bool = False) -> datetime:
    """Return the local time *text* after (or before) *local*. A day is a calendar unit, not 24 hours."""
    step = parse_duration(text)
    return local - step if back else local + step


def format_days(days: int) -> str:
    """Format a number of days as an ISO 8601 duration: 7 as `P7D`, 0 as `PT0S`."""
    return f"P{days}D" if days else "PT0S"


def format_elapsed(earlier: datetime, later: datetime) -> str:
    """Format the time from *earlier* to *later* as an ISO 8601 duration, in days where it is a whole number of them."""
    elapsed = later - earlier
    if elapsed % timedelta(days=1) == timedelta():
        return format_days(elapsed.days)
    return str(isodate.duration_isoformat(elapsed))


def _require_rfc3339(value: object) -> object:
    """Refuse numbers, also in a string: pydantic would take them for an epoch, in seconds or in milliseconds."""
    if isinstance(value, datetime) or (isinstance(value, str) and _RFC3339.fullmatch(value)):
        return value
    raise ValueError("write an RFC 3339 instant such as 2026-12-09T23:59:00+07:00")


def _require_offset(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("the time has no offset; write it as RFC 3339, for example 2026-12-09T23:59:00+07:00")
    return value


def _require_year_in_range(value: date) -> date:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"{value} lies out of reach; write a date from {FIRST_YEAR} to {LAST_YEAR}")
    return value


def _require_local_date(value: object) -> object:
    # Asked first, because in Python a datetime is a date.
    if isinstance(value, datetime):
        raise ValueError("write a local date such as 2026-12-09, without a time")  # noqa: TRY004 - pydantic reports ValueError
    if isinstance(value, date) or (isinstance(value, str) and _LOCAL_DATE.fullmatch(value)):
        return value
    raise ValueError("write a local date such as 2026-12-09")


# An RFC 3339 instant with an offset.
Instant = Annotated[datetime, BeforeValidator(_require_rfc3339), AfterValidator(_require_offset)]

# A calendar date in the plan's zone, ISO 8601, quoted or not.
LocalDate = Annotated[date, BeforeValidator(_require_local_date), AfterValidator(_require_year_in_range)]

# An ISO 8601 duration, kept as its author wrote it: `P7D`, `PT0S`, `P1M`.
IsoDuration = Annotated[
    str, AfterValidator(validate_duration), WithJsonSchema({"type": "string", "format": "duration"})
]


class Bilingual(BaseModel):
    """A text in Vietnamese, and in English if there is a translation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vi: NonBlank
    en: NonBlank | None = None

    @classmethod
    def of(cls, *, en: str, vi: str) -> "Bilingual":
        """Build a text without validation: one of the program's own, which may repeat what a user wrote."""
        return cls.model_construct(vi=vi, en=en)

    def in_language(self, language: str) -> str:
        """Return the text in *language* (`vi` or `en`), the Vietnamese one if there is no translation."""
        return self.en if language == "en" and self.en else self.vi
