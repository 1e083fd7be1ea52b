"""The handlers of the published documents: a plan or a registry, its versions, and what each version changed."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from services.reporting.core.access.decisions import Access
from services.reporting.core.evidence.document_differences import DocumentDifference
from services.reporting.evidence import document_queries
from services.reporting.evidence.document_queries import DocumentQueries, VersionChange
from services.reporting.http import conditional
from services.reporting.http.access import guard
from services.reporting.http.access.guard import AccessRoute
from services.reporting.http.query_parameters import QueryParameters

_VERSION_DIGITS = 18


class DocumentApi:
    """The handlers."""

    def __init__(self, documents: DocumentQueries) -> None:
        self._documents = documents

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [
            AccessRoute("/v1/plans/{plan}", self.get_plan, Access.COVERED),
            AccessRoute("/v1/registries/{registry}", self.get_registry, Access.COVERED),
        ]

    async def get_plan(self, request: Request) -> Response:
        """Return a plan as it was published."""
        answer = await self._documents.find_plan(request.path_params["plan"], parse_version(request))
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
        scope, registry = guard.scope_of(request), request.path_params["registry"]
        answer = await self._documents.find_registry(registry, parse_version(request), scope)
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


def parse_version(request: Request) -> int | None:
    """Return the version that the query names, or None; raise `InvalidQueryError` for what is no number."""
    parameters = QueryParameters(request)
    parameters.require_known("version", "lang")
    version = parameters.parse("version", parse_number, None)
    parameters.raise_errors()
    return version


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
