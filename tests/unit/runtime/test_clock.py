"""The system clock, and the clock that a file steers."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.runtime import clock

INSTANT = datetime(2026, 12, 9, 16, 59, tzinfo=UTC)


def test_the_system_clock_is_aware_and_in_utc() -> None:
    """Every instant of the system clock is aware and in UTC."""
    assert clock.clock_from("system").now().tzinfo is UTC


def test_a_steered_clock_tells_what_its_file_holds(tmp_path: Path) -> None:
    """Replacing the file sets the clock in one step."""
    steered = clock.clock_from(f"steered:{tmp_path / 'now'}")
    clock.steer(tmp_path / "now", INSTANT)
    assert steered.now() == INSTANT
    (tmp_path / "now").write_text("2026-12-10T00:00:00+07:00\n", encoding="ascii")
    assert steered.now() == datetime(2026, 12, 9, 17, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-12-10T00:00:00"])
def test_a_clock_without_an_instant_says_what_to_write(tmp_path: Path, text: str) -> None:
    """An unreadable file is an error and never some other time."""
    (tmp_path / "now").write_text(text, encoding="ascii")
    with pytest.raises(clock.UnreadableClockError):
        clock.SteeredClock(tmp_path / "now").now()


@pytest.mark.parametrize("setting", ["", "steered:", "sundial"])
def test_an_unknown_clock_is_refused(setting: str) -> None:
    """The message names the two kinds of clock."""
    with pytest.raises(ValueError, match="write system or steered:PATH"):
        clock.clock_from(setting)


def test_a_record_stamp_is_whole_milliseconds() -> None:
    """An instant in whole milliseconds survives the way to Kafka's timestamp and back."""
    assert clock.instant_of(clock.milliseconds(INSTANT)) == INSTANT
