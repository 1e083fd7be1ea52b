"""The page of the middle level: who of the agencies below has reported, and what their figures add up to."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from schemas.content import units
from schemas.events.assessments import Status
from schemas.events.ids import DutyKey
from schemas.plan import figures
from services.reporting.content.results_queries import ResultsQueries
from services.reporting.core import vietnamese_locale
from services.reporting.core.access.decisions import Access
from services.reporting.core.content.compiled_report import (
    CompiledReports,
    ConsolidatedPart,
    ConsolidatedReport,
    PartsTotal,
)
from services.reporting.core.season import seasons
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.dashboard.season import indicator_rows
from services.reporting.http import query_parameters
from services.reporting.http.access.guard import AccessRoute
from services.reporting.http.query_parameters import QueryParameters
from services.runtime.clock import Clock

PATH = "/compiled/{plan}/{agency}/{period}"
_PLACES = 6
_SENT = frozenset({Status.ON_TIME, Status.LATE, Status.INCOMPLETE})


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledReportView:
    """One report that the agency compiles, as the template shows it."""

    compiled: CompiledReports
    report: ConsolidatedReport
    language: str

    @property
    def title(self) -> str:
        """What the plan calls the report."""
        obligation = self.compiled.plan.obligation(self.report.obligation)
        return self.report.obligation if obligation is None else obligation.title.in_language(self.language)

    @property
    def key(self) -> DutyKey:
        """The agency's own duty."""
        return self.key_of(self.compiled.agency, self.report.obligation)

    @property
    def parts(self) -> list[ConsolidatedPart]:
        """The agencies below in the order of their names."""
        return sorted(
            self.report.parts, key=lambda one: vietnamese_locale.collation_key(self.compiled.name_of(one.agency))
        )

    @property
    def sent(self) -> int:
        """How many of the agencies below have sent anything that counts."""
        return sum(one.status in _SENT for one in self.report.parts)

    @property
    def statuses(self) -> Iterable[tuple[Status, int]]:
        """How many agencies below have each status, in the order of the statuses."""
        counts = Counter(one.status for one in self.report.parts)
        return [(status, counts[status]) for status in Status if counts[status]]

    @property
    def differing(self) -> list[str]:
        """The indicators of which the compiled report gives another figure than its parts add up to."""
        return [one.indicator.label_in(self.language) for one in self.report.totals if one.differs]

    def key_of(self, agency: str, obligation: str) -> DutyKey:
        """Return the key of a duty of the same plan and period."""
        return DutyKey(plan=self.compiled.plan.plan, agency=agency, obligation=obligation, period=self.compiled.period)

    def describe_unit(self, total: PartsTotal) -> str:
        """Return the unit of an indicator in words."""
        unit = units.describe_unit(total.indicator.unit)
        return unit.in_language(self.language) if unit else ""

    def show_figure(self, part: ConsolidatedPart, total: PartsTotal) -> str:
        """Return a figure of an agency below; empty where it gives none."""
        figure = part.figures.get(total.indicator.code)
        return "" if figure is None else indicator_rows.format_figure(figure, self.language, places=_PLACES)

    def show_sum(self, total: PartsTotal) -> str:
        """Return what the agencies below add up to; a sum over nobody is unknown and not zero."""
        return indicator_rows.format_figure(total.total if total.given else None, self.language, places=_PLACES)

    def show_own(self, total: PartsTotal) -> str:
        """Return the figure of the compiled report."""
        return indicator_rows.format_figure(total.own, self.language, places=_PLACES)

    def show_difference(self, total: PartsTotal) -> str:
        """Return by how much the compiled report differs from the sum; empty where there is nothing to compare."""
        if total.own is None or not total.given:
            return ""
        difference = figures.add_exactly((total.own, -total.total))
        return indicator_rows.format_figure(difference, self.language, places=_PLACES)


class CompiledPage:
    """The handler."""

    def __init__(self, results: ResultsQueries, renderer: PageRenderer, *, clock: Clock) -> None:
        self._results = results
        self._renderer = renderer
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """Return the route."""
        return [AccessRoute(PATH, self.get_page, Access.COVERED)]

    async def get_page(self, request: Request) -> Response:
        """Return the page."""
        parameters = QueryParameters(request)
        parameters.require_known(*query_parameters.INSTANTS)
        context = query_parameters.parse_context(parameters, self._clock)
        parameters.raise_errors()
        plan, period = request.path_params["plan"], query_parameters.parse_period_of_path(request)
        found = await self._results.find_compiled_reports(plan, period, request.path_params["agency"], context)
        values = {
            "compiled": found,
            "period_name": seasons.name_period(period, context.language),
            "number": found.plan.sources[0].number if found.plan.sources else found.plan.plan,
            "views": [
                CompiledReportView(compiled=found, report=one, language=context.language) for one in found.reports
            ],
            # A reader of the agency that compiles sees what was sent to it, and not the pages of those who sent it.
            "may_open_parts": context.scope.is_everything,
        }
        zone = self._renderer.zone_of(plan)
        return await self._renderer.render_page("compiled.html", request, context=context, values=values, zone=zone)
