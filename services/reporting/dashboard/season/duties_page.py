"""The list of duties as a page: what it can be narrowed to with counts, sorted by any column, page by page."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from schemas.events.assessments import Status
from services.reporting.core import labels
from services.reporting.core.access.decisions import Access
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.lists import facets, filters, sorting
from services.reporting.core.lists.facets import Facets, FacetValue
from services.reporting.core.lists.sorting import LinePage
from services.reporting.dashboard import templating
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.dashboard.season import season_choice
from services.reporting.dashboard.season.season_choice import SeasonChoice
from services.reporting.http import duty_lists, query_parameters
from services.reporting.http.access.guard import AccessRoute
from services.reporting.http.duty_lists import FoundDuties
from services.reporting.http.query_parameters import AGENCY_DUTIES, INSTANTS, ONE_OFF, DutiesQuery, QueryParameters
from services.reporting.queries import DutyFilter, ReportingQueries
from services.runtime.clock import Clock

ROWS = 50
_BY_NAME = sorting.parse_order("agency_name")
PATH = "/duties"

# The columns of the table that sort: the text of the heading, the column of the list, whether its first click turns it
# round because the large values are looked for.
COLUMNS = (
    ("agency", "agency_name", False),
    ("status", "status", False),
    ("due", "due_at", False),
    ("received", "effective_at", True),
    ("days_late", "days_late", True),
    ("missing", "missing", False),
    ("urged", "urging", True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DutiesPage:
    """Everything that the template of the list shows."""

    choice: SeasonChoice
    query: DutiesQuery
    candidates: Sequence[DutyLine]
    found: FoundDuties
    page: LinePage
    facets: Facets
    asked: Mapping[str, str]

    def link(self, **changes: str | None) -> str:
        """Return the address of this list with other parameters, from its first page; None leaves one out."""
        query = {**self.asked, **changes, **self.choice.link_parameters}
        return f"{PATH}?{urlencode({name: value for name, value in query.items() if value})}"

    def link_facet(self, facet: str, one: FacetValue) -> str:
        """Return the address of the list with a value of a facet chosen as well, or given up where it is chosen."""
        chosen = self.query.line_filter.list_chosen()[facet]
        values = chosen - {one.value} if one.is_chosen else chosen | {one.value}
        return self.link(**{facet: ",".join(sorted(values))})

    def link_sort(self, column: str, *, is_descending_first: bool) -> str:
        """Return the address of the list sorted by a column, turned round where it is sorted by it already."""
        current = str(self.query.order)
        first, second = (f"-{column}", column) if is_descending_first else (column, f"-{column}")
        return self.link(sort=second if current == first else first)

    def link_next(self) -> str | None:
        """Return the address of the page after this one, if there is one."""
        return None if self.page.next_cursor is None else self.link(cursor=self.page.next_cursor)

    def link_export(self, form: str) -> str:
        """Return the address of every row of exactly this question as a file."""
        query = {**self.asked, **self.choice.link_parameters, "format": form, "lang": self.choice.language}
        return f"{duty_lists.PATH}?{urlencode({name: value for name, value in query.items() if value})}"

    def sorted_by(self, column: str) -> str:
        """Return the direction in which the list is sorted by a column, as `aria-sort` says it."""
        first = next(iter(self.query.order.columns), None)
        if first is None or first.name != column:
            return "none"
        return "descending" if first.is_descending else "ascending"

    def name_value(self, facet: str, value: str) -> str:
        """Return what a value of a facet is called."""
        language = self.choice.language
        match facet:
            case "status":
                return labels.status_label(Status(value), language)
            case "queue":
                return templating.text(f"queue_{value}", language)
            case "flag":
                return labels.flag_label(value, language)
            case "group":
                return next((one.group_name for one in self.candidates if one.group == value), value)
            case "obligation":
                return next((one.title for one in self.candidates if one.key.obligation == value), value)
            case _:
                return self._name_part(value)

    def describe_missing(self, line: DutyLine) -> str:
        """Return what is missing from a line's report and the notes on the line, in words."""
        obligation = self.choice.plan.obligation(line.key.obligation)
        missing = (
            [labels.describe_missing(line, obligation, self.choice.plan, self.choice.language)] if obligation else []
        )
        return "; ".join(filter(None, (*missing, *labels.describe_notes(line, self.choice.language))))

    def describe_urging(self, line: DutyLine) -> str:
        """Return how often and by which channels the agency was alerted."""
        return labels.describe_urging(line.urging, self.choice.zone, self.choice.language)

    def _name_part(self, name: str) -> str:
        line = next((one for one in self.candidates if name in one.missing), None)
        plan, language = self.choice.plan, self.choice.language
        obligation = plan.obligation(line.key.obligation) if line else None
        return labels.missing_part_label(name, obligation, plan, language=language) if obligation else name


