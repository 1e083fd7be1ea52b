"""Instants are parsed from RFC 3339 text and converted to any zone, also at the ends of the calendar."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from schemas.plan import instants

EAST, WEST = timezone(timedelta(hours=14)), timezone(-timedelta(hours=12))


@pytest.mark.parametrize(
    "text",
    ["2026-12-09T23:59:00+07:00", "2026-12-09T16:59:00Z", "2026-12-09t16:59:00z", "2026-12-09 16:59:00.000000000Z"],
)
def test_every_writing_is_one_instant(text: str) -> None:
    """Every RFC 3339 form of an instant is parsed to the same instant in UTC."""
    found = instants.parse(text)
    assert (found, found.tzinfo) == (datetime(2026, 12, 9, 16, 59, tzinfo=UTC), UTC)


@pytest.mark.parametrize(
    "text, message",
    [("2026-12-09T23:59:00", "has no offset"), ("2026-12-09", "has no offset"), ("soon", "is not an RFC 3339 instant")],
)
def test_a_time_without_offset_is_refused(text: str, message: str) -> None:
    """The message says what to write."""
    with pytest.raises(ValueError, match=message):
        instants.parse(text)


def test_at_the_ends_of_the_calendar_the_nearest_writing_is_taken() -> None:
    """Python has no year 0 and no year 10000, so the nearest instant of the calendar is returned."""
    assert instants.in_zone(datetime.min.replace(tzinfo=UTC), WEST) == datetime.min.replace(tzinfo=WEST)
    assert instants.in_zone(datetime.max.replace(tzinfo=UTC), EAST) == datetime.max.replace(tzinfo=EAST)
    assert instants.parse("9999-12-31T23:59:59-12:00") == datetime.max.replace(tzinfo=UTC)
