"""The handler of one duty: its status, the sentence that explains it, its timeline, every fact and every alert."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from schemas.events.ids import DutyKey
from schemas.plan import periods
from services.reporting.cited_documents import NotFoundError
from services.reporting.core import json_views
from services.reporting.core.access.decisions import Access
from services.reporting.core.evidence import evidence_views
from services.reporting.evidence.duty_queries import DutyQueries
from services.reporting.http import conditional, query_parameters
from services.reporting.http.access.guard import AccessRoute
from services.reporting.http.query_parameters import INSTANTS, QueryParameters
from services.runtime.clock import Clock

# What stands in a path for no period (contract section 4).
NO_PERIOD = "-"


class DutyApi:
    """The handler."""

    def __init__(self, duties: DutyQueries, *, clock: Clock) -> None:
        self._duties = duties
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """Return the route."""
        path = "/v1/duties/{plan}/{agency}/{obligation}/{period}"
        return [AccessRoute(path, self.get_duty, Access.COVERED)]

    async def get_duty(self, request: Request) -> Response:
        """Return one duty and everything that its status rests on."""
        parameters = QueryParameters(request)
        parameters.require_known(*INSTANTS)
        context = query_parameters.parse_context(parameters, self._clock)
        parameters.raise_errors()
        answer = await self._duties.find_duty(parse_duty_of_path(request), context)
        return conditional.respond_json(
            request,
            {
                "as_of": context.as_of.isoformat(),
                "known_at": context.known_at.isoformat(),
                **evidence_views.render_evidence(answer.evidence),
                "unreadable": json_views.render_unreadable(answer.unreadable),
            },
        )


def parse_duty_of_path(request: Request) -> DutyKey:
    """Return the duty that the path names; raise `NotFoundError` where it is none."""
    named = request.path_params
    period = named["period"]
    try:
        return DutyKey.from_event(
            plan=named["plan"],
            agency=named["agency"],
            obligation=named["obligation"],
            period=None if period == NO_PERIOD else periods.parse(period).text,
        )
    except ValueError as cause:
        raise NotFoundError(en=str(cause), vi=f"kỳ báo cáo phải có dạng như {periods.FORMS_VI}") from cause
