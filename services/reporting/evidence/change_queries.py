"""Answer what changed between two instants in the duties and figures of a plan's period."""

import asyncio
from dataclasses import dataclass

from schemas.plan import periods
from services.reporting.content.results_queries import ResultsQueries
from services.reporting.core.content import results_scope
from services.reporting.core.evidence import status_changes
from services.reporting.core.evidence.status_changes import FigureShift, InstantsCompared
from services.reporting.core.results_document import PlanResults
from services.reporting.core.timeline import UnreadableRecord
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

    async def find_changes(
        self, plan_id: str, period: str, *, before: QueryContext, after: QueryContext
    ) -> ChangesAnswer:
        """Return what differs; raise what `ReportingQueries.find_lines` and `ResultsQueries.find_results` raise."""
        duties = DutyFilter(plan=plan_id, periods=(*list_periods_within(periods.parse(period)), None))
        earlier = await self._queries.find_lines(duties, before)
        later = await self._queries.find_lines(duties, after)
        old = await self._find_results(plan_id, period, before)
        new = await self._find_results(plan_id, period, after)
        shifts = await asyncio.to_thread(status_changes.compare_results, old.obligations, new.obligations)
        return ChangesAnswer(
            duties=await asyncio.to_thread(status_changes.compare_lines, earlier.lines, later.lines),
            figures=shifts,
            unreadable=(*earlier.unreadable, *later.unreadable),
        )

    async def _find_results(self, plan_id: str, period: str, context: QueryContext) -> PlanResults:
        results = await self._results.find_results(plan_id, period, context)
        if context.scope.is_everything:
            return results
        return results_scope.restrict_results(results, context.scope.covers_agency)
