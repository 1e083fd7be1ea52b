"""Answer how the plan grades the agencies for a period: their duties as they stand, by the rules of the plan."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from schemas.events.ids import DutyKey
from schemas.plan import periods
from schemas.plan.grading import GradeRule
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.reporting.core import duty_lines, evaluation, heirs
from services.reporting.core.agencies.membership import Memberships
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.evaluation import Grade, GradedWork, NoGrade
from services.reporting.core.registry_index import RegistryIndex
from services.reporting.core.timeline import DutyState, UnreadableRecord
from services.reporting.queries import DutyFilter, QueryContext, ReportingQueries
from services.reporting.store import PlanDutyFilter

# Whose duty, by agency and obligation.
AgencyObligation = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedDuty:
    """One duty with what it is graded by and the outcome."""

    key: DutyKey
    work: GradedWork
    outcome: Grade | NoGrade


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanGrades:
    """The graded duties of a plan for a period, in the order of the lines of a report."""

    duties: tuple[GradedDuty, ...]
    unreadable: tuple[UnreadableRecord, ...]


class EvaluationQueries:
    """The grades of a plan's period, within the scope of the reader."""

    def __init__(self, queries: ReportingQueries) -> None:
        self._queries = queries

    async def grade_period(
        self, plan_id: str, period: str, context: QueryContext, *, agency: str | None = None
    ) -> PlanGrades:
        """Grade every duty of exactly *period* that the scope covers, or those of one *agency*.

        Raises what `ReportingQueries.find_lines` raises.
        """
        duties = DutyFilter(plan=plan_id, agency=agency, periods=(period,))
        found = await self._queries.find_lines(duties, context)
        states, _ = await self._queries.find_states(duties.in_plan(plan_id), context)
        plan, registry = self._queries.find_cited_documents(self._queries.plan(plan_id), states)
        by_key = {state.key: state for state in states}
        earlier = await self._find_earlier_states(duties.in_plan(plan_id), period, registry, context=context)
        until = _find_deciding_days(plan, registry, by_key, context.as_of)
        late = _find_late_periods(earlier, registry, until, zone=ZoneInfo(plan.zone), as_of=context.as_of)
        graded = [
            _grade(line, by_key, len(late.get((line.key.agency, line.key.obligation), ())), rules=plan.grading)
            for line in found.lines
        ]
        return PlanGrades(duties=tuple(graded), unreadable=found.unreadable)

    async def _find_earlier_states(
        self, duties: PlanDutyFilter, period: str, registry: Registry, *, context: QueryContext
    ) -> Sequence[DutyState]:
        """Return the duties of the last periods before, of one agency with those of all that ever merged into it."""
        asked = tuple(one.text for one in periods.before(periods.parse(period), evaluation.PERIODS_BEFORE))
        if not asked:
            return ()
        of_agencies = [None] if duties.agency is None else heirs.list_merged(duties.agency, registry.successions)
        found: list[DutyState] = []
        for agency in of_agencies:
            states, _ = await self._queries.find_states(replace(duties, agency=agency, periods=asked), context)
            found += states
        return found


def _find_deciding_days(plan: Plan, registry: Registry, keys: Iterable[DutyKey], as_of: datetime) -> Mapping[str, date]:
    """Return for each obligation the last good day that the plan gives; an extension of one agency does not move it."""
    memberships = Memberships(plan, RegistryIndex.of(registry))
    today = as_of.astimezone(ZoneInfo(plan.zone)).date()
    return {key.obligation: memberships.decided_on(key, today) for key in keys}


def _find_late_periods(
    earlier: Iterable[DutyState], registry: Registry, until: Mapping[str, date], *, zone: ZoneInfo, as_of: datetime
) -> Mapping[AgencyObligation, Collection[str]]:
    """Return in which of the periods of *earlier* duties each agency was late.

    An agency's history is its own and that of every agency that was merged into it by its due day, as its figures
    of earlier years are (contract 8.5). A period in which several of them were late counts once.
    """
    late: defaultdict[AgencyObligation, set[str]] = defaultdict(set)
    for state in earlier:
        key, due_on = state.key, until.get(state.key.obligation)
        if key.period is None or due_on is None or not evaluation.is_late(state.status):
            continue
        day = duty_lines.registry_day(state, as_of, zone)
        merged = heirs.find_heirs((key.agency,), registry.successions, after=day, until=due_on)
        late[merged.get(key.agency, key.agency), key.obligation].add(key.period)
    return late


def _grade(
    line: DutyLine, states: Mapping[DutyKey, DutyState], late_before: int, *, rules: Sequence[GradeRule]
) -> GradedDuty:
    state = states.get(line.key)
    work = GradedWork(
        status=line.status,
        days_late=line.days_late or 0,
        flags=line.flags,
        missing=line.missing,
        submissions=line.submissions,
        urgings=line.urging.urgings,
        returned=0 if state is None else state.span.returns,
        late_before=late_before,
    )
    return GradedDuty(key=line.key, work=work, outcome=evaluation.grade_work(rules, work))