class DutiesPages:
    """The handler."""

    def __init__(self, queries: ReportingQueries, renderer: PageRenderer, *, clock: Clock) -> None:
        self._queries = queries
        self._renderer = renderer
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """Return the route."""
        return [AccessRoute(PATH, self.get_duties, Access.COVERED)]

    async def get_duties(self, request: Request) -> Response:
        """Return a page of the duties of a plan and period, by default of the season that runs."""
        parameters = QueryParameters(request)
        query = query_parameters.parse_duties_query(parameters, self._clock, *AGENCY_DUTIES)
        season_parameters = QueryParameters(request)
        choice = await season_choice.choose_season(self._queries, season_parameters, query.context)
        if choice is None:
            return await self._renderer.render_page("empty.html", request, context=query.context, values={})
        query = _complete(query, choice)
        found = await duty_lists.find_duties(self._queries, query)
        page = await asyncio.to_thread(_build_page, found, query, choice=choice, request=request)
        return await self._renderer.render_page(
            "duties.html",
            request,
            context=query.context,
            values={"page": page, "choice": choice, "columns": COLUMNS},
            zone=choice.zone,
        )


def _complete(query: DutiesQuery, choice: SeasonChoice) -> DutiesQuery:
    """Return the query with the season that runs, where it names no period.

    The obligation becomes a condition on lines, so that the others can be counted beside it.
    """
    asked, obligation = query.duty_filter, query.duty_filter.obligation
    periods = asked.periods
    if choice.season and not periods:
        periods, obligation = (choice.season.period,), obligation or choice.season.obligation.id
    duties = DutyFilter(plan=choice.plan.plan, agency=asked.agency, periods=periods)
    obligations = frozenset({obligation} if obligation else ())
    line_filter = replace(query.line_filter, obligations=obligations)
    # The pages of an order follow its cursors, which belong to it: every link names the order.
    order = query.order if query.order.columns else _BY_NAME
    return replace(query, duty_filter=duties, line_filter=line_filter, order=order)


def _build_page(found: FoundDuties, query: DutiesQuery, *, choice: SeasonChoice, request: Request) -> DutiesPage:
    # What never bound anybody is no row of a list, unless it is asked for.
    if Status.NOT_APPLICABLE not in query.line_filter.statuses:
        applicable = found.candidates.narrow(filters.narrow_lines, filters.APPLICABLE)
        found = replace(found, candidates=applicable, lines=applicable.narrow(filters.narrow_lines, query.line_filter))
    asked = {
        name: value
        for name, value in request.query_params.items()
        if value and name in AGENCY_DUTIES and name not in (*INSTANTS, "cursor")
    }
    asked["period"] = ",".join(period or ONE_OFF for period in query.duty_filter.periods)
    asked["sort"] = str(query.order)
    asked["obligation"] = ",".join(query.line_filter.obligations)
    return DutiesPage(
        choice=choice,
        query=query,
        candidates=found.candidates.items,
        found=found,
        page=duty_lists.cut_page(found, query, limit=query.limit or ROWS),
        facets=facets.count_facets(found.candidates, query.line_filter),
        asked={**asked, "plan": choice.plan.plan},
    )
