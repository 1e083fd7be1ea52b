"""The problems that reporting answers with: a problem document (RFC 9457) for every error, or a page for people.

The `type` of each problem is stable, so that programs can tell problems apart by it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from enum import Enum
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from aiokafka.errors import KafkaError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from schemas import problems
from schemas.plan.values import Bilingual, Language
from schemas.problems import FieldError, Problem, ProblemType
from services.reporting.cited_documents import NotFoundError
from services.reporting.content.attachments import AttachmentsUnavailableError
from services.reporting.content.submission_contents import UnreadableContentError
from services.reporting.core.access.decisions import AccessRefusedError, RefusalReason
from services.reporting.core.report.printed_report import EmptyReportError
from services.reporting.core.sealing.versions import VersionConflictError
from services.reporting.http import rendering
from services.reporting.http.rendering import TooManyDocumentsError
from services.reporting.queries import DocumentsUnreadError
from services.reporting.sealing.seal_writer import SealContestedError
from services.reporting.sealing.sealer import LogUnsettledError
from services.reporting.sealing.store import DamagedSealError
from services.reporting.store import DatabaseUnavailableError, NotAssessedError, StateIncompleteError
from services.runtime.kafka.group_progress import GroupBehindError

EMPTY_REPORT_REMEDY = Bilingual(
    vi="Hãy kiểm tra kỳ báo cáo, thời điểm hỏi (as_of, known_at) và nhóm của các đơn vị trong danh sách đơn vị.",
    en="Check the period, the instants asked about (as_of, known_at) and the groups of the agencies in the registry.",
)
RETRY_AFTER_SECONDS = 5  # a restart of the database takes about two

# How to say who asks (RFC 9110 section 11.6.1), sent with every 401.
CHALLENGE = 'Bearer realm="dondoc"'

_SEND_KEY = Bilingual(
    vi="Hãy gửi `Authorization: Bearer KEY` với khóa đọc còn hiệu lực, hoặc mở liên kết do người vận hành cấp.",
    en="Send `Authorization: Bearer KEY` with a reader's key that is in force, or open a link from the operator.",
)
_NEW_LINK = Bilingual(
    vi="Liên kết không mở được nữa. Hãy mở liên kết trong thư mới nhất, hoặc xin người vận hành một liên kết mới.",
    en="The link opens nothing any longer. Open the one in the latest mail, or ask the operator for another.",
)
_OUTSIDE = Bilingual(
    vi="Khóa hoặc liên kết này không cho xem nội dung được hỏi. Hãy hỏi trong phạm vi được cấp.",
    en="This key or link does not cover what you ask for. Ask for what its scope covers.",
)
# The same for a key that nobody has and for a wrong secret, so that the answer does not tell which keys exist.
_REMEDIES = {
    RefusalReason.NO_KEY: _SEND_KEY,
    RefusalReason.UNKNOWN_KEY: _SEND_KEY,
    RefusalReason.WRONG_SECRET: _SEND_KEY,
    RefusalReason.NOT_IN_FORCE: Bilingual(
        vi="Khóa đã hết hạn hoặc bị thu hồi. Hãy xin người vận hành một khóa mới.",
        en="The key has expired or was revoked. Ask the operator for a new one.",
    ),
    RefusalReason.SESSION_ENDED: Bilingual(
        vi="Phiên xem đã kết thúc. Hãy mở lại liên kết.", en="The session has ended. Open your link again."
    ),
    RefusalReason.BAD_LINK: _NEW_LINK,
    RefusalReason.LINK_EXPIRED: _NEW_LINK,
    RefusalReason.LINK_REVOKED: _NEW_LINK,
    RefusalReason.OUTSIDE_SCOPE: _OUTSIDE,
    RefusalReason.NOT_PERMITTED: Bilingual(
        vi="Khóa này chỉ được xem. Hãy dùng khóa có quyền thực hiện việc này.",
        en="This key may only read. Use one that may do this.",
    ),
    RefusalReason.FORGED_FORM: Bilingual(
        vi="Biểu mẫu không do trang này tạo hoặc đã cũ. Hãy tải lại trang rồi gửi lại.",
        en="The form was not made by this page, or is too old. Load the page again and send it once more.",
    ),
    RefusalReason.OTHER_MACHINE: Bilingual(
        vi="Chỉ trả lời yêu cầu từ chính máy này; nơi khác hãy dùng cổng quản trị.",
        en="Only this machine may ask here; others ask the admin port.",
    ),
}


class ReportingProblem(Enum):
    """Every type of problem that reporting answers with."""

    INVALID_QUERY = ProblemType(
        status=400, slug="invalid-query", title=Bilingual(vi="Câu hỏi không hợp lệ", en="The question is not valid")
    )
    UNREADABLE_BODY = ProblemType(
        status=400,
        slug="unreadable-request",
        title=Bilingual(vi="Không đọc được yêu cầu", en="The request cannot be read"),
    )
    UNAUTHENTICATED = ProblemType(
        status=401,
        slug="unauthenticated",
        title=Bilingual(vi="Chưa xác định được người đọc", en="It is not known who asks"),
    )
    FORBIDDEN = ProblemType(
        status=403, slug="forbidden", title=Bilingual(vi="Ngoài phạm vi được xem", en="Outside what you may read")
    )
    NOT_FOUND = ProblemType(status=404, slug="not-found", title=Bilingual(vi="Không tìm thấy", en="Not found"))
    EMPTY_REPORT = ProblemType(
        status=409,
        slug="empty-report",
        title=Bilingual(
            vi="Kỳ này không có đơn vị nào phải báo cáo, không lập báo cáo",
            en="Nobody owes a report in this period, so no report is made",
        ),
    )
    INVALID_BODY = ProblemType(
        status=422, slug="invalid-request", title=Bilingual(vi="Yêu cầu không hợp lệ", en="The request is not valid")
    )
    CONFLICT = ProblemType(
        status=409,
        slug="version-conflict",
        title=Bilingual(vi="Đã có phiên bản khác được chốt trước", en="Another version was sealed meanwhile"),
    )
    TOO_LARGE = ProblemType(
        status=413, slug="too-large", title=Bilingual(vi="Yêu cầu quá lớn", en="The request is too large")
    )
    TOO_SLOW = ProblemType(
        status=408, slug="too-slow", title=Bilingual(vi="Yêu cầu gửi đến quá chậm", en="The request arrived too slowly")
    )
    TOO_MANY = ProblemType(
        status=429,
        slug="too-many-documents",
        title=Bilingual(
            vi="Đang lập nhiều báo cáo cùng lúc, hãy hỏi lại sau giây lát",
            en="Many reports are being made at the moment; ask again a little later",
        ),
    )
    UNSETTLED = ProblemType(
        status=503,
        slug="unsettled",
        title=Bilingual(
            vi="Số liệu đang được ghi nhận, chưa chốt được báo cáo",
            en="Figures are still being recorded, so the report cannot be sealed yet",
        ),
    )
    NOT_ALLOWED = ProblemType(
        status=405,
        slug="method-not-allowed",
        title=Bilingual(vi="Địa chỉ này không nhận phương thức đó", en="This address does not take that method"),
    )
    UNAVAILABLE = ProblemType(
        status=503, slug="unavailable", title=Bilingual(vi="Tạm thời chưa trả lời được", en="Not available for now")
    )
    INCOMPLETE = ProblemType(
        status=503,
        slug="incomplete",
        title=Bilingual(
            vi="Số liệu đang được đọc lại từ nhật ký và chưa đầy đủ",
            en="Figures are being read again from the log and are incomplete",
        ),
    )
    UNREADABLE = ProblemType(
        status=503,
        slug="unreadable",
        title=Bilingual(
            vi="Có bản ghi không đọc được, nên chưa tổng hợp được số liệu",
            en="Stored records cannot be read, so the figures cannot be consolidated",
        ),
    )
    DAMAGED_SEAL = ProblemType(
        status=503,
        slug="damaged-seal",
        title=Bilingual(
            vi="Bản chốt trong cơ sở dữ liệu không còn như khi chốt", en="What is stored is not what was sealed"
        ),
    )
    NOT_ASSESSED = ProblemType(
        status=503,
        slug="not-assessed",
        title=Bilingual(
            vi="Kế hoạch đã công bố, tình trạng báo cáo chưa được đánh giá",
            en="The plan is published, and the state of its reports is not assessed yet",
        ),
    )
    UNEXPECTED = ProblemType(
        status=500, slug="unexpected", title=Bilingual(vi="Lỗi chưa lường trước", en="Unexpected error")
    )


class InvalidQueryError(Exception):
    """The query has invalid parameters; `errors` names each of them with its remedy."""

    def __init__(self, errors: Mapping[str, Bilingual]) -> None:
        self.detail = _join_errors(errors)
        super().__init__(self.detail.en)
        self.errors = errors


class InvalidBodyError(Exception):
    """The body of a request is not valid; `errors` has the JSON pointer of each member with its remedy."""

    def __init__(self, errors: Mapping[str, Bilingual]) -> None:
        self.detail = _join_errors({pointer or "/": detail for pointer, detail in errors.items()})
        super().__init__(self.detail.en)
        self.errors = errors


class UnreadableBodyError(Exception):
    """The body of a request is no JSON."""

    def __init__(self, detail: Bilingual) -> None:
        super().__init__(detail.en)
        self.detail = detail


def _join_errors(errors: Mapping[str, Bilingual]) -> Bilingual:
    """Return one sentence that says of each name what is wrong with it."""
    english, vietnamese = (
        "; ".join(f"{name}: {detail.in_language(language)}" for name, detail in errors.items())
        for language in ("en", "vi")
    )
    return Bilingual.of(en=english, vi=vietnamese)


RenderPage = Callable[[Request, Problem], Response]
ExceptionHandler = Callable[[Request, Exception], Awaitable[Response]]
RecordRefusal = Callable[[Request, AccessRefusedError], None]


def language_of(request: Request) -> Language:
    """Return `vi` or `en`: the parameter `lang`, else what the client would rather accept, else Vietnamese."""
    accepted = request.query_params.get("lang") or request.headers.get("accept-language", "")
    return problems.choose_language(accepted, "vi")


def local_reference(request: Request) -> str:
    """Return the path of *request* as a reference that stays on this site, whatever the path is.

    A browser takes `//evil.example/x` for another site, and so it does with a backslash or a tab between the slashes.
    """
    return "/" + quote(request.url.path.lstrip("/\\"))


def render_document(request: Request, problem: Problem) -> Response:
    """Render the problem document of *problem*, which occurred at the path of *request*."""
    language = language_of(request)
    body = problems.encode(replace(problem, instance=local_reference(request)), language)
    return Response(body, problem.type.status, headers=problems.headers(problem, language))


def build_handlers(render_page: RenderPage, record_refusal: RecordRefusal) -> dict[Any, ExceptionHandler]:
    """Return the handler of every error: it answers with a problem document, or with a page where a browser asks.

    *record_refusal* is called with each request that is refused to its reader.
    """

    def build_handler(describe: Callable[[Exception], Problem]) -> ExceptionHandler:
        async def handle(request: Request, error: Exception) -> Response:
            problem = describe(error)
            if isinstance(error, AccessRefusedError):
                record_refusal(request, error)
            render = render_page if is_page_wanted(request) else render_document
            response = render(request, problem)
            if isinstance(error, HTTPException):
                response.headers.update(error.headers or {})  # `Allow` of a 405
            if problem.type.status == HTTPStatus.UNAUTHORIZED:
                response.headers["WWW-Authenticate"] = CHALLENGE
            if problem.retry_after_seconds is not None:
                response.headers["Retry-After"] = str(problem.retry_after_seconds)
            return response

        return handle

    return {error_type: build_handler(describe) for error_type, describe in _list_describers().items()}


def is_page_wanted(request: Request) -> bool:
    """Whether a browser asks for a page."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/v1/")


