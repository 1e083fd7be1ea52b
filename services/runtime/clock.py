"""The only reader of the system clock. A steered clock reads a file instead, so that a year can pass in a minute.

A clock has no timer: nothing here sleeps or calls back. Code that waits for an instant compares it with `now()`.
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

SYSTEM = "system"
STEERED = "steered:"
_LONGEST_INSTANT = 64  # octets of an instant in ISO 8601, with room for white space


class Clock(Protocol):
    """Provides the present instant. Everything that stamps or compares a time takes a clock as an argument."""

    def now(self) -> datetime:
        """Return the present instant, aware and in UTC."""
        ...


class UnreadableClockError(Exception):
    """The steered clock's file holds no instant; write one such as 2026-12-09T23:59:00+07:00 into it."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class SteeredClock:
    """The instant in a file, read at each call. `steer` replaces the whole file, so no half-written one is read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text: bytes | None = None
        self._instant = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        try:
            text = self._read()
            if text != self._text:
                self._instant, self._text = self._parse(text), text
        except (OSError, ValueError) as cause:
            raise UnreadableClockError(str(self._path)) from cause
        return self._instant

    def _read(self) -> bytes:
        # Without a file object: what reads the clock for every message would spend most of its time on them.
        file = os.open(self._path, os.O_RDONLY)
        try:
            return os.read(file, _LONGEST_INSTANT)
        finally:
            os.close(file)

    def _parse(self, text: bytes) -> datetime:
        instant = datetime.fromisoformat(text.decode("ascii").strip())
        if instant.tzinfo is None:
            raise UnreadableClockError(f"{self._path}: {instant.isoformat()} has no offset")
        return instant.astimezone(UTC)


def clock_from(setting: str) -> Clock:
    """Return the clock that *setting* names: `system`, or `steered:PATH`; raise `ValueError` for anything else."""
    if setting == SYSTEM:
        return SystemClock()
    if setting.startswith(STEERED) and len(setting) > len(STEERED):
        return SteeredClock(Path(setting.removeprefix(STEERED)))
    raise ValueError(f"{setting!r} is no clock; write {SYSTEM} or {STEERED}PATH")


def steer(path: Path, instant: datetime) -> None:
    """Set the clock in the file *path* to *instant*, atomically for every reader."""
    # rename(2) replaces the file atomically; a reader sees the old instant or the new one.
    fresh = path.with_suffix(".new")
    fresh.write_text(instant.astimezone(UTC).isoformat(), encoding="ascii")
    fresh.replace(path)


def milliseconds(instant: datetime) -> int:
    """Return *instant* as Kafka's record timestamps have it: whole milliseconds since 1970."""
    return round(instant.timestamp() * 1000)


def instant_of(timestamp_ms: int) -> datetime:
    """Return the instant of a record's timestamp, aware and in UTC."""
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC)
