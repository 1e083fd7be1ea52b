"""The handlers of the dashboard's pages: the overview, an agency, the style sheet. They query and render templates."""

from dataclasses import replace
from importlib import resources
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from schemas.events.assessments import Status
from schemas.plan import periods
from services.reporting.core import annual_report, duty_search, labels
from services.reporting.core.access.decisions import Access
from services.reporting.core.access.readers import EVERYTHING
from services.reporting.dashboard import help_texts, overview
from services.reporting.dashboard.overview import Overview, OverviewQuery
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.http import query_parameters
from services.reporting.http.access.guard import AccessRoute
from services.reporting.http.problems import InvalidQueryError
from services.reporting.http.query_parameters import QueryParameters
from services.reporting.queries import DutyFilter, QueryContext, ReportingQueries
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
            AccessRoute("/", self.get_overview, Access.COUNTS),
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

    async def get_overview(self, request: Request) -> Response:
        """Return the overview of the chosen plan and period, by default of the first plan and the current year.

        Whoever has no scope gets the counts by status alone; the guard lets them in where these are public.
        """
        parameters = QueryParameters(request)
        context = query_parameters.parse_context(parameters, self._clock)
        query = _parse_overview_query(parameters, context)
        parameters.raise_errors()
        plans = self._queries.plans()
        if not plans:
            return self._renderer.render_page("empty.html", request, context=context, values={})
        plan = self._queries.plan(query.plan) if query.plan else plans[0]
        years = await self._queries.find_years(plan.plan)
        period = query.period or _choose_year(years, _year_at(context, ZoneInfo(plan.zone)))
        if not context.scope.covers_duties:
            report = await self._queries.compile_report(plan.plan, period, replace(context, scope=EVERYTHING))
            counts = annual_report.count_by_status(report)
            return self._renderer.render_page(
                "counts.html", request, context=context, values={"report": report, "counts": counts}
            )
        report = await self._queries.compile_report(plan.plan, period, context)
        chapter = overview.choose_chapter(report, query.obligation)
        duty_search.require_groups(query.line_filter.groups, chapter.lines if chapter else (), context.scope)
        page = Overview(
            query=query,
            plan=report.plan,
            plans=plans,
            periods=tuple(sorted({*years, period})),
            report=report,
            chapter=chapter,
            lines=overview.select_lines(chapter, query),
            zone=ZoneInfo(plan.zone),
            has_documents=context.scope.is_everything,
        )
        return self._renderer.render_page(
            "overview.html", request, context=context, values={"page": page}, zone=page.zone
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


def _parse_overview_query(parameters: QueryParameters, context: QueryContext) -> OverviewQuery:
    query = parameters.request.query_params
    return OverviewQuery(
        plan=query.get("plan") or None,
        period=parameters.parse("period", _parse_period, None),
        obligation=query.get("obligation") or None,
        group=query.get("group") or None,
        status=parameters.parse("status", _parse_status, None),
        words=query.get("q", ""),
        language=context.language,
    )


def _parse_period(text: str) -> str | None:
    """Return the chosen period; the form sends an empty text for no choice."""
    return periods.parse(text).text if text else None


def _parse_status(name: str) -> Status | None:
    """Return the chosen status; the form sends an empty text for no choice."""
    if not name:
        return None
    try:
        return Status(name)
    except ValueError as cause:
        raise InvalidQueryError({"status": f"{name!r} is no status"}) from cause


def _year_at(context: QueryContext, zone: ZoneInfo) -> str:
    """Return the year of the instant asked about in *zone*, in which it may be the year before or after the bounds."""
    year = context.as_of.astimezone(zone).year
    return str(min(max(year, periods.YEARS[0]), periods.YEARS[-1]))


def _choose_year(years: list[str], this_year: str) -> str:
    """Return the latest of *years* up to *this_year*, else *this_year*."""
    # Years are texts of four digits, so they compare as numbers do.
    earlier = [year for year in years if year <= this_year]
    return earlier[-1] if earlier else this_year
