"""The page of one duty: why it has its status, what was sent, what happened, and the clause that asks for it."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from services.reporting.core.access.decisions import Access
from services.reporting.dashboard.evidence.duty_view import DutyView
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.evidence.duty_queries import DutyQueries
from services.reporting.http import query_parameters
from services.reporting.http.access import guard
from services.reporting.http.access.guard import AccessRoute
from services.reporting.http.evidence import duty_api
from services.reporting.http.query_parameters import QueryParameters
from services.runtime.clock import Clock


class DutyPage:
    """The handler."""

    def __init__(self, duties: DutyQueries, renderer: PageRenderer, *, clock: Clock) -> None:
        self._duties = duties
        self._renderer = renderer
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """Return the route."""
        return [AccessRoute("/duties/{plan}/{agency}/{obligation}/{period}", self.get_page, Access.COVERED)]

    async def get_page(self, request: Request) -> Response:
        """Return the page."""
        parameters = QueryParameters(request)
        context = query_parameters.parse_context(parameters, self._clock)
        parameters.raise_errors()
        key = duty_api.parse_duty_of_path(request)
        answer = await self._duties.find_duty(key, context)
        view = DutyView(answer.evidence, await self._duties.find_year_before(key, context))
        values = {
            "view": view,
            "line": view.line,
            "unreadable": answer.unreadable,
            "may_review": guard.reader_of(request).may_review,
        }
        zone = answer.evidence.context.zone
        return await self._renderer.render_page("duty.html", request, context=context, values=values, zone=zone)
