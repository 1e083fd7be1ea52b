"""The handler of two instants compared: which duties changed their status, which figures differ, by which events."""

from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from schemas.plan import figures
from schemas.plan.plan import Plan
from schemas.plan.values import Bilingual
from services.reporting.core import json_views
from services.reporting.core.access.decisions import Access
from services.reporting.core.evidence import status_changes
from services.reporting.core.evidence.status_changes import FigureShift, InstantsCompared, StatusChange
from services.reporting.core.evidence.wording import Wording
from services.reporting.evidence.change_queries import ChangeQueries, ChangesAnswer
from services.reporting.http import conditional, query_parameters
from services.reporting.http.access.guard import AccessRoute
from services.reporting.http.query_parameters import INSTANTS, QueryParameters
from services.reporting.queries import QueryContext, ReportingQueries
from services.runtime.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoInstants:
    """The same question asked about two instants."""

    before: QueryContext
    after: QueryContext


_SINCE_NEEDED = Bilingual.of(
    en="is needed: the earlier instant, such as 2026-12-04T17:00:00+07:00",
    vi="là bắt buộc: thời điểm trước đó, ví dụ 2026-12-04T17:00:00+07:00",
)


class ChangeApi:
    """The handler."""

    def __init__(self, queries: ReportingQueries, changes: ChangeQueries, *, clock: Clock) -> None:
        self._queries = queries
        self._changes = changes
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """Return the route."""
        return [AccessRoute("/v1/plans/{plan}/periods/{period}/changes", self.get_changes, Access.COVERED)]

    async def get_changes(self, request: Request) -> Response:
        """Return what differs between `since` and the instant asked about."""
        parameters = QueryParameters(request)
        parameters.require_known("since", "since_known_at", *INSTANTS)
        after = query_parameters.parse_context(parameters, self._clock)
        asked = parse_two_instants(parameters, after)
        parameters.raise_errors()
        plan = self._queries.plan(request.path_params["plan"])
        period = query_parameters.parse_period_of_path(request)
        answer = await self._changes.find_changes(plan.plan, period, before=asked.before, after=asked.after)

        def respond() -> Response:
            document = {"plan": plan.plan, "period": period, **_render(answer, asked, plan)}
            return conditional.respond_json(request, document)

        # Ten thousand duties may have changed.
        return await run_in_threadpool(respond)


def parse_two_instants(parameters: QueryParameters, after: QueryContext) -> TwoInstants:
    """Return the two instants: `since`, as known then or at `since_known_at`, and that of *after*."""
    since = parameters.parse("since", query_parameters.parse_instant, None)
    if since is None:
        parameters.errors.setdefault("since", _SINCE_NEEDED)
        since = after.as_of
    known_at = parameters.parse("since_known_at", query_parameters.parse_instant, since)
    return TwoInstants(before=replace(after, as_of=since, known_at=known_at), after=after)


def _render(answer: ChangesAnswer, asked: TwoInstants, plan: Plan) -> dict[str, Any]:
    words = Wording(zone=ZoneInfo(plan.zone), language=asked.after.language)
    return {
        "since": asked.before.as_of.isoformat(),
        "since_known_at": asked.before.known_at.isoformat(),
        "as_of": asked.after.as_of.isoformat(),
        "known_at": asked.after.known_at.isoformat(),
        "counts": _render_counts(answer.duties),
        "unchanged": answer.duties.unchanged,
        "duties": [_render_change(one, plan, words) for one in answer.duties.changes],
        "figures": [_render_shift(one) for one in answer.figures],
        "unreadable": json_views.render_unreadable(answer.unreadable),
    }


def _render_counts(compared: InstantsCompared) -> dict[str, dict[str, int]]:
    statuses = sorted({*compared.counts_before, *compared.counts_after})
    return {
        status.value: {"before": compared.counts_before.get(status, 0), "after": compared.counts_after.get(status, 0)}
        for status in statuses
    }


def _render_change(change: StatusChange, plan: Plan, words: Wording) -> dict[str, Any]:
    line = change.line
    return {
        "plan": line.key.plan,
        "agency": line.key.agency,
        "agency_name": line.agency_name,
        "obligation": line.key.obligation,
        "period": line.key.period,
        "before": None if change.before is None else change.before.value,
        "after": line.status.value,
        "sentence": status_changes.describe_reason(line, plan, words),
        "events": list(change.events),
    }


def _render_shift(shift: FigureShift) -> dict[str, Any]:
    return {
        "obligation": shift.obligation,
        "code": shift.code,
        "unit": shift.unit,
        "agency": shift.agency,
        "before": None if shift.before is None else figures.write_plainly(shift.before),
        "after": None if shift.after is None else figures.write_plainly(shift.after),
        "events": list(shift.events),
    }
