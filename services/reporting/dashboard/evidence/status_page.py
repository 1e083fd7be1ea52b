"""The page of the service's own health, in words: up to when the figures are complete, and what waits for what."""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from services.reporting.core.access.decisions import Access
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.evidence.freshness import Freshness
from services.reporting.http import query_parameters
from services.reporting.http.access.guard import AccessRoute
from services.reporting.http.query_parameters import QueryParameters
from services.reporting.metrics import TOPICS, TOPICS_CONSUMED
from services.runtime.clock import Clock
from services.runtime.http.probes import NotReadyError

Checks = Mapping[str, Callable[[], Awaitable[bool]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """How far one topic is read: `count` records wait, the oldest since `oldest_at`; None is what is not known."""

    name: str
    count: int | None
    oldest_at: datetime | None
    set_aside: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartView:
    """A part of the service, and what it waits for; empty while it works."""

    name: str
    is_good: bool
    reason: str = ""


class StatusPage:
    """The handler."""

    def __init__(
        self, renderer: PageRenderer, freshness: Freshness, checks: Checks, *, registry: CollectorRegistry, clock: Clock
    ) -> None:
        self._renderer = renderer
        self._freshness = freshness
        self._checks = checks
        self._registry = registry
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """Return the route."""
        return [AccessRoute("/status", self.get_page, Access.COVERED)]

    async def get_page(self, request: Request) -> Response:
        """Return the page. It is about now, whatever moment other pages are about."""
        parameters = QueryParameters(request)
        context = query_parameters.parse_context(parameters, self._clock)
        parameters.raise_errors()
        sources = tuple(self._view_source(label, number) for number, label in enumerate(TOPICS))
        values = {
            "complete_until": self._freshness.complete_until,
            "is_stale": any(one.count is None for one in sources),
            "sources": sources,
            "parts": [await self._view_part(name) for name in self._checks],
        }
        return await self._renderer.render_page("status.html", request, context=context, values=values)

    def _view_source(self, label: str, number: int) -> SourceView:
        lag = self._freshness.lag_of(TOPICS_CONSUMED[number])
        is_known = not math.isnan(lag.records)
        is_dated = is_known and not math.isnan(lag.oldest_unread_seconds)
        aside = self._registry.get_sample_value("reporting_dead_letters_total", {"topic": label})
        return SourceView(
            name=label,
            count=int(lag.records) if is_known else None,
            oldest_at=self._clock.now() - timedelta(seconds=lag.oldest_unread_seconds) if is_dated else None,
            set_aside=int(aside or 0),
        )

    async def _view_part(self, name: str) -> PartView:
        try:
            return PartView(name=name, is_good=await self._checks[name]())
        except NotReadyError as cause:
            return PartView(name=name, is_good=False, reason=str(cause))
        except Exception as cause:  # noqa: BLE001 - what a probe may meet, the page tells of
            return PartView(name=name, is_good=False, reason=type(cause).__name__)