def _list_describers() -> dict[type[Exception], Callable[[Exception], Problem]]:
    return {
        AccessRefusedError: _describe_refusal,
        InvalidQueryError: _describe_invalid_query,
        InvalidBodyError: _describe_invalid_body,
        UnreadableBodyError: _describe_unreadable_body,
        VersionConflictError: _describe_conflict,
        NotFoundError: _describe_not_found,
        EmptyReportError: _describe_empty_report,
        HTTPException: _describe_http_error,
        # Starlette calls the handler of `Exception` and raises the error again, so that the server logs it.
        Exception: _describe_http_error,
        DatabaseUnavailableError: _describe_unavailable,
        DocumentsUnreadError: _describe_unavailable,
        StateIncompleteError: _describe_incomplete,
        UnreadableContentError: _describe_unreadable,
        DamagedSealError: _describe_damaged,
        AttachmentsUnavailableError: _describe_unavailable,
        NotAssessedError: _describe_not_assessed,
        TooManyDocumentsError: _describe_too_many,
        LogUnsettledError: _describe_unsettled,
        SealContestedError: _describe_unsettled,
        GroupBehindError: _describe_unsettled,
        KafkaError: _describe_unavailable,
    }


def _describe_refusal(error: Exception) -> Problem:
    reason = error.reason if isinstance(error, AccessRefusedError) else RefusalReason.NO_KEY
    kind = ReportingProblem.UNAUTHENTICATED if reason.is_unauthenticated else ReportingProblem.FORBIDDEN
    return Problem(type=kind.value, detail=_REMEDIES[reason])


