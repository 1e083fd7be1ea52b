"""The pages of reporting: each route that answers a person, and an address of each for what a service holds."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import httpx
from starlette.routing import Route

from services.reporting import app as reporting
from services.reporting.http.access.guard import GuardedRoute
from services.reporting.settings import ReportingSettings
from services.runtime.http.server import Halt

# Files and probes, which nobody looks at.
_NO_PAGE = re.compile(r"/(v1/|help/images/|livez|readyz|metrics|asyncapi|.*\.[a-z]+$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteKeys:
    """What the addresses are made of: one duty that has everything, and what else a page can be about."""

    plan: str
    period: str
    obligation: str
    agency: str
    registry: str
    check_code: str
    since: str
    compiling_agency: str
    link_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPage:
    """One page; `is_open` says that it is asked for without a key."""

    name: str
    path: str
    is_open: bool = False

    def address(self, language: str) -> str:
        """Return the path with the language."""
        return f"{self.path}{'&' if '?' in self.path else '?'}{urlencode({'lang': language})}"


def list_page_routes() -> list[Route]:
    """Return the routes of the application that answer a person who asks for a page."""
    app = reporting.build_app(ReportingSettings(), halt=Halt())
    routes = [one.route for one in app.routes if isinstance(one, GuardedRoute)]
    pages = [one for one in routes if isinstance(one, Route) and "GET" in (one.methods or ())]
    return [one for one in pages if not _NO_PAGE.match(one.path)]


def list_pages(client: httpx.Client, keys: SiteKeys) -> list[NamedPage]:
    """Return at least one page of each route, with the events that the duty rests on."""
    duty = "/".join(quote(one, safe="") for one in (keys.plan, keys.agency, keys.obligation, keys.period))
    evidence = client.get(f"/v1/duties/{duty}").raise_for_status().json()
    season = urlencode({"plan": keys.plan, "period": keys.period, "obligation": keys.obligation})
    paths = {
        "season": f"/?{season}",
        "season of the past": f"/?{season}&as_of={quote(keys.since)}",
        "duties": f"/duties?{season}",
        "duties, filtered": f"/duties?{season}&status=overdue,late&sort=-due_at",
        "results": f"/results?{season}",
        "changes": f"/changes?{season}&since={quote(keys.since)}",
        "agency": f"/agencies/{keys.agency}",
        "duty": f"/duties/{duty}",
        "review": f"/duties/{duty}/review",
        "fact": f"/events/{evidence['facts'][0]['receiptid']}",
        "alert": f"/events/{quote(evidence['alerts'][0]['attempts'][0]['id'], safe='')}",
        "plan": f"/plans/{keys.plan}",
        "registry": f"/registries/{keys.registry}",
        "compiled": f"/compiled/{keys.plan}/{keys.compiling_agency}/{keys.period}",
        "sealed reports": f"/reports/{keys.plan}/{keys.period}",
        "help": "/help",
        "manual": "/help/can-bo",
        "status": "/status",
        "unknown": "/agencies/nobody",
    }
    open_paths = {
        "verification": f"/verify/{keys.check_code}",
        "API": "/docs",
        "no key": "/",
        "opening": f"/open?t={keys.link_token}",
    }
    return [
        *(NamedPage(name=name, path=path) for name, path in paths.items()),
        *(NamedPage(name=name, path=path, is_open=True) for name, path in open_paths.items()),
    ]


def find_missing_routes(pages: Iterable[NamedPage], routes: Iterable[Route]) -> list[str]:
    """Return the paths of *routes* of which no page is in the list."""
    paths = [page.path.partition("?")[0] for page in pages]
    return [route.path for route in routes if not any(route.path_regex.match(path) for path in paths)]


def read_key(headers: Mapping[str, str], page: NamedPage) -> Mapping[str, str]:
    """Return the headers with which *page* is asked for."""
    return {} if page.is_open else headers
