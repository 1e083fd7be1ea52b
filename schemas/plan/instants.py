"""Instants: parse them from RFC 3339 text and convert them between time zones without overflow errors."""

from datetime import MINYEAR, UTC, datetime, tzinfo


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
    """Convert *instant* to *zone*, or to the nearest instant there that Python's calendar can express.

    For example 0001-01-01T00:00Z has no local time west of Greenwich, because the calendar begins with year 1.
    """
    try:
        return instant.astimezone(zone)
    except OverflowError:
        is_first = instant.year == MINYEAR
        return datetime.min.replace(tzinfo=zone) if is_first else datetime.max.replace(tzinfo=zone)
