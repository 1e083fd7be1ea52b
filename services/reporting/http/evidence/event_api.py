"""The handler of one event: as it was recorded, its receipt, what names it, and which statuses rest on it."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from schemas.events.deliveries import DELIVERED
from schemas.events.ids import DutyKey
from services.reporting.core import json_views
from services.reporting.core.access.decisions import Access
from services.reporting.core.content.submission_history import DocketFact
from services.reporting.evidence.event_queries import AmbiguousEventError, AttemptAnswer, EventQueries, FactAnswer
from services.reporting.http import conditional, query_parameters
from services.reporting.http.access.guard import AccessRoute
from services.reporting.http.problems import InvalidQueryError
from services.reporting.http.query_parameters import INSTANTS, QueryParameters
from services.reporting.queries import QueryContext
from services.runtime.clock import Clock


class EventApi:
    """The handler."""

    def __init__(self, events: EventQueries, *, clock: Clock) -> None:
        self._events = events
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """Return the route. An id may hold slashes."""
        return [AccessRoute("/v1/events/{event:path}", self.get_event, Access.COVERED)]

    async def get_event(self, request: Request) -> Response:
        """Return an event by its id, or a fact by the id of its receipt."""
        parameters = QueryParameters(request)
        parameters.require_known("source", *INSTANTS)
        context = query_parameters.parse_context(parameters, self._clock)
        parameters.raise_errors()
        answer = await self.find_event(request, context)
        view = _render_fact(answer) if isinstance(answer, FactAnswer) else _render_attempt(answer)
        head = {"as_of": context.as_of.isoformat(), "known_at": context.known_at.isoformat()}
        return Response(msgspec.json.encode({**view, **head}), media_type=conditional.JSON)

    async def find_event(self, request: Request, context: QueryContext) -> FactAnswer | AttemptAnswer:
        """Return the event that the path names; raise `InvalidQueryError` where its source has to be named, too."""
        source = request.query_params.get("source") or None
        try:
            return await self._events.find_event(request.path_params["event"], source, context)
        except AmbiguousEventError as cause:
            raise InvalidQueryError({"source": cause.detail}) from cause


def _render_fact(answer: FactAnswer) -> dict[str, Any]:
    fact, history = answer.fact.fact, answer.history
    return {
        "id": fact.identity[1],
        "source": fact.identity[0],
        "type": fact.type,
        "receipt": {
            "receiptid": fact.receiptid,
            "receivedtime": json_views.render_instant(fact.received_at),
            "recordedtime": json_views.render_instant(fact.recorded_at),
        },
        # As recorded: every figure with the digits that it was written with.
        "event": msgspec.Raw(answer.record),
        "stands": answer.stands,
        "corrects": None if history is None or history.corrects is None else render_reference(history.corrects),
        "corrected_by": [] if history is None else [render_reference(one) for one in history.corrected_by],
        "acts": [] if history is None else [{"type": one.type, **render_reference(one)} for one in history.acts],
        "duties": [
            _render_duty(one.key, status=one.status.value, since=one.span.from_at.isoformat()) for one in answer.states
        ],
        "versions": [{"period": one.period, "version": one.version} for one in answer.versions],
        "unreadable": json_views.render_unreadable(answer.unreadable),
    }


def _render_attempt(answer: AttemptAnswer) -> dict[str, Any]:
    return {
        "id": answer.attempt.event,
        "source": answer.source,
        "type": DELIVERED,
        "receipt": None,
        "event": msgspec.Raw(answer.attempt.record),
        "stands": False,
        "corrects": None,
        "corrected_by": [],
        "acts": [],
        "duties": [_render_duty(one.key, status=None, since=None) for one in answer.attempt.attempts],
        "versions": [],
        "unreadable": [],
    }


def render_reference(fact: DocketFact) -> dict[str, str | None]:
    """Render how another fact is found."""
    source, event_id = fact.identity
    received_at = json_views.render_instant(fact.received_at)
    return {"receiptid": fact.receiptid, "source": source, "id": event_id, "receivedtime": received_at}


def _render_duty(key: DutyKey, *, status: str | None, since: str | None) -> dict[str, str | None]:
    duty = {"plan": key.plan, "agency": key.agency, "obligation": key.obligation, "period": key.period}
    return {**duty, "status": status, "since": since}
