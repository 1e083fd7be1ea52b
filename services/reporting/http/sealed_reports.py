"""The HTTP API of sealed reports (contract, section 4): the versions and the draft of the next, documents, sealing."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from schemas.events.reports import VERSION_MAX, ReportFormat, ReportSealed
from schemas.plan import periods
from schemas.plan.values import Bilingual
from services.reporting.cited_documents import NotFoundError
from services.reporting.core.access.decisions import Access
from services.reporting.core.access.readers import Reader
from services.reporting.core.report.inputs import ReportInputs
from services.reporting.core.sealing import figure_changes
from services.reporting.core.sealing.figure_changes import FigureChange
from services.reporting.core.sealing.versions import SealRequest
from services.reporting.http import problems, query_parameters, seal_requests
from services.reporting.http.access import guard
from services.reporting.http.access.guard import AccessRoute
from services.reporting.http.problems import InvalidQueryError
from services.reporting.http.query_parameters import QueryParameters
from services.reporting.http.rendering import RenderingLimit
from services.reporting.queries import QueryContext
from services.reporting.sealing import draft_compiler, sealer
from services.reporting.sealing.draft_compiler import ReportSource
from services.reporting.sealing.sealer import Sealer
from services.reporting.sealing.store import SealedReportStore
from services.runtime.clock import Clock

PATH = "/v1/plans/{plan}/periods/{period}/reports"
EXTENSIONS = {ReportFormat.FIGURES: "figures.json"}

log = logging.getLogger(__name__)

JsonObject = dict[str, Any]

_IN_THE_FUTURE = Bilingual.of(
    en="lies in the future; nobody can sign for it", vi="ở tương lai; chưa ai ký xác nhận được"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftVersion:
    """The draft of a version that is not sealed: its number, and everything that its report follows from."""

    version: int
    inputs: ReportInputs

    @property
    def changes(self) -> tuple[FigureChange, ...]:
        """Every figure that differs from the version before; none where this is the first."""
        return () if self.inputs.changes is None else self.inputs.changes.changes


class SealedReportsApi:
    """The handlers."""

    def __init__(
        self, source: ReportSource, store: SealedReportStore, sealer: Sealer, *, limit: RenderingLimit, clock: Clock
    ) -> None:
        self._source = source
        self._store = store
        self._sealer = sealer
        self._limit = limit
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [
            AccessRoute(PATH, self.get_versions, Access.SEALED, methods=["GET"]),
            AccessRoute(PATH, self.post_version, Access.SEALS, methods=["POST"]),
            AccessRoute(f"{PATH}/{{version}}", self.get_version, Access.SEALED),
        ]

    async def get_versions(self, request: Request) -> Response:
        """Return every sealed version, and the draft of the next one with what changed since the newest.

        A reader of sealed reports alone sees no draft.
        """
        context = query_parameters.parse_instants(request, self._clock)
        plan, period = parse_place(request)
        versions, draft = await self.find_versions(plan, period, context)
        rendered = None if draft is None else _render_draft(draft, context)
        reports = [render_seal(one) for one in versions]
        return JSONResponse({"plan": plan, "period": period, "reports": reports, "draft": rendered})

    async def find_versions(
        self, plan: str, period: str, context: QueryContext
    ) -> tuple[list[ReportSealed], DraftVersion | None]:
        """Return the sealed versions of a report, and the draft of the next one where the scope covers everything."""
        versions = await self._store.find_versions(plan, period)
        draft = await self._compile_draft(plan, period, versions, context) if context.scope.is_everything else None
        return versions, draft

    async def get_version(self, request: Request) -> Response:
        """Return a sealed version with what changed since the one before, or, with `format`, one of its documents."""
        parameters = QueryParameters(request)
        parameters.require_known("format", *query_parameters.INSTANTS)
        form = parameters.parse("format", _parse_format, None)
        parameters.raise_errors()
        plan, period = parse_place(request)
        sealed = await self._find_version(plan, period, request.path_params["version"])
        if form is not None:
            return await self._send_document(request, sealed, form)
        before = await self._store.find_version(plan, period, sealed.version - 1)
        changes: list[JsonObject] = []
        if before is not None:
            figures = await self._read_figures(before), await self._read_figures(sealed)
            changes = await asyncio.to_thread(_list_changes, *figures)
        return JSONResponse({**render_seal(sealed), "changes": changes})

    async def post_version(self, request: Request) -> Response:
        """Seal the next version; 201 with its place, or 200 where this very request has sealed it before."""
        context = query_parameters.parse_instants(request, self._clock)
        plan, period = parse_place(request)
        wanted = await seal_requests.parse_body(request, plan=plan, period=period)
        sealed, is_new = await self.seal(wanted, context, reader=guard.reader_of(request))
        place = f"{problems.local_reference(request)}/{sealed.version}"
        return JSONResponse(render_seal(sealed), 201 if is_new else 200, headers={"Location": place})

    async def seal(self, wanted: SealRequest, context: QueryContext, *, reader: Reader) -> tuple[ReportSealed, bool]:
        """Return the version that *reader* has asked for, and whether it is new; write the audit line."""
        _require_past(context, self._clock.now())
        latest = await self._store.find_latest(wanted.plan, wanted.period)
        sealed = await self._sealer.seal(wanted, context)
        is_new = latest is None or sealed.version > latest.version
        details = {"plan": wanted.plan, "period": wanted.period, "version": sealed.version, "reader": reader.name}
        log.info("a report was sealed", extra={"action": "report_sealed", "is_new": is_new, **details})
        return sealed, is_new

    async def _compile_draft(
        self, plan: str, period: str, versions: list[ReportSealed], context: QueryContext
    ) -> DraftVersion:
        async with self._limit.hold_place():
            inputs = await self._source.compile_inputs(plan, period, sealer.normalize(context))
        inputs = await draft_compiler.add_changes(inputs, versions[-1] if versions else None, self._store)
        return DraftVersion(version=versions[-1].version + 1 if versions else 1, inputs=inputs)

    async def _find_version(self, plan: str, period: str, text: str) -> ReportSealed:
        is_number = text.isascii() and text.isdigit() and len(text) < len(str(VERSION_MAX))
        number = int(text) if is_number else 0
        sealed = await self._store.find_version(plan, period, number)
        if sealed is None:
            raise NotFoundError(
                en=f"no version {text[:20]!r} of the report of {plan!r} for {period} is sealed",
                vi=f"báo cáo kỳ {period} của kế hoạch {plan!r} không có phiên bản đã chốt số {text[:20]!r}",
            )
        return sealed

    async def _send_document(self, request: Request, sealed: ReportSealed, form: ReportFormat) -> Response:
        entry = next((one for one in sealed.documents if one.format is form), None)
        if entry is None:
            raise NotFoundError(
                en=f"version {sealed.version} has no document in the format {form.value!r}",
                vi=f"phiên bản {sealed.version} không có văn bản dạng {form.value!r}",
            )
        headers = {
            "ETag": f'"{entry.sha256}"',
            "Content-Disposition": f'attachment; filename="{name_document(sealed, form)}"',
        }
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(await self._store.read_document(sealed, form), headers=headers, media_type=entry.media_type)

    async def _read_figures(self, sealed: ReportSealed) -> JsonObject:
        content = await self._store.read_document(sealed, ReportFormat.FIGURES)
        document: JsonObject = msgspec.json.decode(content or b"{}")
        return document


def render_seal(sealed: ReportSealed) -> JsonObject:
    """Render a sealed version as JSON."""
    rendered: JsonObject = sealed.model_dump(mode="json")
    return rendered


def _render_draft(draft: DraftVersion, context: QueryContext) -> JsonObject:
    return {
        "version": draft.version,
        "as_of": context.as_of.isoformat(),
        "known_at": context.known_at.isoformat(),
        "changes": msgspec.to_builtins(draft.changes),
    }


def name_document(sealed: ReportSealed, form: ReportFormat) -> str:
    """Return the file name of a sealed document."""
    return f"{sealed.plan}-{sealed.period}-v{sealed.version}.{EXTENSIONS.get(form, form.value)}"


def _list_changes(before: JsonObject, after: JsonObject) -> list[JsonObject]:
    changes: list[JsonObject] = msgspec.to_builtins(figure_changes.find_changes(before, after))
    return changes


def parse_place(request: Request) -> tuple[str, str]:
    """Return the plan and the period in the path; raise `NotFoundError` where it names no period."""
    try:
        return request.path_params["plan"], periods.parse(request.path_params["period"]).text
    except ValueError as cause:
        raise NotFoundError(en=str(cause), vi=f"kỳ báo cáo phải có dạng như {periods.FORMS_VI}") from cause


def _parse_format(text: str) -> ReportFormat:
    try:
        return ReportFormat(text)
    except ValueError as cause:
        raise ValueError(f"{text[:20]!r} is no format; choose from {', '.join(ReportFormat)}") from cause


def _require_past(context: QueryContext, now: datetime) -> None:
    """Refuse to seal what is not known yet."""
    instants = {"as_of": context.as_of, "known_at": context.known_at}
    ahead = {name: _IN_THE_FUTURE for name, instant in instants.items() if instant > now}
    if ahead:
        raise InvalidQueryError(ahead)
