"""The list of duties over HTTP: filtered, in any order, page by page; or as a file with every row of the question."""

from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from services.reporting.core import json_views
from services.reporting.core.access.decisions import Access
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.lists import filters, sorting
from services.reporting.core.lists.memoized_items import MemoizedBlocks
from services.reporting.core.lists.sorting import LinePage
from services.reporting.core.timeline import UnreadableRecord
from services.reporting.documents import duty_list
from services.reporting.documents.duty_list import DutyList
from services.reporting.http import conditional, problems, query_parameters
from services.reporting.http.access.guard import AccessRoute
from services.reporting.http.query_parameters import DutiesQuery, QueryParameters
from services.reporting.queries import QueryContext, ReportingQueries
from services.runtime.clock import Clock

PATH = "/v1/duties"
FORMATS = {"json": conditional.JSON, "csv": conditional.CSV, "xlsx": conditional.XLSX}
_RENDERERS = {conditional.CSV: duty_list.render_csv, conditional.XLSX: duty_list.render_xlsx}


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDuties:
    """The lines that a query matches, in no order, among all of those that its plan, period and agency have."""

    candidates: MemoizedBlocks[DutyLine]
    lines: MemoizedBlocks[DutyLine]
    unreadable: tuple[UnreadableRecord, ...]


class DutyListApi:
    """The handler."""

    def __init__(self, queries: ReportingQueries, *, clock: Clock) -> None:
        self._queries = queries
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """Return the route."""
        return [AccessRoute(PATH, self.get_duties, Access.COVERED)]

    async def get_duties(self, request: Request) -> Response:
        """Return the duties that match the query: one page as JSON, or, unless `limit` is named, all of them as a file.

        The parameter `format` decides, for the links of a page, and else what the caller accepts.
        """
        parameters = QueryParameters(request)
        media_type = parameters.parse("format", _parse_format, None)
        query = query_parameters.parse_duties_query(parameters, self._clock, *query_parameters.DUTIES)
        media_type = media_type or conditional.choose_media_type(request, tuple(FORMATS.values()))
        found = await find_duties(self._queries, query)
        if media_type == conditional.JSON:
            page = await run_in_threadpool(cut_page, found, query, limit=query.limit or query_parameters.DEFAULT_LIMIT)
            document = render_page(found, page, query.context)
            return conditional.respond_json(request, document, headers=_link_next(request, page))
        page = await run_in_threadpool(cut_page, found, query, limit=query.limit)
        listed = DutyList(
            question=_describe_question(request, query),
            lines=page.lines,
            unreadable=found.unreadable,
            plans={plan.plan: plan for plan in self._queries.plans()},
            as_of=query.context.as_of,
            language=query.context.language,
        )
        body = await run_in_threadpool(partial(_RENDERERS[media_type], listed))
        return _respond_file(request, body, media_type=media_type, page=page)


async def find_duties(queries: ReportingQueries, query: DutiesQuery) -> FoundDuties:
    """Return what *query* matches; raise as `ReportingQueries.find_lines`, and for a group outside the scope."""
    found = await queries.find_lines(query.duty_filter, query.context)
    filters.require_groups(query.line_filter.groups, found.listed, query.context.scope)
    lines = await run_in_threadpool(found.listed.narrow, filters.narrow_lines, query.line_filter)
    return FoundDuties(candidates=found.listed, lines=lines, unreadable=found.unreadable)


def cut_page(found: FoundDuties, query: DutiesQuery, *, limit: int | None) -> LinePage:
    """Return the page that *query* names."""
    return sorting.paginate(found.lines, order=query.order, limit=limit, after=query.after)


def render_page(found: FoundDuties, page: LinePage, context: QueryContext) -> dict[str, Any]:
    """Render a page as JSON."""
    return {
        "as_of": context.as_of.isoformat(),
        "known_at": context.known_at.isoformat(),
        "total": page.total,
        "duties": [json_views.render_duty(line) for line in page.lines],
        "next_cursor": page.next_cursor,
        "unreadable": json_views.render_unreadable(found.unreadable),
    }


def _respond_file(request: Request, body: bytes, *, media_type: str, page: LinePage) -> Response:
    extension = next(name for name, known in FORMATS.items() if known == media_type)
    headers = {"Content-Disposition": f'attachment; filename="duties.{extension}"', **_link_next(request, page)}
    # A row changes with its status and not with the time alone, so the tag is of the bytes.
    return conditional.respond(request, body, tag=conditional.tag_of(body), media_type=media_type, headers=headers)


def _link_next(request: Request, page: LinePage) -> dict[str, str]:
    """Return the link to the page after this one (RFC 8288), if there is one."""
    if page.next_cursor is None:
        return {}
    # Only what was asked for is in it: as ASCII, because it is a header.
    query = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    following = urlencode([*query, ("cursor", page.next_cursor)])
    return {"Link": f'<{problems.local_reference(request)}?{following}>; rel="next"'}


def _describe_question(request: Request, query: DutiesQuery) -> str:
    """Return the question as the head of a file: what was asked, as of when, by what was known until when."""
    asked = {name: value for name, value in request.query_params.items() if name in query_parameters.DUTIES}
    asked |= {"as_of": query.context.as_of.isoformat(), "known_at": query.context.known_at.isoformat()}
    return "; ".join(f"{name}={value}" for name, value in asked.items() if name not in {"format", "cursor"})


def _parse_format(text: str) -> str:
    if text not in FORMATS:
        raise ValueError(f"{text[:20]!r} is no format; choose from {', '.join(FORMATS)}")
    return FORMATS[text]