def _describe_invalid_query(error: Exception) -> Problem:
    if not isinstance(error, InvalidQueryError):
        return Problem(type=ReportingProblem.INVALID_QUERY.value)
    errors = tuple(FieldError(pointer=f"/query/{name}", detail=detail) for name, detail in error.errors.items())
    return Problem(type=ReportingProblem.INVALID_QUERY.value, detail=error.detail, errors=errors)


def _describe_invalid_body(error: Exception) -> Problem:
    if not isinstance(error, InvalidBodyError):
        return Problem(type=ReportingProblem.INVALID_BODY.value)
    errors = tuple(FieldError(pointer=pointer, detail=detail) for pointer, detail in error.errors.items())
    return Problem(type=ReportingProblem.INVALID_BODY.value, detail=error.detail, errors=errors)


def _describe_unreadable_body(error: Exception) -> Problem:
    detail = error.detail if isinstance(error, UnreadableBodyError) else ""
    return Problem(type=ReportingProblem.UNREADABLE_BODY.value, detail=detail)


def _describe_conflict(error: Exception) -> Problem:
    following = error.latest + 1 if isinstance(error, VersionConflictError) else 1
    detail = Bilingual.of(en=str(error), vi=f"chỉ chốt được phiên bản tiếp theo, số {following}")
    return Problem(type=ReportingProblem.CONFLICT.value, detail=detail)


