"""List what changed between two versions of a report, figure by figure, with the events behind each change.

Both versions are figures documents: `{"figures": {id: {"value", "unit", "evidence"}}}`, where the id says where a
figure comes from, such as `annual-results/2024/agencies/h-tho-xuan/indicators/overdue_debt`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FiguresDocument = Mapping[str, Any]
FigureValue = str | int | None

AGENCIES, GROUPS = "agencies", "groups"
KINDS = ("indicators", "duties", "sections", "steps")
EVALUATIONS = "evaluations"

# Grows by itself with every day until the report comes. A figure that only the calendar has changed is no news.
DAYS_LATE = "days_late"
STATUS = "status"


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureChange:
    """A figure that differs: its id and what the id says, its value before and after, the ids of the events behind it.

    `code` is that of an indicator or a section, or says what of a duty it is; `measure` is what of the indicator, such
    as `total`, and empty for the figure itself.
    `events` are those that the later figure rests on and the earlier did not; where an event was only taken away, those
    that the earlier one rested on.
    """

    figure: str
    obligation: str | None
    period: str | None
    agency: str | None
    group: str | None
    code: str
    measure: str
    unit: str
    before: FigureValue
    after: FigureValue
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _FigureName:
    obligation: str | None
    period: str | None
    agency: str | None
    group: str | None
    code: str
    measure: str


def find_changes(before: FiguresDocument, after: FiguresDocument) -> list[FigureChange]:
    """Return the figures that differ, in the order of their ids; one that a side lacks is None there."""
    earlier, later = before["figures"], after["figures"]
    changed = (name for name in sorted({*earlier, *later}) if _value(earlier, name) != _value(later, name))
    return [_describe_change(name, earlier, later) for name in changed if not _is_of_calendar(name, earlier, later)]


def _is_of_calendar(name: str, earlier: Mapping[str, Any], later: Mapping[str, Any]) -> bool:
    """Whether only the passing of days has changed the figure: days late of a duty whose status is the same."""
    path, _, field = name.rpartition("/")
    status = f"{path}/{STATUS}"
    return field == DAYS_LATE and _value(earlier, status) == _value(later, status)


def _describe_change(name: str, earlier: Mapping[str, Any], later: Mapping[str, Any]) -> FigureChange:
    parsed = _parse_name(name)
    return FigureChange(
        figure=name,
        obligation=parsed.obligation,
        period=parsed.period,
        agency=parsed.agency,
        group=parsed.group,
        code=parsed.code,
        measure=parsed.measure,
        unit=str((later.get(name) or earlier[name]).get("unit", "")),
        before=_value(earlier, name),
        after=_value(later, name),
        events=_find_events(name, earlier, later),
    )


def _parse_name(name: str) -> _FigureName:
    """Read `OBLIGATION/PERIOD/agencies/AGENCY/indicators/CODE` and its kin."""
    first, _, rest = name.partition("/")
    if first == EVALUATIONS:
        evaluated, _, code = rest.partition("/")
        return _FigureName(obligation=None, period=None, agency=evaluated, group=None, code=code, measure="")
    period, _, rest = rest.partition("/")
    agency: str | None = None
    group: str | None = None
    if rest.startswith(f"{AGENCIES}/"):
        _, agency, rest = rest.split("/", 2)
    parts = rest.split("/")
    if GROUPS in parts[:-1]:
        place = parts.index(GROUPS)
        group = parts[place + 1]
        del parts[place : place + 2]
    code, *measure = parts[1:] if parts[0] in KINDS else parts
    return _FigureName(
        obligation=first, period=period, agency=agency, group=group, code=code, measure="/".join(measure)
    )


def _find_events(name: str, earlier: Mapping[str, Any], later: Mapping[str, Any]) -> tuple[str, ...]:
    before, after = _evidence(earlier, name), _evidence(later, name)
    added = tuple(one for one in after if one not in before)
    return added or tuple(one for one in before if one not in after) or after


def _evidence(figures: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return the events behind a figure; what is said of a duty beside its status rests on the same events as that."""
    found = figures.get(name, {}).get("evidence")
    if found is None:
        path, _, _ = name.rpartition("/")
        found = figures.get(f"{path}/{STATUS}", {}).get("evidence", ())
    return tuple(found)


def _value(figures: Mapping[str, Any], name: str) -> FigureValue:
    value: FigureValue = figures.get(name, {}).get("value")
    return value
