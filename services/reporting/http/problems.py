"""The problems that reporting answers with: a problem document (RFC 9457) for every error, or a page for people.

The `type` of each problem is stable, so that programs can tell problems apart by it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from enum import Enum
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from schemas import problems
from schemas.plan.values import Bilingual, Language
from schemas.problems import FieldError, Problem, ProblemType
from services.reporting.content.attachments import AttachmentsUnavailableError
from services.reporting.content.results_queries import UnreadableContentError
from services.reporting.queries import DocumentsUnreadError, NotFoundError
from services.reporting.store import DatabaseUnavailableError, NotAssessedError, StateIncompleteError

RETRY_AFTER_SECONDS = 5  # a restart of the database takes about two


class ReportingProblem(Enum):
    """Every type of problem that reporting answers with."""

    INVALID_QUERY = ProblemType(
        status=400, slug="invalid-query", title=Bilingual(vi="Câu hỏi không hợp lệ", en="The question is not valid")
    )
    NOT_FOUND = ProblemType(status=404, slug="not-found", title=Bilingual(vi="Không tìm thấy", en="Not found"))
    NOT_ALLOWED = ProblemType(
        status=405, slug="method-not-allowed", title=Bilingual(vi="Chỉ đọc, không ghi", en="This interface only reads")
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

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {detail}" for name, detail in errors.items()))
        self.errors = errors


RenderPage = Callable[[Request, Problem], Response]
ExceptionHandler = Callable[[Request, Exception], Awaitable[Response]]


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


def build_handlers(render_page: RenderPage) -> dict[Any, ExceptionHandler]:
    """Return the handler of every error: it answers with a problem document, or with a page where a browser asks."""

    def build_handler(describe: Callable[[Exception], Problem]) -> ExceptionHandler:
        async def handle(request: Request, error: Exception) -> Response:
            problem = describe(error)
            render = render_page if _is_page_wanted(request) else render_document
            response = render(request, problem)
            if isinstance(error, HTTPException):
                response.headers.update(error.headers or {})  # `Allow` of a 405
            if problem.retry_after_seconds is not None:
                response.headers["Retry-After"] = str(problem.retry_after_seconds)
            return response

        return handle

    describers = {
        InvalidQueryError: _describe_invalid_query,
        NotFoundError: _describe_not_found,
        HTTPException: _describe_http_error,
        # Starlette calls the handler of `Exception` and raises the error again, so that the server logs it.
        Exception: _describe_http_error,
        DatabaseUnavailableError: _describe_unavailable,
        DocumentsUnreadError: _describe_unavailable,
        StateIncompleteError: _describe_incomplete,
        UnreadableContentError: _describe_unreadable,
        AttachmentsUnavailableError: _describe_unavailable,
        NotAssessedError: _describe_not_assessed,
    }
    return {error_type: build_handler(describe) for error_type, describe in describers.items()}


def _is_page_wanted(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/v1/")


def _describe_invalid_query(error: Exception) -> Problem:
    found = error.errors if isinstance(error, InvalidQueryError) else {}
    errors = tuple(FieldError(pointer=f"/query/{name}", detail=detail) for name, detail in found.items())
    return Problem(type=ReportingProblem.INVALID_QUERY.value, detail=str(error), errors=errors)


def _describe_not_found(error: Exception) -> Problem:
    return Problem(type=ReportingProblem.NOT_FOUND.value, detail=str(error))


def _describe_unavailable(_error: Exception) -> Problem:
    return Problem(type=ReportingProblem.UNAVAILABLE.value, retry_after_seconds=RETRY_AFTER_SECONDS)


def _describe_incomplete(_error: Exception) -> Problem:
    return Problem(type=ReportingProblem.INCOMPLETE.value, retry_after_seconds=RETRY_AFTER_SECONDS)


def _describe_unreadable(error: Exception) -> Problem:
    detail = f"{error}; rebuild the database of reporting from the log"
    return Problem(type=ReportingProblem.UNREADABLE.value, detail=detail, retry_after_seconds=RETRY_AFTER_SECONDS)


def _describe_not_assessed(error: Exception) -> Problem:
    problem_type = ReportingProblem.NOT_ASSESSED.value
    return Problem(type=problem_type, detail=str(error), retry_after_seconds=RETRY_AFTER_SECONDS)


def _describe_http_error(error: Exception) -> Problem:
    """Describe Starlette's own errors (no such path or method) by their status, and any other error as unexpected."""
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return _describe_unavailable(error)
    by_status = {one.value.status: one.value for one in ReportingProblem}
    return Problem(type=by_status.get(status, ReportingProblem.UNEXPECTED.value))
