"""The HTTP API (contract, section 4): duties, one agency, receipts, the figures of a period."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from services.reporting.content.submission_queries import SubmissionQueries
from services.reporting.core import json_views
from services.reporting.core.access.decisions import Access
from services.reporting.core.access.readers import EVERYTHING, ReaderScope
from services.reporting.core.annual_report import AnnualReport
from services.reporting.http import conditional, duty_lists, query_parameters
from services.reporting.http.access import guard
from services.reporting.http.access.guard import AccessRoute
from services.reporting.http.duty_lists import DutyListApi
from services.reporting.http.query_parameters import QueryParameters
from services.reporting.queries import DutyFilter, QueryContext, ReportingQueries
from services.runtime.clock import Clock


class ReportingApi:
    """The handlers of the API; each parses a query, runs it and renders the result."""

    def __init__(self, queries: ReportingQueries, submissions: SubmissionQueries, *, clock: Clock) -> None:
        self._queries = queries
        self._submissions = submissions
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [
            *DutyListApi(self._queries, clock=self._clock).routes(),
            AccessRoute("/v1/agencies/{agency}", self.get_agency, Access.COVERED),
            AccessRoute("/v1/receipts/{receiptid}", self.get_receipt, Access.COVERED),
            AccessRoute("/v1/plans/{plan}/periods/{period}", self.get_period, Access.COUNTS),
        ]

    async def get_agency(self, request: Request) -> Response:
        """Return one agency and its duties, in every plan and period or in those that the query names."""
        parameters = QueryParameters(request)
        query = query_parameters.parse_duties_query(parameters, self._clock, *query_parameters.AGENCY_DUTIES)
        agency = request.path_params["agency"]
        name = self._queries.agency_name(agency, query.context)
        of_agency = replace(query, duty_filter=replace(query.duty_filter, agency=agency))
        found = await duty_lists.find_duties(self._queries, of_agency)
        page = duty_lists.cut_page(found, query, limit=query.limit or query_parameters.DEFAULT_LIMIT)
        document = {"agency": agency, "name": name, **duty_lists.render_page(found, page, query.context)}
        return conditional.respond_json(request, document)

    async def get_receipt(self, request: Request) -> Response:
        """Return the event that a receipt confirms, and the state of the duty that the event is about."""
        context = query_parameters.parse_instants(request, self._clock)
        receiptid = request.path_params["receiptid"]
        receipt = await self._submissions.find_fact(receiptid)
        key = receipt.duty
        await self._queries.require_duty(key, context)
        duty_filter = DutyFilter(plan=key.plan, agency=key.agency, obligation=key.obligation, periods=(key.period,))
        found = await self._queries.find_lines(duty_filter, context)
        event = {
            "id": receipt.event,
            "source": receipt.source,
            "type": receipt.type,
            "receivedtime": receipt.receivedtime,
        }
        duty = json_views.render_duty(found.lines[0]) if found.lines else None
        unreadable = json_views.render_unreadable(found.unreadable)
        context_and_duty = {**_render_context(context), "duty": duty, "unreadable": unreadable}
        return JSONResponse({"receiptid": receiptid, **event, **context_and_duty})

    async def get_period(self, request: Request) -> Response:
        """Return the figures of a plan's period, overall, by obligation and by group.

        Whoever has no scope gets the counts by status alone; the guard lets them in where these are public.
        """
        if guard.scope_of(request).covers_duties:
            document = json_views.render_summary(await self._compile_duties(request))
            return conditional.respond_json(request, document)
        everybody = await self._compile_duties(request, scope=EVERYTHING)
        return conditional.respond_json(request, json_views.render_counts_by_status(everybody))

    async def _compile_duties(self, request: Request, scope: ReaderScope | None = None) -> AnnualReport:
        """Compile the duties of what *scope* covers, by default that of the reader."""
        context = query_parameters.parse_instants(request, self._clock)
        context = context if scope is None else replace(context, scope=scope)
        period = query_parameters.parse_period_of_path(request)
        return await self._queries.compile_report(request.path_params["plan"], period, context)


def _render_context(context: QueryContext) -> dict[str, str]:
    return {"as_of": context.as_of.isoformat(), "known_at": context.known_at.isoformat()}
