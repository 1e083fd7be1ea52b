"""The handlers of further pages of the dashboard: an agency, the help, the style sheet."""

from importlib import resources
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from schemas.events.assessments import Status
from schemas.plan import periods
from services.reporting.core import labels
from services.reporting.core.access.decisions import Access
from services.reporting.dashboard import help_texts
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.http import query_parameters
from services.reporting.http.access.guard import AccessRoute
from services.reporting.http.query_parameters import QueryParameters
from services.reporting.queries import DutyFilter, ReportingQueries
from services.runtime.clock import Clock

CACHE_ONE_DAY = {"Cache-Control": "public, max-age=86400"}


class Dashboard:
    """The handlers of the pages."""

    def __init__(self, queries: ReportingQueries, clock: Clock, renderer: PageRenderer) -> None:
        self._queries = queries
        self._clock = clock
        self._renderer = renderer
        self._style_sheet = resources.files(__package__).joinpath("style.css").read_text(encoding="utf-8")

    def routes(self) -> list[BaseRoute]:
        """Return the routes of the pages."""
        return [
            AccessRoute("/agencies/{agency}", self.get_agency, Access.COVERED),
            AccessRoute("/help", self.get_help, Access.COVERED),
            AccessRoute("/style.css", self.get_style_sheet, Access.OPEN),
        ]

    async def get_style_sheet(self, _request: Request) -> Response:
        """Return the style sheet."""
        return Response(self._style_sheet, media_type="text/css", headers=CACHE_ONE_DAY)

    async def get_help(self, request: Request) -> Response:
        """Return what the words and numbers of the pages mean."""
        return self._renderer.render_open_page(
            "help.html", request, values={"statuses": help_texts.STATUSES, "paragraphs": help_texts.PARAGRAPHS}
        )

    async def get_agency(self, request: Request) -> Response:
        """Return the page of one agency: all its duties, plan by plan."""
        parameters = QueryParameters(request)
        context = query_parameters.parse_context(parameters, self._clock)
        parameters.raise_errors()
        agency = request.path_params["agency"]
        name = self._queries.agency_name(agency, context)
        found = await self._queries.find_lines(DutyFilter(agency=agency), context)
        plans = {plan.plan: plan for plan in self._queries.plans()}
        applicable = [line for line in found.lines if line.status is not Status.NOT_APPLICABLE]
        values = {
            "agency": agency,
            "name": name,
            "lines": sorted(applicable, key=lambda line: periods.sort_key(line.key.period), reverse=True),
            "unreadable": found.unreadable,
            "plans": plans,
            "zones": {plan_id: ZoneInfo(plan.zone) for plan_id, plan in plans.items()},
            "labels": labels,
        }
        return self._renderer.render_page("agency.html", request, context=context, values=values)
