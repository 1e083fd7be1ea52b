"""ISO 8601 durations on local times; a month ends on its own last day."""

from datetime import UTC, datetime

import pytest

from schemas.plan import values

NOON = datetime(2024, 1, 31, 12)  # noqa: DTZ001 - a wall time


@pytest.mark.parametrize(
    "text, moved",
    [
        ("P7D", "2024-02-07"),
        ("P1M", "2024-02-29"),
        ("P13M", "2025-02-28"),
        ("P1W", "2024-02-07"),
        ("PT0S", "2024-01-31"),
    ],
)
def test_months_are_calendar_months(text: str, moved: str) -> None:
    """One month after 31 January is the last day of February (Civil Code 2015 art. 148)."""
    assert values.shift(NOON, text) == datetime.fromisoformat(f"{moved}T12:00:00")


def test_going_back_is_the_same_distance() -> None:
    """One month before 31 March is the last day of February."""
    assert values.shift(datetime(2023, 3, 31), "P1M", back=True) == datetime(2023, 2, 28)  # noqa: DTZ001 - wall times


@pytest.mark.parametrize("text, sign", [("P7D", 1), ("PT0S", 0), ("-P1D", -1)])
def test_a_duration_has_a_direction(text: str, sign: int) -> None:
    """A duration is negative, zero or positive."""
    assert values.find_sign(text) == sign


@pytest.mark.parametrize(
    "text, is_interval",
    [("P7D", True), ("P1M", True), ("PT1H", True), ("PT59M", False), ("PT0S", False), ("-P1M", False)],
)
def test_an_interval_is_an_hour_at_least(text: str, *, is_interval: bool) -> None:
    """What repeats more often, or does not go forward, is no interval between two urgings."""
    assert values.is_interval(text) is is_interval


@pytest.mark.parametrize("text", ["", "P", "7 days", "P99999999999D", "P9999999Y", "P101Y"])
def test_what_is_no_sensible_duration_is_refused(text: str) -> None:
    """The message says what to write instead."""
    with pytest.raises(ValueError, match="write P7D"):
        values.validate_duration(text)
    assert values.validate_duration("P100Y") == "P100Y"


def test_a_distance_is_written_in_whole_days_where_it_is() -> None:
    """A duration of whole days is formatted in days, any other to the second."""
    first = datetime(2024, 12, 10, tzinfo=UTC)
    assert values.format_elapsed(first, first) == "PT0S"
    assert values.format_elapsed(first, first.replace(day=20)) == "P10D"
    assert values.format_elapsed(first, first.replace(hour=6)) == "PT6H"
