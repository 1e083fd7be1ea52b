"""The routes of the pages of a season."""

from starlette.routing import BaseRoute

from services.reporting.content.results_queries import ResultsQueries
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.dashboard.season.compiled_page import CompiledPage
from services.reporting.dashboard.season.duties_page import DutiesPages
from services.reporting.dashboard.season.results_page import ResultsPages
from services.reporting.dashboard.season.season_page import SeasonPages
from services.reporting.queries import ReportingQueries
from services.runtime.clock import Clock


def build_routes(
    queries: ReportingQueries, results: ResultsQueries, renderer: PageRenderer, *, clock: Clock
) -> list[BaseRoute]:
    """Return the routes of the season, its list, its results and what the middle level compiles."""
    return [
        *SeasonPages(queries, results, renderer, clock=clock).routes(),
        *DutiesPages(queries, renderer, clock=clock).routes(),
        *ResultsPages(queries, results, renderer, clock=clock).routes(),
        *CompiledPage(results, renderer, clock=clock).routes(),
    ]
