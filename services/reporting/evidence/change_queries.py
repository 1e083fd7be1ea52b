"""Answer what changed between two instants in the duties and figures of a plan's period."""

import asyncio
from dataclasses import dataclass
from functools import partial

from schemas.plan import periods
from services.reporting.content.results_queries import ResultsQueries
from services.reporting.core.access.readers import ReaderScope
from services.reporting.core.content import results_scope
from services.reporting.core.evidence import status_changes
from services.reporting.core.evidence.status_changes import FigureShift, InstantsCompared
from services.reporting.core.results_document import PlanResults
from services.reporting.core.timeline import UnreadableRecord
from services.reporting.current.answer_memo import AnswerMemo
from services.reporting.current.found_lines import FoundLines
from services.reporting.queries import DutyFilter, QueryContext, ReportingQueries, list_periods_within


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesAnswer:
    """The statuses and figures that differ, and the records that cannot be read."""

    duties: InstantsCompared
    figures: tuple[FigureShift, ...]
    unreadable: tuple[UnreadableRecord, ...]


class ChangeQueries:
    """Questions about two instants. They answer what the scope covers; totals are of everybody."""

    def __init__(self, queries: ReportingQueries, results: ResultsQueries) -> None:
        self._queries = queries
        self._results = results
        self._kept = AnswerMemo[ChangesAnswer]()

    async def find_changes(
        self, plan_id: str, period: str, *, before: QueryContext, after: QueryContext
    ) -> ChangesAnswer:
        """Return what differs; raise what `ReportingQueries.find_lines` and `ResultsQueries.find_results` raise."""
        duties = DutyFilter(plan=plan_id, periods=(*list_periods_within(periods.parse(period)), None))
        earlier = await self._queries.find_lines(duties, before)
        later = await self._queries.find_lines(duties, after)
        old = await self._results.find_results(plan_id, period, before)
        new = await self._results.find_results(plan_id, period, after)
        question, basis = (duties, after.scope, after.language), (earlier.listed, later.listed, old.id, new.id)
        answer = self._kept.find(question, basis)
        if answer is None:
            compare = partial(_compare, earlier, later, old=old.results, new=new.results, scope=after.scope)
            answer = await asyncio.to_thread(compare)
            self._kept.keep(question, basis, answer, size=len(earlier.lines) + len(later.lines))
        return answer


def _compare(
    earlier: FoundLines, later: FoundLines, *, old: PlanResults, new: PlanResults, scope: ReaderScope
) -> ChangesAnswer:
    if not scope.is_everything:
        old, new = (results_scope.restrict_results(one, scope.covers_agency) for one in (old, new))
    return ChangesAnswer(
        duties=status_changes.compare_lines(earlier.lines, later.lines),
        figures=status_changes.compare_results(old.obligations, new.obligations),
        unreadable=(*earlier.unreadable, *later.unreadable),
    )
