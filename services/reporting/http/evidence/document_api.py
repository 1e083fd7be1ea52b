"""The handlers of the published documents: a plan or a registry, its versions, and what each version changed."""

from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from services.reporting.core.access.decisions import Access
from services.reporting.core.access.readers import ReaderScope
from services.reporting.core.evidence.document_differences import DocumentDifference
from services.reporting.evidence import document_queries
from services.reporting.evidence.document_queries import DocumentQueries, VersionChange
from services.reporting.http import conditional, query_parameters
from services.reporting.http.access.guard import AccessRoute
from services.reporting.http.query_parameters import QueryParameters
from services.runtime.clock import Clock

_VERSION_DIGITS = 18


class DocumentApi:
    """The handlers."""

    def __init__(self, documents: DocumentQueries, *, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [
            AccessRoute("/v1/plans/{plan}", self.get_plan, Access.COVERED),
            AccessRoute("/v1/registries/{registry}", self.get_registry, Access.COVERED),
        ]

    async def get_plan(self, request: Request) -> Response:
        """Return a plan as it was published."""
        _scope, version, known_at = self._parse(request)
        answer = await self._documents.find_plan(request.path_params["plan"], version, known_at)
        return conditional.respond_json(
            request,
            {
                "plan": answer.plan.plan,
                "version": answer.plan.version,
                "versions": list(answer.versions),
                "document": document_queries.dump_document(answer.plan),
                "changes": [_render_change(one) for one in answer.changes],
            },
        )

    async def get_registry(self, request: Request) -> Response:
        """Return a registry as it was published, with the agencies that the reader's scope covers."""
        scope, version, known_at = self._parse(request)
        answer = await self._documents.find_registry(request.path_params["registry"], version, scope, known_at=known_at)
        return conditional.respond_json(
            request,
            {
                "registry": answer.registry.registry,
                "version": answer.registry.version,
                "versions": list(answer.versions),
                "document": document_queries.dump_document(answer.registry),
                "changes": [_render_change(one) for one in answer.changes],
            },
        )

    def _parse(self, request: Request) -> tuple[ReaderScope, int | None, datetime | None]:
        """Return the scope, the version that is asked for, and when it was known; raise `InvalidQueryError`."""
        parameters = QueryParameters(request)
        parameters.require_known("version", *query_parameters.INSTANTS)
        context = query_parameters.parse_context(parameters, self._clock)
        version = parameters.parse("version", parse_number, None)
        parameters.raise_errors()
        return context.scope, version, query_parameters.find_moment(parameters, context)


def parse_number(text: str) -> int | None:
    """Return the number of a version; raise `ValueError` for what is none."""
    # `isdigit` alone admits digits such as `²`, which `int` refuses.
    if not text.isascii() or not text.isdigit() or len(text) > _VERSION_DIGITS or int(text) == 0:
        raise ValueError("write the number of a version, from 1")
    return int(text)


def _render_change(change: VersionChange) -> dict[str, Any]:
    return {
        "version": change.version,
        "differences": [_render_difference(one) for one in change.differences],
    }


def _render_difference(one: DocumentDifference) -> dict[str, Any]:
    return {"place": list(one.place), "before": one.before, "after": one.after}
