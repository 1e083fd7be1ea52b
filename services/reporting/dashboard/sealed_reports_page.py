"""The officer's page of sealed reports: the versions with their documents, what changed since, and the form to seal."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import quote

from aiokafka.errors import KafkaError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from schemas.plan.values import Bilingual
from services.reporting.core.access.decisions import Access
from services.reporting.core.report import outline as outlines
from services.reporting.core.report.parts import changes
from services.reporting.core.report.parts.changes import DescribedChange
from services.reporting.core.sealing.versions import VersionConflictError
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.http import query_parameters, request_bodies, seal_requests, sealed_reports
from services.reporting.http.access import guard
from services.reporting.http.access.guard import AccessRoute, ReaderGuard
from services.reporting.http.problems import InvalidBodyError
from services.reporting.http.query_parameters import QueryParameters
from services.reporting.http.sealed_reports import DraftVersion, SealedReportsApi
from services.reporting.queries import QueryContext
from services.reporting.sealing.seal_writer import SealContestedError
from services.reporting.sealing.sealer import LogUnsettledError
from services.runtime.clock import Clock
from services.runtime.kafka.group_progress import GroupBehindError

PATH = "/reports/{plan}/{period}"
CHANGES_SHOWN = 200  # a page that a person reads; the workbook has all
EVENTS_SHOWN = 5

NO_SIGNER = Bilingual(
    vi="Hãy ghi họ tên người ký trên một dòng, tối đa 200 ký tự.",
    en="Write the name of who signs, on one line of at most 200 characters.",
)
OTHER_VERSION = Bilingual(
    vi="Trong lúc đó đã có phiên bản khác được chốt. Hãy xem phiên bản ấy; nếu vẫn cần, hãy chốt phiên bản kế tiếp.",
    en="Another version was sealed meanwhile. Read it; if one more is needed, seal the next.",
)
NOT_SETTLED = Bilingual(
    vi="Số liệu đang được ghi nhận nên chưa chốt được. Tên người ký còn nguyên bên dưới; hãy bấm lại sau giây lát. Bấm "
    "lại không tạo hai phiên bản.",
    en="Figures are being recorded, so nothing could be sealed yet. The name is kept below; press the button again in "
    "a moment. It does not make two versions.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedSeal:
    """A form to seal that sealed nothing: what was typed, what to tell, and what is wrong with the signer's name."""

    signer: str
    status: HTTPStatus
    notice: Bilingual | None = None
    errors: Mapping[str, Bilingual] = field(default_factory=dict)


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
        """Return the page; the form is on it for a reader who may seal, and a sentence about what was just sealed."""
        return await self._show(request, self._parse_context(request))

    async def post_seal(self, request: Request) -> Response:
        """Seal the version that the form names, or show the page again with what was typed and why it is not sealed."""
        context = self._parse_context(request)
        plan, period = sealed_reports.parse_place(request)
        fields = await request_bodies.read_form(request)
        failed = None
        try:
            wanted = seal_requests.parse_form(fields, plan=plan, period=period)
            sealed, _ = await self._api.seal(wanted, context, reader=guard.reader_of(request))
        except InvalidBodyError as invalid:
            failed = _describe_invalid(fields, invalid)
        except VersionConflictError:
            failed = FailedSeal(signer=fields.get("signer", ""), status=HTTPStatus.CONFLICT, notice=OTHER_VERSION)
        except (LogUnsettledError, SealContestedError, GroupBehindError, KafkaError):
            status = HTTPStatus.SERVICE_UNAVAILABLE
            failed = FailedSeal(signer=fields.get("signer", ""), status=status, notice=NOT_SETTLED)
        if failed is not None:
            shown = await self._show(request, context, failed)
            shown.status_code = failed.status
            return shown
        place = f"/reports/{quote(plan, safe='')}/{quote(period, safe='')}"
        # After 303 the browser asks for the page, so that loading it again posts nothing.
        return RedirectResponse(f"{place}?lang={context.language}&done={sealed.version}", HTTPStatus.SEE_OTHER)

    async def _show(self, request: Request, context: QueryContext, failed: FailedSeal | None = None) -> Response:
        plan, period = sealed_reports.parse_place(request)
        versions, draft = await self._api.find_versions(plan, period, context)
        done = request.query_params.get("done", "")
        values = {
            "plan": plan,
            "period": period,
            "reports": versions,
            "draft": draft,
            "changes": () if draft is None else await asyncio.to_thread(_describe_changes, draft),
            "events_shown": EVENTS_SHOWN,
            "zone": self._renderer.zone_of(plan),
            "may_seal": guard.reader_of(request).may_seal,
            "form_token": self._readers.form_token(request),
            "failed": failed,
            # Only a version that is there was sealed, whatever the address says.
            "done": next((one for one in versions if str(one.version) == done and failed is None), None),
        }
        return self._renderer.render_open_page("sealed_reports.html", request, values=values)

    def _parse_context(self, request: Request) -> QueryContext:
        parameters = QueryParameters(request)
        parameters.require_known("as_of", "known_at", "lang", "done")
        context = query_parameters.parse_context(parameters, self._clock)
        parameters.raise_errors()
        return context


def _describe_changes(draft: DraftVersion) -> tuple[DescribedChange, ...]:
    if not draft.changes:
        return ()
    return tuple(changes.describe_changes(outlines.build_outline(draft.inputs), CHANGES_SHOWN))


def _describe_invalid(fields: Mapping[str, str], invalid: InvalidBodyError) -> FailedSeal:
    """Say beside the field that the name is wrong; another field was not typed, so the whole page is out of date."""
    is_signer = "/signer" in invalid.errors
    return FailedSeal(
        signer=fields.get("signer", ""),
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        notice=None if is_signer else OTHER_VERSION,
        errors={"signer": NO_SIGNER} if is_signer else {},
    )
