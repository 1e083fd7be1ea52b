"""The page that the QR code of a sealed report opens: what the check code stands for, as a page or as JSON."""

from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from services.reporting.cited_documents import NotFoundError
from services.reporting.core.access.decisions import Access
from services.reporting.core.sealing import check_code, verification
from services.reporting.dashboard.page_renderer import PageRenderer
from services.reporting.http import problems
from services.reporting.http.access.guard import AccessRoute
from services.reporting.sealing.sealer import VERIFICATION_PATH
from services.reporting.sealing.store import SealedReportStore

# The page shows no plan's own zone: it needs nothing but the sealed version.
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


class VerificationPage:
    """The handler. It is open to everybody, and answers also while no plan can be read."""

    def __init__(self, store: SealedReportStore, renderer: PageRenderer) -> None:
        self._store = store
        self._renderer = renderer

    def routes(self) -> list[BaseRoute]:
        """Return the route."""
        return [AccessRoute(f"{VERIFICATION_PATH}{{check_code}}", self.get_verification, Access.OPEN)]

    async def get_verification(self, request: Request) -> Response:
        """Return the version that prints the check code; 404 if none does."""
        code = check_code.parse_check_code(request.path_params["check_code"])
        sealed = None if code is None else await self._store.find_by_check_code(code)
        if sealed is None:
            raise NotFoundError(
                en="no sealed report has this check code; compare it with the paper, digit by digit",
                vi="không có báo cáo đã chốt nào mang mã kiểm tra này; hãy đối chiếu từng ký tự với bản giấy",
            )
        if not problems.is_page_wanted(request):
            return JSONResponse(verification.render_verification(sealed), headers={"Vary": "Accept"})
        return self._renderer.render_open_page("verify.html", request, values={"sealed": sealed, "zone": ZONE})
