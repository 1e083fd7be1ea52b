"""The page of an agency: what it owes now and why, what was received, what it was told, what the recipient answered."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from schemas.events.assessments import Status, StepKind
from schemas.plan.plan import Plan
from services.reporting.cited_documents import NotFoundError
from services.reporting.core.access.decisions import Access
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.evidence import current_duties
from services.reporting.core.urging import AlertAttempt
from services.reporting.dashboard.evidence import agency_view
from services.reporting.dashboard.evidence.agency_view import AgencyIdentity, RunningDuty
from services.reporting.dashboard.evidence.duty_view import DutyView
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.evidence.document_queries import DocumentVersionSource
from services.reporting.evidence.duty_queries import DutyQueries
from services.reporting.http import query_parameters
from services.reporting.http.access.guard import AccessRoute
from services.reporting.http.query_parameters import QueryParameters
from services.reporting.queries import DutyFilter, QueryContext, ReportingQueries
from services.runtime.clock import Clock

# Explained one by one on the page; of an agency with more dated obligations the rest stands in the strips alone.
EXPLAINED_MAX = 6


class AgencyPage:
    """The handler."""

    def __init__(
        self,
        queries: ReportingQueries,
        duties: DutyQueries,
        documents: DocumentVersionSource,
        *,
        renderer: PageRenderer,
        clock: Clock,
    ) -> None:
        self._queries = queries
        self._duties = duties
        self._documents = documents
        self._renderer = renderer
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """Return the route."""
        return [AccessRoute("/agencies/{agency}", self.get_page, Access.COVERED)]

    async def get_page(self, request: Request) -> Response:
        """Return the page."""
        parameters = QueryParameters(request)
        context = query_parameters.parse_context(parameters, self._clock)
        parameters.raise_errors()
        agency = request.path_params["agency"]
        name = self._queries.agency_name(agency, context)
        found = await self._queries.find_lines(DutyFilter(agency=agency), context)
        lines = [line for line in found.lines if line.status is not Status.NOT_APPLICABLE]
        plans = self._queries.plans()
        running = await self._explain(lines, plans, context)
        attempts = [one for duty in running for one in _list_own_attempts(duty)]
        zone = ZoneInfo(plans[0].zone)
        values = {
            "agency": agency,
            "name": name,
            "running": running,
            "strips": [(plan, tuple(agency_view.build_strips(lines, plan))) for plan in plans],
            "undated": agency_view.list_undated(lines),
            "reach": agency_view.describe_reach(attempts, context.language),
            "identity": self._describe_identity(agency, context, zone),
            "is_own": context.scope.own_agency == agency,
            "unreadable": found.unreadable,
        }
        return await self._renderer.render_page("agency.html", request, context=context, values=values, zone=zone)

    async def _explain(
        self, lines: Sequence[DutyLine], plans: Sequence[Plan], context: QueryContext
    ) -> tuple[RunningDuty, ...]:
        """Return the running duties with their evidence."""
        chosen = [
            line
            for plan in plans
            for line in current_duties.select_current(
                (one for one in lines if one.key.plan == plan.plan), plan, context.as_of
            )
        ]
        answers = [await self._duties.find_duty(line.key, context) for line in chosen[:EXPLAINED_MAX]]
        return tuple(RunningDuty(view=DutyView(one.evidence)) for one in answers)

    def _describe_identity(self, agency_id: str, context: QueryContext, zone: ZoneInfo) -> AgencyIdentity:
        day = context.as_of.astimezone(zone).date()
        for plan in self._queries.plans():
            registry = self._documents.registry(plan.registry)
            agency = registry.agency(agency_id) if registry else None
            if registry is not None and agency is not None:
                return agency_view.describe_identity(registry, agency, day=day, language=context.language)
        raise NotFoundError(en=f"no agency {agency_id!r} is published", vi=f"chưa công bố đơn vị {agency_id!r}")


def _list_own_attempts(duty: RunningDuty) -> list[AlertAttempt]:
    """Return the attempts at alerts to the agency itself."""
    attempts = (attempt for alert in duty.view.evidence.alerts for attempt in alert.attempts)
    return [one for one in attempts if one.kind is not StepKind.ESCALATION]
