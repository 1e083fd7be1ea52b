"""Instants: parse them from RFC 3339 text, and convert them between time zones without overflow errors.

An instant of the system lies within reach: in the years 1000 to 2999 of UTC, as the dates of plans do. Within reach no
time zone, no shift by a duration (at most a century) and no step to the instant before can leave Python's calendar. An
instant further away, such as the end `9999-12-31T23:59:59Z` of an exemption that is meant to have none, counts as the
nearest one within reach.
"""

from datetime import UTC, datetime, tzinfo

FIRST_YEAR, LAST_YEAR = 1000, 2999
EARLIEST = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
LATEST = datetime(LAST_YEAR, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


def parse(text: str) -> datetime:
    """Parse an RFC 3339 instant and return it in UTC; raise `ValueError` with the remedy if *text* is none."""
    try:
        # RFC 3339 allows a lower-case t and z (section 5.6); `fromisoformat` reads only Z.
        instant = datetime.fromisoformat(text.upper())
    except ValueError as cause:
        raise ValueError(f"{text!r} is not an RFC 3339 instant; write 2026-12-09T23:59:00+07:00") from cause
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no offset; write 2026-12-09T23:59:00+07:00")
    return in_zone(instant, UTC)


def in_zone(instant: datetime, zone: tzinfo) -> datetime:
    """Convert *instant* to *zone*; one out of reach becomes the nearest instant within reach."""
    if FIRST_YEAR < instant.year < LAST_YEAR:  # surely within reach, whatever its offset
        return instant.astimezone(zone)
    return min(max(instant, EARLIEST), LATEST).astimezone(zone)


def is_in_reach(instant: datetime) -> bool:
    """Whether *instant* is one that the system reckons with."""
    return FIRST_YEAR < instant.year < LAST_YEAR or EARLIEST <= instant <= LATEST
