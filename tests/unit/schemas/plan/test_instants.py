"""Instants are parsed from RFC 3339 text and converted to any zone, also at the ends of the calendar."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from schemas.plan import values

EAST, WEST = timezone(timedelta(hours=14)), timezone(-timedelta(hours=12))


@pytest.mark.parametrize(
    "text",
    ["2026-12-09T23:59:00+07:00", "2026-12-09T16:59:00Z", "2026-12-09t16:59:00z", "2026-12-09 16:59:00.000000000Z"],
)
def test_every_writing_is_one_instant(text: str) -> None:
    """Every RFC 3339 form of an instant is parsed to the same instant in UTC."""
    found = values.parse_instant(text)
    assert (found, found.tzinfo) == (datetime(2026, 12, 9, 16, 59, tzinfo=UTC), UTC)


@pytest.mark.parametrize(
    "text, message",
    [("2026-12-09T23:59:00", "has no offset"), ("2026-12-09", "has no offset"), ("soon", "is not an RFC 3339 instant")],
)
def test_a_time_without_offset_is_refused(text: str, message: str) -> None:
    """The message says what to write."""
    with pytest.raises(ValueError, match=message):
        values.parse_instant(text)


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("9999-12-31T23:59:59-12:00", values.LATEST),
        ("3000-01-01T00:00:00Z", values.LATEST),
        ("2999-12-31T23:59:59-12:00", values.LATEST),
        ("0001-01-01T00:00:00+14:00", values.EARLIEST),
        ("1000-01-01T00:00:00+07:00", values.EARLIEST),
        ("1000-01-01T00:00:00Z", values.EARLIEST),
    ],
)
def test_an_instant_out_of_reach_counts_as_the_nearest_within(text: str, nearest: datetime) -> None:
    """The years 1000 to 2999 are within reach; an instant further away becomes the first or the last of them."""
    assert values.parse_instant(text) == nearest
    assert values.is_in_reach(datetime.fromisoformat(text)) is (datetime.fromisoformat(text) == nearest)


@pytest.mark.parametrize("zone", [EAST, WEST])
def test_within_reach_every_zone_has_a_writing(zone: timezone) -> None:
    """Both ends of the reach have a local time in the first and in the last time zone of the world."""
    for end in (values.EARLIEST, values.LATEST):
        assert values.move_to_zone(values.move_to_zone(end, zone), UTC) == end
