"""Answer how the plan grades the agencies for a period: their duties as they stand, by the rules of the plan."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from schemas.events.assessments import Status
from schemas.events.ids import DutyKey
from schemas.plan import periods
from schemas.plan.grading import GradeRule
from services.reporting.core import evaluation
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

    async def grade_period(
        self, plan_id: str, period: str, context: QueryContext, *, agency: str | None = None
    ) -> PlanGrades:
        """Grade every duty of exactly *period* that the scope covers, or those of one *agency*.

        Raises what `ReportingQueries.find_lines` raises.
        """
        duties = DutyFilter(plan=plan_id, agency=agency, periods=(period,))
        found = await self._queries.find_lines(duties, context)
        states, _ = await self._queries.find_states(duties.in_plan(plan_id), context)
        plan, _ = self._queries.find_cited_documents(self._queries.plan(plan_id), states)
        by_key = {state.key: state for state in states}
        before = await self._find_statuses_before(duties.in_plan(plan_id), period, context)
        graded = [
            _grade(line, by_key, before.get((line.key.agency, line.key.obligation), ()), rules=plan.grading)
            for line in found.lines
        ]
        return PlanGrades(duties=tuple(graded), unreadable=found.unreadable)

    async def _find_statuses_before(
        self, duties: PlanDutyFilter, period: str, context: QueryContext
    ) -> Mapping[AgencyObligation, Sequence[Status]]:
        """Return the statuses of each agency's duties of the last periods before, at the same instant."""
        asked = tuple(one.text for one in periods.before(periods.parse(period), evaluation.PERIODS_BEFORE))
        statuses: defaultdict[AgencyObligation, list[Status]] = defaultdict(list)
        if asked:
            states, _ = await self._queries.find_states(replace(duties, periods=asked), context)
            for state in states:
                statuses[state.key.agency, state.key.obligation].append(state.status)
        return statuses


def _grade(
    line: DutyLine, states: Mapping[DutyKey, DutyState], before: Sequence[Status], *, rules: Sequence[GradeRule]
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
        late_before=evaluation.count_late(before),
    )
    return GradedDuty(key=line.key, work=work, outcome=evaluation.grade_work(rules, work))
