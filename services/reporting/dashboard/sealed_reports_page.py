"""The officer's page of sealed reports: the versions with their documents, what changed since, and the form to seal."""

from http import HTTPStatus
from urllib.parse import parse_qs, quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from services.reporting.core.access.decisions import Access
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.http import query_parameters, seal_requests, sealed_reports
from services.reporting.http.access import guard
from services.reporting.http.access.guard import AccessRoute, ReaderGuard
from services.reporting.http.sealed_reports import SealedReportsApi
from services.runtime.clock import Clock

PATH = "/reports/{plan}/{period}"
CHANGES_SHOWN = 200  # a page that a person reads; the API has all


class SealedReportsPage:
    """The handlers."""

    def __init__(self, api: SealedReportsApi, renderer: PageRenderer, readers: ReaderGuard, *, clock: Clock) -> None:
        self._api = api
        self._renderer = renderer
        self._readers = readers
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [
            AccessRoute(PATH, self.get_page, Access.SEALED, methods=["GET"]),
            AccessRoute(PATH, self.post_seal, Access.SEALS, methods=["POST"]),
        ]

    async def get_page(self, request: Request) -> Response:
        """Return the page; the form is on it for a reader who may seal."""
        context = query_parameters.parse_instants(request, self._clock)
        plan, period = sealed_reports.parse_place(request)
        found = await self._api.describe(plan, period, context)
        values = {
            **found,
            "zone": self._renderer.zone_of(plan),
            "changes_shown": CHANGES_SHOWN,
            "may_seal": guard.reader_of(request).may_seal,
            "form_token": self._readers.form_token(request),
        }
        return self._renderer.render_open_page("sealed_reports.html", request, values=values)

    async def post_seal(self, request: Request) -> Response:
        """Seal the version that the form names, and show the page again."""
        context = query_parameters.parse_instants(request, self._clock)
        plan, period = sealed_reports.parse_place(request)
        fields = {
            name: values[0] for name, values in parse_qs((await request.body()).decode("utf-8", "replace")).items()
        }
        wanted = seal_requests.parse_form(fields, plan=plan, period=period)
        await self._api.seal(wanted, context, reader=guard.reader_of(request))
        place = f"/reports/{quote(plan, safe='')}/{quote(period, safe='')}?lang={context.language}"
        # After 303 the browser asks for the page, so that loading it again posts nothing.
        return RedirectResponse(place, HTTPStatus.SEE_OTHER)
