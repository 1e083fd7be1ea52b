"""`/open?t=TOKEN`: exchanges the link of a reader or of a mail for a session, and leaves its own address at once.

The answer is a page that sends the browser on, and no redirect: the request from a mail is cross-site, and a browser
sends a cookie of `SameSite=Strict` with no request of that chain of redirects. A page's own refresh is a new request
from this site. It takes the place of the address with the token in the history, and no referrer is sent.
"""

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute

from schemas.events.dashboard_links import OPEN_PATH, TOKEN_PARAMETER
from services.reporting.core.access.decisions import Access
from services.reporting.http import problems
from services.reporting.http.access import authentication
from services.reporting.http.access.authentication import Authentication
from services.reporting.http.access.guard import AccessRoute

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Vary": "Accept-Language",
}


def build_route(opening: Authentication, templates: Environment) -> BaseRoute:
    """Return the route that takes links."""

    async def open_link(request: Request) -> Response:
        token = request.query_params.get(TOKEN_PARAMETER, "")
        reader = opening.open_link(token)
        language = problems.language_of(request)
        agency = reader.scope.own_agency
        path = "/" if agency is None else f"/agencies/{agency}"
        page = templates.get_template("open.html").render(language=language, path=path)
        response = HTMLResponse(page, headers={**HEADERS, "Content-Language": language})
        authentication.set_session(request, response, token)
        return response

    return AccessRoute(OPEN_PATH, open_link, Access.OPEN)
