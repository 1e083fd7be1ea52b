"""Rules for the dates of an obligation's versions: which are in force together, and what their keys may say together.

They find two versions that claim one period, days that do not exist, and keys that contradict each other.
"""

from calendar import month_name, monthrange
from collections.abc import Iterator, Sequence

from schemas.lint import date_intervals
from schemas.lint.diagnostics import Finding, Severity
from schemas.lint.document_tree import Node
from schemas.plan import periods
from schemas.plan.periods import MONTHS_OF, Recurrence

_MONTHS, _DAYS, _WEEKDAYS = range(1, 13), range(1, 32), range(1, 8)
_LEAP_YEAR = 2024  # its February has 29 days, the most there can be
_LEAP_DAY = (2, 29)

_BESIDE_WORKING_DAYS = ("month", "day", "offset", "date", "weekend_rule")


def check_versions(versions: tuple[Node, ...]) -> Iterator[Finding]:
    """Yield the problems of the dates of an obligation's *versions*."""
    yield from date_intervals.find_empty(versions)
    if all(one["from"].is_given for one in versions):
        yield from _find_shared_periods(versions)
        yield from date_intervals.find_gaps(versions)
    for version in versions:
        recurrence = version["recurrence"]
        yield from _check_only(version["only"], recurrence)
        yield from _check_window(version)
        yield from _check_due(version)
        yield from _check_anchor(version["due"], recurrence)
        yield from _check_anchor(version["cut_off"], recurrence)


def _find_shared_periods(versions: tuple[Node, ...]) -> Iterator[Finding]:
    """Yield a finding for each version that is in force together with an earlier one and claims one of its periods."""
    claiming: dict[str, list[Node]] = {}
    for version in versions:
        for periods_of in _list_claims(version):
            claiming.setdefault(periods_of, []).append(version)
    for several in claiming.values():
        yield from date_intervals.find_overlaps(several)


def _list_claims(version: Node) -> Iterator[str]:
    """Yield a name for each kind of period that a version claims: two versions that share one share periods."""
    recurrence = _recurrence_of(version)
    if recurrence is None or not recurrence.is_periodic:
        # A one-off and a continuous duty have no period, so nothing tells the one duty from the other.
        yield ""
        return
    named = {_part_of(one) for one in version["only"].each()}
    yield from (f"{recurrence}|{part}" for part in _PARTS_OF[recurrence] if not named or part in named)


def _recurrence_of(version: Node) -> Recurrence | None:
    text = version["recurrence"].text
    return Recurrence(text) if text in set(Recurrence) else None


def _part_of(node: Node) -> str:
    return f"{node.number:02d}" if node.number is not None else node.text


def _check_only(only: Node, recurrence: Node) -> Iterator[Finding]:
    if only.is_given and recurrence.text in {Recurrence.YEAR, Recurrence.ONCE, Recurrence.NONE}:
        yield only.finding(f"`recurrence: {recurrence.text}` has no parts of a year to choose from; leave `only` out")
        return
    seen: set[str] = set()
    for one in only.each():
        part = _part_of(one)
        if part in seen:
            yield one.finding(f"{part!r} stands here twice", Severity.WARNING)
        seen.add(part)
        if recurrence.text in set(_PARTS_OF) and part not in _PARTS_OF[Recurrence(recurrence.text)] and _is_part(part):
            example = next(iter(_PARTS_OF[Recurrence(recurrence.text)]))
            yield one.finding(f"{part!r} is no part of `recurrence: {recurrence.text}`; write for example {example}")


def _is_part(part: str) -> bool:
    """Whether *part* is one of any recurrence; the models refuse what is none."""
    try:
        periods.recurrence_of_part(part)
    except ValueError:
        return False
    return True


def _check_window(version: Node) -> Iterator[Finding]:
    window, recurrence = version["window"], version["recurrence"]
    if not window.is_given:
        return
    if recurrence.text in {Recurrence.WEEK, Recurrence.ONCE, Recurrence.NONE}:
        yield window.finding(f"`recurrence: {recurrence.text}` has no months that a window could count from")
    if version["cut_off"].is_given:
        yield version["cut_off"].finding("the end of `window` is the cut-off; leave one of the two out")