def _describe_unsettled(error: Exception) -> Problem:
    problem_type = ReportingProblem.UNSETTLED.value
    detail = Bilingual.of(
        en=f"{error}; seal again a little later, or as of an earlier instant",
        vi="hãy chốt lại sau giây lát, hoặc chốt theo một thời điểm sớm hơn",
    )
    return Problem(type=problem_type, detail=detail, retry_after_seconds=RETRY_AFTER_SECONDS)


def _describe_not_found(error: Exception) -> Problem:
    detail = error.detail if isinstance(error, NotFoundError) else ""
    return Problem(type=ReportingProblem.NOT_FOUND.value, detail=detail)


def _describe_empty_report(_error: Exception) -> Problem:
    return Problem(type=ReportingProblem.EMPTY_REPORT.value, detail=EMPTY_REPORT_REMEDY)


def _describe_unavailable(_error: Exception) -> Problem:
    return Problem(type=ReportingProblem.UNAVAILABLE.value, retry_after_seconds=RETRY_AFTER_SECONDS)


def _describe_incomplete(_error: Exception) -> Problem:
    return Problem(type=ReportingProblem.INCOMPLETE.value, retry_after_seconds=RETRY_AFTER_SECONDS)


def _describe_unreadable(error: Exception) -> Problem:
    return _ask_to_rebuild(ReportingProblem.UNREADABLE, error)


def _describe_damaged(error: Exception) -> Problem:
    return _ask_to_rebuild(ReportingProblem.DAMAGED_SEAL, error)


def _ask_to_rebuild(problem: ReportingProblem, error: Exception) -> Problem:
    detail = Bilingual.of(
        en=f"{error}; rebuild the database of reporting from the log",
        vi="hãy báo người vận hành dựng lại cơ sở dữ liệu báo cáo từ nhật ký",
    )
    return Problem(type=problem.value, detail=detail, retry_after_seconds=RETRY_AFTER_SECONDS)


def _describe_too_many(_error: Exception) -> Problem:
    return Problem(type=ReportingProblem.TOO_MANY.value, retry_after_seconds=rendering.RETRY_AFTER_SECONDS)


def _describe_not_assessed(error: Exception) -> Problem:
    problem_type = ReportingProblem.NOT_ASSESSED.value
    detail = Bilingual.of(en=str(error), vi="hãy hỏi lại sau giây lát, hoặc báo người vận hành nếu vẫn chưa có")
    return Problem(type=problem_type, detail=detail, retry_after_seconds=RETRY_AFTER_SECONDS)


def _describe_http_error(error: Exception) -> Problem:
    """Describe Starlette's own errors (no such path or method) by their status, and any other error as unexpected."""
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return _describe_unavailable(error)
    by_status = {one.value.status: one.value for one in ReportingProblem}
    return Problem(type=by_status.get(status, ReportingProblem.UNEXPECTED.value))
