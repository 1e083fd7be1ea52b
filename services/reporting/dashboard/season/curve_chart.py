"""Lay out the curve of arrivals as a chart: lines in a drawing that is stretched, labels at shares of its width."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.reporting.core.season.arrivals import Arrivals

WIDTH, HEIGHT = 1000, 460
_TOP = 20  # where everybody has reported
_TICKS = 6
_MIN_AFTER = timedelta(days=7)  # behind the due instant, for a season with short reminders
_MAX_AFTER = timedelta(days=60)  # later arrivals are in the table below
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveInput:
    """What the chart shows; `before` is last year's curve, moved so that both fall due at the same place."""

    now: Arrivals
    before: Arrivals | None
    due_at: datetime
    lead: timedelta
    as_of: datetime
    zone: ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A labelled place on the axis of days, as a share of the width, and whether a phone has room for it."""

    share: float
    day: datetime
    is_sparse: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveRow:
    """One line of the table behind the chart: the counts at the end of a day; None where it is still to come."""

    day: datetime
    now: int | None
    before: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveChart:
    """The chart: paths in a drawing of `WIDTH` by `HEIGHT`, shares from 0 to 100 for what is not stretched."""

    starts_at: datetime
    ends_at: datetime
    top: int
    line: str
    area: str
    line_before: str
    due_share: float
    now_share: float
    now_height: float
    before_height: float
    grid: tuple[tuple[int, float], ...]
    ticks: tuple[Tick, ...]
    rows: tuple[CurveRow, ...]
    count_now: int
    count_before: int | None
    final_before: int | None


def lay_out_chart(given: CurveInput) -> CurveChart:
    """Return the chart of the days around the due instant."""
    starts_at, ends_at = _frame_days(given)
    span = ends_at - starts_at
    top = max(given.now.expected, given.before.expected if given.before else 0, 1)
    shown_until = min(max(given.as_of, starts_at), ends_at)

    def x(at: datetime) -> float:
        return WIDTH * ((at - starts_at) / span)

    def y(count: int) -> float:
        return HEIGHT - (HEIGHT - _TOP) * count / top

    def draw(arrivals: Arrivals, until: datetime) -> str:
        steps = [at for at in arrivals.instants if starts_at < at <= until]
        path = f"M0 {y(arrivals.count_at(starts_at)):.1f}"
        return path + "".join(f"H{x(at):.1f}V{y(arrivals.count_at(at)):.1f}" for at in steps) + f"H{x(until):.1f}"

    line = draw(given.now, shown_until)
    count_now = given.now.count_at(shown_until)
    count_before = given.before.count_at(shown_until) if given.before else None
    return CurveChart(
        starts_at=starts_at,
        ends_at=ends_at,
        top=top,
        line=line,
        area=f"{line}V{HEIGHT}H0Z",
        line_before=draw(given.before, ends_at) if given.before else "",
        due_share=x(given.due_at) / WIDTH * 100,
        now_share=x(shown_until) / WIDTH * 100,
        now_height=y(count_now) / HEIGHT * 100,
        before_height=y(count_before or 0) / HEIGHT * 100,
        grid=tuple((count, y(count) / HEIGHT * 100) for count in _choose_grid(top)),
        ticks=tuple(_place_ticks(starts_at, ends_at)),
        rows=tuple(_list_rows(given, starts_at, ends_at)),
        count_now=count_now,
        count_before=count_before,
        final_before=given.before.count_at(ends_at) if given.before else None,
    )


def _frame_days(given: CurveInput) -> tuple[datetime, datetime]:
    """Return the first and the last local midnight that the chart shows: the reminders, and half as long after due."""
    lead = max(given.lead, _MIN_AFTER)
    starts_at = given.due_at - lead * 4 / 3
    after = max(lead / 2, _MIN_AFTER)
    ends_at = given.due_at + max(after, min(given.as_of - given.due_at + _DAY, _MAX_AFTER))
    return _midnight(starts_at, given.zone), _midnight(ends_at, given.zone) + _DAY


def _midnight(at: datetime, zone: ZoneInfo) -> datetime:
    return datetime.combine(at.astimezone(zone).date(), time(), zone)


def _choose_grid(top: int) -> Iterable[int]:
    """Return up to five round numbers below *top*, from zero."""
    step = next(one * 10**power for power in range(9) for one in (1, 2, 5) if top <= 5 * one * 10**power)
    return range(0, top, step)


def _place_ticks(starts_at: datetime, ends_at: datetime) -> Iterable[Tick]:
    days = (ends_at - starts_at) // _DAY
    step = max(1, days // _TICKS)
    for number, day in enumerate(range(0, days + 1, step)):
        yield Tick(share=100 * day / days, day=starts_at + day * _DAY, is_sparse=number % 2 == 1)


def _list_rows(given: CurveInput, starts_at: datetime, ends_at: datetime) -> Iterable[CurveRow]:
    """Yield the first day, and each day on which a count is another than the day before."""
    last: tuple[int | None, int | None] | None = None
    day = starts_at
    while day < ends_at:
        end = day + _DAY
        counts = (
            given.now.count_at(min(end, given.as_of)) if day <= given.as_of else None,
            given.before.count_at(end) if given.before else None,
        )
        if counts != last:
            yield CurveRow(day=day, now=counts[0], before=counts[1])
        last, day = counts, end