def _check_due(version: Node) -> Iterator[Finding]:
    due = version["due"]
    if not due["working_days_after_cut_off"].is_given and not due["time"].is_given:
        return
    if due["boundary"].is_given:
        beside = "time" if due["time"].is_given else "working_days_after_cut_off"
        yield due["boundary"].finding(f"with `{beside}` the day is itself the last good day; leave `boundary` out")
    if due["working_days_after_cut_off"].is_given:
        for key in _BESIDE_WORKING_DAYS:
            if due[key].is_given:
                yield due[key].finding(f"`working_days_after_cut_off` names the day alone; leave `{key}` out")
        if version["recurrence"].text == Recurrence.ONCE and not version["cut_off"].is_given:
            yield due["working_days_after_cut_off"].finding(
                "a one-off duty has no period whose end could be the cut-off; say `cut_off: {date: …}`"
            )
    if due["time"].text == "00:00":
        yield due["time"].finding("the day would be over before it began; leave `time` out for the end of the day")


def _check_anchor(anchor: Node, recurrence: Node) -> Iterator[Finding]:
    month, day = anchor["month"], anchor["day"]
    if recurrence.text == Recurrence.NONE and anchor.is_given:
        yield anchor.finding("a continuous duty (`recurrence: none`) has no period that a date could belong to")
    elif recurrence.text == Recurrence.WEEK:
        yield from _check_day_of_week(anchor)
    elif recurrence.text == Recurrence.ONCE or recurrence.text not in set(MONTHS_OF):
        yield from _check_day_of_year(month, day)
    else:
        yield from _check_day_of_period(anchor, Recurrence(recurrence.text))


def _check_day_of_week(anchor: Node) -> Iterator[Finding]:
    yield from _check_fixed_date(anchor)
    if anchor["month"].is_given:
        yield anchor["month"].finding("a week has no months; write `day`, 1 for Monday to 7 for Sunday")
    day = anchor["day"]
    if day.number in _DAYS and day.number not in _WEEKDAYS:
        yield day.finding(f"{day.number} is no weekday; `day` of a week is 1 for Monday to 7 for Sunday")


def _check_day_of_period(anchor: Node, recurrence: Recurrence) -> Iterator[Finding]:
    month, months = anchor["month"], MONTHS_OF[recurrence]
    yield from _check_fixed_date(anchor)
    if recurrence is Recurrence.YEAR:
        yield from _check_day_of_year(month, anchor["day"])
    elif month.number is not None and months < month.number:
        yield month.warning(
            f"a {recurrence} has {months} months and `month` counts from its first: this is due afterwards"
        )


def _check_fixed_date(anchor: Node) -> Iterator[Finding]:
    if anchor["date"].is_given:
        yield anchor["date"].finding("one fixed date cannot recur; write `month` and `day`, or `recurrence: once`")


def _check_day_of_year(month: Node, day: Node) -> Iterator[Finding]:
    if not month.number or not day.number or month.number not in _MONTHS or day.number not in _DAYS:
        return
    last = monthrange(_LEAP_YEAR, month.number)[1]
    name = month_name[month.number]
    if last < day.number:
        yield day.finding(f"there is no {day.number} {name}; {name} has {last} days")
    elif (month.number, day.number) == _LEAP_DAY:
        yield day.warning("29 February comes every four years; in the others the last day of February counts")


_PARTS_OF: dict[Recurrence, Sequence[str]] = {
    Recurrence.YEAR: ("",),
    Recurrence.HALF_YEAR: ("H1", "H2"),
    Recurrence.NINE_MONTH: ("9M",),
    Recurrence.QUARTER: ("Q1", "Q2", "Q3", "Q4"),
    Recurrence.MONTH: tuple(f"{month:02d}" for month in _MONTHS),
    Recurrence.WEEK: tuple(f"W{week:02d}" for week in range(1, 54)),
}
"""What may follow the hyphen of a period, by recurrence."""
