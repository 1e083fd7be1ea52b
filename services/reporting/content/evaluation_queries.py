"""Answer how the plan grades the agencies for a period: their duties as they stand, by the rules of the plan."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from schemas.events.ids import DutyKey
from schemas.plan import periods
from schemas.plan.grading import GradeRule
from schemas.plan.registry import Registry
from services.reporting.core import duty_lines, evaluation, heirs
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.evaluation import Grade, GradedWork, NoGrade
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

    async def grade_period(self, plan_id: str, period: str, context: QueryContext) -> PlanGrades:
        """Grade every duty of exactly *period* that the scope covers; raise as `ReportingQueries.find_lines`."""
        found = await self._queries.find_lines(DutyFilter(plan=plan_id, periods=(period,)), context)
        states, _ = await self._queries.find_states(PlanDutyFilter(plan=plan_id, periods=(period,)), context)
        plan, registry = self._queries.find_cited_documents(self._queries.plan(plan_id), states)
        by_key = {state.key: state for state in states}
        late = await self._find_late_periods(registry, found.lines, period, context)
        duties = [
            _grade(line, by_key, len(late.get((line.key.agency, line.key.obligation), ())), rules=plan.grading)
            for line in found.lines
        ]
        return PlanGrades(duties=tuple(duties), unreadable=found.unreadable)

    async def _find_late_periods(
        self, registry: Registry, lines: Sequence[DutyLine], period: str, context: QueryContext
    ) -> Mapping[AgencyObligation, Collection[str]]:
        """Return in which of the last periods before each agency was late, at the same instant.

        An agency's history is its own and that of every agency that was merged into it by its due day, as its figures
        of earlier years are (contract 8.5). A period in which several of them were late counts once.
        """
        asked = tuple(one.text for one in periods.before(periods.parse(period), evaluation.PERIODS_BEFORE))
        until = _find_due_days(lines)
        late: defaultdict[AgencyObligation, set[str]] = defaultdict(set)
        if not asked or not until:
            return late
        plan = self._queries.plan(lines[0].key.plan)
        states, _ = await self._queries.find_states(PlanDutyFilter(plan=plan.plan, periods=asked), context)
        for state in states:
            key, due_on = state.key, until.get(state.key.obligation)
            if key.period is None or due_on is None or not evaluation.is_late(state.status):
                continue
            day = duty_lines.registry_day(state, context.as_of, ZoneInfo(plan.zone))
            merged = heirs.find_heirs((key.agency,), registry.successions, after=day, until=due_on)
            late[merged.get(key.agency, key.agency), key.obligation].add(key.period)
        return late


def _find_due_days(lines: Iterable[DutyLine]) -> Mapping[str, date]:
    """Return the last day on time of each obligation; an extension moves only that of its own agency."""
    days: defaultdict[str, Counter[date]] = defaultdict(Counter)
    for line in lines:
        if line.due_on is not None:
            days[line.key.obligation][line.due_on] += 1
    return {obligation: counted.most_common(1)[0][0] for obligation, counted in days.items()}


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
