"""What a report says of one duty: who owed what by when, what came, what is missing, who was urged and how.

Days are counted on local dates from the last good day: 08:00 on 10 December is one day late for a duty due on the 9th.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from zoneinfo import ZoneInfo

from schemas.events.assessments import Status
from schemas.events.ids import DutyKey
from schemas.plan import periods
from schemas.plan.plan import Obligation, Plan
from services.reporting.core import vietnamese
from services.reporting.core.lookup import DutyState
from services.reporting.core.projections import Attempt
from services.reporting.core.roster import Roster
from services.reporting.core.urging import Urging, urging_of

INHERITED_BY = "inherited_by_"
"""Begins the flag that names, by id, who took a duty over."""
COMPLETE = frozenset({Status.ON_TIME, Status.LATE, Status.FULFILLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyLine:
    """One duty as people read it. `days_late` counts to the report, or to the day asked about where none has come."""

    key: DutyKey
    agency_name: str
    group: str
    group_name: str
    title: str
    clause: str
    due_at: datetime | None
    due_on: date | None
    status: Status
    effective_at: datetime | None
    days_late: int | None
    submissions: int
    flags: tuple[str, ...]
    missing: tuple[str, ...]
    heirs: tuple[str, ...]
    urging: Urging
    event: str
    revision: int

    @property
    def is_complete(self) -> bool:
        """Whether the duty is discharged by a complete report."""
        return self.status in COMPLETE


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who asks: as of when, in which language, with which plan and roster at hand."""

    plan: Plan
    roster: Roster
    as_of: datetime
    language: str = "vi"

    @property
    def zone(self) -> ZoneInfo:
        """The plan's zone; days are its local dates."""
        return ZoneInfo(self.plan.zone)

    @property
    def today(self) -> date:
        """The local day asked about."""
        return self.as_of.astimezone(self.zone).date()


def lines_of(
    states: Iterable[DutyState], attempts: Mapping[DutyKey, list[Attempt]], reader: Reader
) -> tuple[DutyLine, ...]:
    """Return one line a duty, in the order a Vietnamese reader looks for them: obligation, group, name."""
    order = {obligation.id: rank for rank, obligation in enumerate(reader.plan.obligations)}
    found = [(state, reader.plan.obligation(state.key.obligation)) for state in states]
    lines = [
        line_of(state, attempts.get(state.key, []), obligation=obligation, reader=reader)
        for state, obligation in found
        if obligation is not None
    ]
    return tuple(sorted(lines, key=lambda line: _place(line, order, reader.plan)))


def _place(line: DutyLine, order: Mapping[str, int], plan: Plan) -> tuple[object, ...]:
    obligation = plan.obligation(line.key.obligation)
    addressees = list(obligation.addressees) if obligation else []
    group_rank = addressees.index(line.group) if line.group in addressees else len(addressees)
    return (
        order.get(line.key.obligation, len(order)),
        line.key.period or "",
        group_rank,
        vietnamese.collation_key(line.agency_name),
    )


def line_of(state: DutyState, attempts: list[Attempt], *, obligation: Obligation, reader: Reader) -> DutyLine:
    """Return what to say of one duty."""
    standing, key = state.standing, state.key
    day = roster_day(state, reader.as_of, reader.zone)
    group = reader.roster.group_of(key.agency, obligation, day)
    completed_at = standing.effective_at if standing.status in COMPLETE else None
    return DutyLine(
        key=key,
        agency_name=reader.roster.name_on(key.agency, day, reader.language),
        group=group,
        group_name=reader.roster.group_name(group, reader.language),
        title=obligation.title.in_language(reader.language),
        clause=state.assessed.clause,
        due_at=standing.due_at,
        due_on=vietnamese.last_good_day(standing.due_at, reader.zone) if standing.due_at else None,
        status=standing.status,
        effective_at=standing.effective_at,
        days_late=_days_late(state, reader.as_of, reader.zone),
        submissions=standing.submissions,
        flags=standing.flags,
        missing=standing.missing,
        heirs=tuple(reader.roster.name_on(heir, reader.today, reader.language) for heir in _heirs(standing.flags)),
        urging=urging_of(attempts, completed_at),
        event=state.assessed.event,
        revision=state.assessed.revision,
    )


def _heirs(flags: Iterable[str]) -> list[str]:
    return [flag.removeprefix(INHERITED_BY) for flag in flags if flag.startswith(INHERITED_BY)]


def roster_day(state: DutyState, as_of: datetime, zone: tzinfo) -> date:
    """Return the day whose roster counts: the last good day, else the period's last day or the day asked about."""
    if state.standing.due_at is not None:
        return vietnamese.last_good_day(state.standing.due_at, zone)
    today = as_of.astimezone(zone).date()
    if state.key.period is None:
        return today
    period = periods.parse(state.key.period)
    return min(today, date.fromordinal(period.ends_on.toordinal() - 1))


def _days_late(state: DutyState, as_of: datetime, zone: tzinfo) -> int | None:
    due_at = state.standing.due_at
    if due_at is None:
        return None
    match state.standing.status:
        case Status.LATE:
            return _days(due_at, state.standing.effective_at or as_of, zone)
        case Status.OVERDUE | Status.INCOMPLETE if due_at <= as_of:
            return _days(due_at, as_of, zone)
        case _:
            return None


def _days(due_at: datetime, until: datetime, zone: tzinfo) -> int:
    return (until.astimezone(zone).date() - vietnamese.last_good_day(due_at, zone)).days
