"""The handlers of the help, of the manual and of the style sheet."""

from importlib import resources

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from services.reporting.cited_documents import NotFoundError
from services.reporting.core.access.decisions import Access
from services.reporting.dashboard import help_texts, manual
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.http.access.guard import AccessRoute
from services.reporting.queries import ReportingQueries
from services.runtime.clock import Clock

CACHE_ONE_DAY = {"Cache-Control": "public, max-age=86400"}


class Dashboard:
    """The handlers of the pages."""

    def __init__(self, queries: ReportingQueries, clock: Clock, renderer: PageRenderer) -> None:
        self._queries = queries
        self._clock = clock
        self._renderer = renderer
        self._style_sheet = resources.files(__package__).joinpath("style.css").read_text(encoding="utf-8")
        self._manual, self._pictures = manual.read_manual(), manual.read_pictures()
        self._script = resources.files(__package__).joinpath("live.js").read_text(encoding="utf-8")

    def routes(self) -> list[BaseRoute]:
        """Return the routes of the pages."""
        return [
            AccessRoute("/help", self.get_help, Access.COVERED),
            AccessRoute("/help/{document}", self.get_manual, Access.COVERED),
            AccessRoute("/help/images/{name}", self.get_picture, Access.COVERED),
            AccessRoute("/live.js", self.get_script, Access.COVERED),
            AccessRoute("/style.css", self.get_style_sheet, Access.OPEN),
        ]

    async def get_style_sheet(self, _request: Request) -> Response:
        """Return the style sheet."""
        return Response(self._style_sheet, media_type="text/css", headers=CACHE_ONE_DAY)

    async def get_script(self, _request: Request) -> Response:
        """Return the script that says politely that figures have changed."""
        return Response(self._script, media_type="text/javascript", headers={"Cache-Control": "private, max-age=3600"})

    async def get_help(self, request: Request) -> Response:
        """Return what the words and numbers of the pages mean."""
        values = {
            "statuses": help_texts.STATUSES,
            "paragraphs": help_texts.PARAGRAPHS,
            "manual": tuple(self._manual.values()),
        }
        return self._renderer.render_open_page("help.html", request, values=values)

    async def get_manual(self, request: Request) -> Response:
        """Return a document of the manual."""
        document = self._manual.get(request.path_params["document"])
        if document is None:
            raise NotFoundError(en="the manual has no such document", vi="tài liệu hướng dẫn không có mục này")
        return self._renderer.render_open_page("manual.html", request, values={"document": document})

    async def get_picture(self, request: Request) -> Response:
        """Return a picture of the manual."""
        name = request.path_params["name"]
        picture = self._pictures.get(name)
        if picture is None:
            raise NotFoundError(en="the manual has no such picture", vi="tài liệu hướng dẫn không có hình này")
        media_type = manual.PICTURE_TYPES[name[name.rindex(".") :]]
        return Response(picture, media_type=media_type, headers={"Cache-Control": "private, max-age=86400"})
