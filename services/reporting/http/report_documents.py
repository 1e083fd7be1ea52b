"""The annual report as a document (contract, section 4): made within bounds, and kept for the next who asks."""

from dataclasses import replace

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from services.reporting.cited_documents import NotFoundError
from services.reporting.core.access.decisions import Access
from services.reporting.documents.formats import FORMATS
from services.reporting.http import conditional, query_parameters, rendering
from services.reporting.http.access.guard import AccessRoute
from services.reporting.http.query_parameters import QueryParameters
from services.reporting.http.rendering import DocumentCache, RenderingLimit
from services.reporting.metrics import ReportingMetrics
from services.reporting.sealing.draft_compiler import ReportSource
from services.runtime.clock import Clock

PATH = "/v1/plans/{plan}/periods/{period}/report.{extension}"


class ReportDocuments:
    """The handler. The *limit* is shared with whatever else compiles reports."""

    def __init__(
        self, reports: ReportSource, limit: RenderingLimit, *, clock: Clock, metrics: ReportingMetrics
    ) -> None:
        self._reports = reports
        self._limit = limit
        self._cache = DocumentCache()
        self._clock = clock
        self._metrics = metrics

    def routes(self) -> list[BaseRoute]:
        """Return the route; the extension of its path is the format."""
        return [AccessRoute(PATH, self.get_report, Access.WHOLE)]

    async def get_report(self, request: Request) -> Response:
        """Return the annual report in the format that the path names.

        A document for people is Vietnamese whatever the caller reads; CSV and JSON follow the parameter `lang` alone.
        """
        extension = request.path_params["extension"]
        if extension not in FORMATS:
            raise NotFoundError(
                en=f"no report in the format {extension!r}; choose from {', '.join(FORMATS)}",
                vi=f"không có báo cáo dạng {extension!r}; hãy chọn {', '.join(FORMATS)}",
            )
        renderer = FORMATS[extension]
        parameters = QueryParameters(request)
        context = query_parameters.parse_context(parameters, self._clock)
        parameters.raise_errors()
        takes_language = renderer.takes_language and "lang" in request.query_params
        context = context if takes_language else replace(context, language="vi")
        plan, period = request.path_params["plan"], query_parameters.parse_period_of_path(request)
        async with self._limit.hold_place():
            with self._metrics.document_seconds.labels(extension).time():
                inputs = await self._reports.compile_inputs(plan, period, context)
                describe = rendering.describe_document
                key = await run_in_threadpool(describe, inputs, extension, context.language, context.scope)
                body = self._cache.find(key)
                if body is None:
                    # In a thread, it does not keep the event loop from answering.
                    body = await run_in_threadpool(renderer.render, inputs, context.language)
                    self._cache.keep(key, body)
                    self._metrics.documents.labels(extension).inc()
        headers = {
            "Content-Disposition": f'attachment; filename="{plan}-{period}.{extension}"',
            "X-Dondoc-Digest": inputs.report.digest,
        }
        return conditional.respond(request, body, tag=key.tag, media_type=renderer.media_type, headers=headers)
