"""Instants: read from RFC 3339 text, compared in UTC, written in a zone. No calendar of ours ends in an error."""

from datetime import MINYEAR, UTC, datetime, tzinfo


def parse(text: str) -> datetime:
    """Return the RFC 3339 instant in *text*, in UTC; raise `ValueError` with the remedy where there is none."""
    try:
        instant = datetime.fromisoformat(text.upper())
    except ValueError as cause:
        raise ValueError(f"{text!r} is not an RFC 3339 instant; write 2026-12-09T23:59:00+07:00") from cause
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no offset; write 2026-12-09T23:59:00+07:00")
    return in_zone(instant, UTC)


def in_zone(instant: datetime, zone: tzinfo) -> datetime:
    """Return *instant* in *zone*; at the ends of the calendar, where it has no writing there, the nearest one."""
    try:
        return instant.astimezone(zone)
    except OverflowError:
        is_first = instant.year == MINYEAR
        return datetime.min.replace(tzinfo=zone) if is_first else datetime.max.replace(tzinfo=zone)
