"""The page of one event: what came in, when, by which receipt, what became of it, what rests on it, and the record."""

from zoneinfo import ZoneInfo

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from schemas.plan.plan import Plan
from schemas.text import normal_form
from services.reporting.cited_documents import NotFoundError
from services.reporting.core.access.decisions import Access
from services.reporting.core.evidence import fact_words
from services.reporting.core.evidence.wording import Wording
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.evidence.event_queries import AttemptAnswer, FactAnswer
from services.reporting.http import query_parameters
from services.reporting.http.access.guard import AccessRoute
from services.reporting.http.evidence.event_api import EventApi
from services.reporting.http.query_parameters import QueryParameters
from services.reporting.queries import QueryContext, ReportingQueries
from services.runtime.clock import Clock


class EventPage:
    """The handler."""

    def __init__(self, queries: ReportingQueries, events: EventApi, renderer: PageRenderer, *, clock: Clock) -> None:
        self._queries = queries
        self._events = events
        self._renderer = renderer
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """Return the route. An id may hold slashes."""
        return [AccessRoute("/events/{event:path}", self.get_page, Access.COVERED)]

    async def get_page(self, request: Request) -> Response:
        """Return the page of a fact, or of an attempt at an alert."""
        parameters = QueryParameters(request)
        context = query_parameters.parse_context(parameters, self._clock)
        parameters.raise_errors()
        answer = await self._events.find_event(request, context)
        if isinstance(answer, AttemptAnswer):
            return await self._render_attempt(request, answer, context)
        return await self._render_fact(request, answer, context)

    async def _render_fact(self, request: Request, answer: FactAnswer, context: QueryContext) -> Response:
        plan = self._queries.plan(answer.duty.plan)
        zone = ZoneInfo(plan.zone)
        words = Wording(zone=zone, language=context.language)
        obligation = plan.obligation(answer.duty.obligation)
        values = {
            "answer": answer,
            "fact": answer.fact.fact,
            "title": fact_words.describe_fact(answer.fact, answer.docket, words),
            "agency_name": self._queries.agency_name(answer.duty.agency, context),
            "duty_title": obligation.title.in_language(context.language) if obligation else answer.duty.obligation,
            "named": _describe_named(answer, words),
            "record": format_record(answer.record),
            "size": len(answer.record),
        }
        return await self._renderer.render_page("event.html", request, context=context, values=values, zone=zone)

    async def _render_attempt(self, request: Request, answer: AttemptAnswer, context: QueryContext) -> Response:
        attempt, first = answer.attempt, answer.attempt.attempts[0]
        plan = self._queries.plan(first.key.plan)
        zone = ZoneInfo(plan.zone)
        words = Wording(zone=zone, language=context.language)
        values = {
            "attempt": attempt,
            "first": first,
            "title": fact_words.describe_alert(first, self._name_told(first.to_agency, plan, context), words),
            "outcome": fact_words.describe_outcome(first, words),
            "agency_name": self._queries.agency_name(first.key.agency, context),
            "record": format_record(attempt.record),
            "size": len(attempt.record),
        }
        return await self._renderer.render_page("alert.html", request, context=context, values=values, zone=zone)

    def _name_told(self, agency: str, plan: Plan, context: QueryContext) -> str:
        """Return the name of the agency that an alert went to; a list of contacts is that of the report's addressee."""
        try:
            return self._queries.agency_name(agency, context)
        except NotFoundError:
            return plan.report.addressee or agency


def format_record(record: bytes) -> str:
    """Return a record with a member on each line; its numbers keep the digits that they were written with.

    What a reader does not see stands as its escape, so that a record never looks like another one.
    """
    return normal_form.escape_unseen(msgspec.json.format(record, indent=2).decode("utf-8", "replace"))


def _describe_named(answer: FactAnswer, words: Wording) -> list[tuple[str, str]]:
    """Return what corrects the submission or acts on it, in order of receipt: receipt and words."""
    history = answer.history
    if history is None:
        return []
    by_receipt = {one.fact.receiptid: one for one in answer.docket}
    facts = [*([history.corrects] if history.corrects else []), *history.corrected_by, *history.acts]
    known = [by_receipt[one.receiptid] for one in facts if one.receiptid in by_receipt]
    return [(one.fact.receiptid, fact_words.describe_fact(one, answer.docket, words)) for one in known]
