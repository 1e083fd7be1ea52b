"""How far instants lie from a due instant, on the clock on the walls of the plan's zone."""

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from schemas.plan import durations, instants
from schemas.plan.periods import MONTHS_OF, Recurrence
from services.rules.core.duty import Duty


def shifted(instant: datetime, duration: str, duty: Duty, *, back: bool = False) -> datetime:
    """Return the instant whose wall time in the plan's zone is *duration* away from that of *instant*."""
    return _shifted(instant, duration, duty.zone, back)


def one_period_after(due_at: datetime, duty: Duty) -> datetime:
    """Return when the next duty of the kind falls due, counted from *due_at*; for a one-off duty, a year on."""
    recurrence = duty.version.recurrence if duty.version else Recurrence.YEAR
    return shifted(due_at, f"P{MONTHS_OF.get(recurrence, MONTHS_OF[Recurrence.YEAR])}M", duty)


@lru_cache(maxsize=65_536)  # the due instants of a plan are few, and every duty that shares one asks for the same steps
def _shifted(instant: datetime, duration: str, zone: ZoneInfo, back: bool) -> datetime:  # noqa: FBT001 - a cache key
    local = instants.in_zone(instant, zone).replace(tzinfo=None)
    try:
        moved = durations.shift(local, duration, back=back)
    except (OverflowError, ValueError):
        moved = local  # over the end of the calendar, where nothing moves
    return instants.in_zone(moved.replace(tzinfo=zone), UTC)
