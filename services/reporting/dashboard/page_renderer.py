"""Render a template inside the frame that surrounds every page, with the headers that every page carries."""

import asyncio
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from zoneinfo import ZoneInfo

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from schemas.problems import Problem
from services.reporting.cited_documents import NotFoundError
from services.reporting.core.access.readers import PUBLIC, Reader
from services.reporting.dashboard import page_frame, time_bar
from services.reporting.dashboard.page_frame import PageFrame
from services.reporting.evidence.freshness import Freshness
from services.reporting.http import problems
from services.reporting.http.access import guard
from services.reporting.queries import QueryContext, ReportingQueries
from services.runtime.clock import Clock

# One script of our own announces live counts; markup that slipped through the escaping could run none.
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

# The query parameters that every link of a page passes on: the instants asked about and the language.
LINK_PARAMETERS = frozenset({*time_bar.MOMENT_PARAMETERS, "lang"})

# The question of a page that the navigation passes on to its neighbours.
CHOSEN_PARAMETERS = frozenset({"plan", "period"})


class PageRenderer:
    """Renders the pages."""

    def __init__(
        self, queries: ReportingQueries, templates: Environment, *, clock: Clock, freshness: Freshness
    ) -> None:
        self._queries = queries
        self._templates = templates
        self._clock = clock
        self._freshness = freshness

    async def render_page(
        self,
        template: str,
        request: Request,
        *,
        context: QueryContext,
        values: Mapping[str, object],
        zone: ZoneInfo = page_frame.DEFAULT_ZONE,
    ) -> Response:
        """Render a page about the moment of *context*; its instants are shown in *zone*, and its links pass it on.

        In a thread: a table of some hundred rows takes a tenth of a second, in which other requests are answered.
        """
        query = request.query_params
        reader = guard.find_reader(request)
        frame = PageFrame(
            places=page_frame.list_places(reader.scope),
            chosen={name: value for name, value in query.items() if name in CHOSEN_PARAMETERS and value},
            reader=self._describe_reader(reader, context),
            moment=context,
            time_bar=time_bar.build_time_bar(
                request,
                context,
                zone=zone,
                now=self._clock.now(),
                complete_until=self._freshness.complete_until,
            ),
            is_past=any(query.get(name) for name in time_bar.MOMENT_PARAMETERS),
            now_link=_refer_to(request, without=time_bar.MOMENT_PARAMETERS),
            zone=zone,
        )
        values = {**values, "context": context, "link_parameters": list_link_parameters(request, context)}
        render = partial(self._render, template, request, frame, language=context.language, values=values)
        return await asyncio.to_thread(render)

    def render_open_page(self, template: str, request: Request, *, values: Mapping[str, object]) -> Response:
        """Render a page without a moment, which its links would pass on."""
        language = problems.language_of(request)
        reader = guard.find_reader(request)
        frame = PageFrame(places=page_frame.list_places(reader.scope))
        values = {**values, "link_parameters": {"lang": language} if "lang" in request.query_params else {}}
        return self._render(template, request, frame, language=language, values=values)

    def render_problem(self, request: Request, problem: Problem) -> Response:
        """Render the page that says what is wrong and links back. It needs no database, so it always works."""
        language = problems.language_of(request)
        values = {"title": problem.type.title.in_language(language), "problem": problem, "link_parameters": {}}
        page = self._render("problem.html", request, PageFrame(), language=language, values=values)
        page.status_code = problem.type.status
        return page

    def zone_of(self, plan: str) -> ZoneInfo:
        """Return the time zone of a plan; raise `NotFoundError` where none of that id is published."""
        return ZoneInfo(self._queries.plan(plan).zone)

    def _describe_reader(self, reader: Reader, context: QueryContext) -> str:
        if reader == PUBLIC:
            return ""
        name, own = reader.name, reader.scope.own_agency
        if own is not None:
            try:
                name = self._queries.agency_name(own, context)
            except NotFoundError:
                name = name or own
        return page_frame.describe_reader(reader, name, context.language)

    def _render(
        self, template: str, request: Request, frame: PageFrame, *, language: str, values: Mapping[str, object]
    ) -> Response:
        page = self._templates.get_template(template).render(
            **values,
            frame=frame,
            language=language,
            other_language=_refer_to(request, lang="en" if language == "vi" else "vi"),
        )
        headers = {**SECURITY_HEADERS, "Content-Language": language, "Vary": "Accept, Accept-Language"}
        return HTMLResponse(page, HTTPStatus.OK, headers=headers)


def list_link_parameters(request: Request, context: QueryContext) -> dict[str, str]:
    """Return what every link of a page passes on: the instants asked about, with their offsets, and the language."""
    given = request.query_params
    instants = {time_bar.AS_OF: context.as_of, time_bar.KNOWN_AT: context.known_at}
    parameters = {name: instant.isoformat() for name, instant in instants.items() if given.get(name)}
    return parameters | ({"lang": given["lang"]} if given.get("lang") else {})


def _refer_to(request: Request, *, without: tuple[str, ...] = (), **changes: str) -> str:
    """Return a reference to the page of *request* with other parameters."""
    url = request.url.remove_query_params(list(without)).include_query_params(**changes)
    return f"{problems.local_reference(request)}?{url.query}"
