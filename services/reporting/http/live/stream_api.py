"""The stream of changes as server-sent events (HTML Standard, section 9.2): what changed, never how it stands.

A message says how many duties of which plan and period have a new revision, and which, to whoever may know it. How they
stand is asked of the other routes. `id` is the place to resume at (`Last-Event-ID`).
"""

import json
from collections.abc import AsyncIterator, Callable, Iterable
from itertools import groupby

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from services.reporting.core.access.decisions import Access, AccessRefusedError
from services.reporting.core.access.readers import ReaderScope
from services.reporting.http import problems, query_parameters
from services.reporting.http.access import guard
from services.reporting.http.access.guard import AccessRoute, RequireAgency
from services.reporting.http.live.change_feed import (
    ChangedDuty,
    ChangeFeed,
    ChangeMessage,
    ChangeSubscription,
    SubscriptionLostError,
    TooManySubscribersError,
)
from services.reporting.http.query_parameters import QueryParameters
from services.reporting.queries import DutyFilter

PATH = "/v1/stream"
_RETRY_MS = 5_000
_HEARTBEAT_SECONDS = 15.0  # proxies close a connection that is silent for a minute
_PATIENCE_SECONDS = 10.0  # with a database that is not followed yet, or not at the moment
_NAMED_MAX = 100  # duties that one message names
_POSITION_CHARS_MAX = 1_000

# Raises `AccessRefusedError` once the key or the session of a request is no longer in force.
RequireInForce = Callable[[Request], object]


class StreamApi:
    """The handler."""

    def __init__(self, feed: ChangeFeed, *, require_agency: RequireAgency, require_in_force: RequireInForce) -> None:
        self._feed = feed
        self._require_agency = require_agency
        self._require_in_force = require_in_force

    def routes(self) -> list[BaseRoute]:
        """Return the route."""
        return [AccessRoute(PATH, self.get_stream, Access.COVERED)]

    async def get_stream(self, request: Request) -> Response:
        """Stream the changes of a plan and periods, or of all; 503 where as many are connected as there may be."""
        parameters = QueryParameters(request)
        parameters.require_known("plan", "period")
        wanted = query_parameters.parse_duty_filter(parameters)
        parameters.raise_errors()
        # A reader who was told "ready" before the database is followed would miss what changes until then, unknowingly.
        is_following = await self._feed.wait_until_following(within_seconds=_PATIENCE_SECONDS)
        if self._feed.is_full or not is_following:
            raise HTTPException(503, headers={"Retry-After": str(problems.RETRY_AFTER_SECONDS)})
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._stream(request, wanted), media_type="text/event-stream", headers=headers)

    async def _stream(self, request: Request, wanted: DutyFilter) -> AsyncIterator[str]:
        after = request.headers.get("last-event-id", "")[:_POSITION_CHARS_MAX] or None
        try:
            with self._feed.subscribe(after) as subscription:
                yield f"retry: {_RETRY_MS}\n\n"
                kind = "reset" if subscription.is_reset else "ready"
                yield _format_event(kind, {}, position=subscription.starts_at)
                async for text in self._follow(request, wanted, subscription):
                    yield text
        except (TooManySubscribersError, SubscriptionLostError, AccessRefusedError):
            return  # the browser connects again, and is told why it may not

    async def _follow(
        self, request: Request, wanted: DutyFilter, subscription: ChangeSubscription
    ) -> AsyncIterator[str]:
        scope = guard.scope_of(request)
        while True:
            message = await subscription.receive(within_seconds=_HEARTBEAT_SECONDS)
            self._require_in_force(request)
            if message is None:
                yield ": \n\n"
            elif not message.changes:
                yield _format_event("reset", {}, position=message.position)
            elif changes := [one for one in message.changes if _is_wanted(one, wanted) and self._covers(one, scope)]:
                yield _render_changes(message, changes, scope)

    def _covers(self, change: ChangedDuty, scope: ReaderScope) -> bool:
        try:
            self._require_agency(change.agency, scope)
        except AccessRefusedError:
            return False
        return True


def _is_wanted(change: ChangedDuty, wanted: DutyFilter) -> bool:
    return wanted.plan in {None, change.plan} and (not wanted.periods or change.period in wanted.periods)


def _render_changes(message: ChangeMessage, changes: Iterable[ChangedDuty], scope: ReaderScope) -> str:
    def place(change: ChangedDuty) -> tuple[str, str]:
        return change.plan, change.period or ""

    # A group covers its members of each duty's last day, which is not known here: who it is about is left out.
    is_named = scope.is_everything or not scope.groups
    data = [
        {
            "plan": plan,
            "period": period or None,
            "count": len(several := list(group)),
            "duties": [_render_change(one) for one in several[:_NAMED_MAX]] if is_named else [],
        }
        for (plan, period), group in groupby(sorted(changes, key=place), key=place)
    ]
    return _format_event("changes", {"changes": data}, position=message.position)


def _render_change(change: ChangedDuty) -> dict[str, str | int]:
    return {"agency": change.agency, "obligation": change.obligation, "revision": change.revision}


def _format_event(kind: str, data: object, *, position: str) -> str:
    # JSON escapes line breaks, so that the data is one line.
    return f"id: {position}\nevent: {kind}\ndata: {json.dumps(data)}\n\n"
