"""The pages of the published documents: the clauses of a plan beside its duties, a registry, what versions changed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from schemas.plan.registry import Registry
from services.reporting.core import vietnamese_locale
from services.reporting.core.access.decisions import Access
from services.reporting.dashboard import page_frame
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.evidence.document_queries import DocumentQueries, PlanAnswer, VersionChange
from services.reporting.http import query_parameters
from services.reporting.http.access.guard import AccessRoute
from services.reporting.http.evidence import document_api
from services.reporting.http.query_parameters import QueryParameters
from services.reporting.queries import QueryContext
from services.runtime.clock import Clock

DIFFERENCES_SHOWN = 200  # of a version, on a page that a person reads; the API has all
_VALUE_CHARACTERS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceView:
    """A place of a document that a version changed, with its values as text."""

    place: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionChangesView:
    """What a version changed: how many places, and the first of them."""

    version: int
    count: int
    shown: tuple[DifferenceView, ...]


class DocumentPages:
    """The handlers."""

    def __init__(self, documents: DocumentQueries, renderer: PageRenderer, *, clock: Clock) -> None:
        self._documents = documents
        self._renderer = renderer
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [
            AccessRoute("/plans/{plan}", self.get_plan, Access.COVERED),
            AccessRoute("/registries/{registry}", self.get_registry, Access.COVERED),
        ]

    async def get_plan(self, request: Request) -> Response:
        """Return the page of a plan."""
        context, version, known_at = self._parse(request)
        answer = await self._documents.find_plan(request.path_params["plan"], version, known_at)
        values = {
            "plan": answer.plan,
            "versions": answer.versions,
            "changes": tuple(_view_changes(answer.changes)),
            "sources": {one.id: one for one in answer.plan.sources},
            "bearers": _name_bearers(answer, context),
        }
        zone = ZoneInfo(answer.plan.zone)
        return await self._renderer.render_page("plan.html", request, context=context, values=values, zone=zone)

    async def get_registry(self, request: Request) -> Response:
        """Return the page of a registry."""
        context, version, known_at = self._parse(request)
        registry = request.path_params["registry"]
        answer = await self._documents.find_registry(registry, version, context.scope, known_at=known_at)
        day = context.as_of.astimezone(page_frame.DEFAULT_ZONE).date()
        names = {one.id: one.name_on(day, context.language) for one in answer.registry.agencies}
        values = {
            "registry": answer.registry,
            "versions": answer.versions,
            "changes": tuple(_view_changes(answer.changes)),
            "names": names,
            "groups": tuple(_list_groups(answer.registry, names, context)),
        }
        return await self._renderer.render_page("registry.html", request, context=context, values=values)

    def _parse(self, request: Request) -> tuple[QueryContext, int | None, datetime | None]:
        """Return the context, the version that is asked for, and when it was known; None of either for the latest."""
        parameters = QueryParameters(request)
        context = query_parameters.parse_context(parameters, self._clock)
        version = parameters.parse("version", document_api.parse_number, None)
        parameters.raise_errors()
        return context, version, query_parameters.find_moment(parameters, context)


def _name_bearers(answer: PlanAnswer, context: QueryContext) -> dict[str, str]:
    """Return the names of the groups and agencies that owe what the plan asks for, by their ids."""
    day = context.as_of.astimezone(ZoneInfo(answer.plan.zone)).date()
    registry, names = answer.registry, {}
    for bearer in {one for obligation in answer.plan.obligations for one in obligation.bearers}:
        agency = registry.agency(bearer) if registry else None
        names[bearer] = bearer if agency is None else agency.name_on(day, context.language)
    groups = registry.groups if registry else ()
    return names | {one.id: one.name.in_language(context.language) for one in groups if one.id in names}


def _list_groups(
    registry: Registry, names: dict[str, str], context: QueryContext
) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """Yield each group with those who are in it on the day asked about; then those who are in none."""
    day = context.as_of.astimezone(page_frame.DEFAULT_ZONE).date()
    members = {one.id: {group.id for group in one.groups if group.contains(day)} for one in registry.agencies}
    for group in registry.groups:
        inside = [(agency, names[agency]) for agency, groups in members.items() if group.id in groups]
        yield group.id, group.name.in_language(context.language), sorted(inside, key=_order_by_name)
    outside = [(agency, names[agency]) for agency, groups in members.items() if not groups]
    if outside:
        yield "", "", sorted(outside, key=_order_by_name)


def _order_by_name(member: tuple[str, str]) -> tuple[str, str, str]:
    return vietnamese_locale.collation_key(member[1])


def _view_changes(changes: tuple[VersionChange, ...]) -> Iterator[VersionChangesView]:
    """Yield what each version but the first changed, the latest first."""
    for change in reversed(changes[1:]):
        shown = tuple(
            DifferenceView(place=" › ".join(one.place), before=_write(one.before), after=_write(one.after))
            for one in change.differences[:DIFFERENCES_SHOWN]
        )
        yield VersionChangesView(version=change.version, count=len(change.differences), shown=shown)


def _write(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _VALUE_CHARACTERS else f"{text[:_VALUE_CHARACTERS]}…"
