"""Problem documents (RFC 9457) for every error, in Vietnamese or English, or a page for people.

The `type` of each problem is stable, so that programs can tell problems apart by it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from schemas.plan.values import Bilingual
from services.reporting.queries import NotFoundError
from services.reporting.store import DatabaseUnavailableError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = "5"  # a restart of the database takes about two


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemType:
    """One type of problem."""

    status: int
    slug: str
    title: Bilingual


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
    UNEXPECTED = ProblemType(
        status=500, slug="unexpected", title=Bilingual(vi="Lỗi chưa lường trước", en="Unexpected error")
    )


class InvalidQueryError(Exception):
    """The query has invalid parameters; `errors` names each of them with its remedy."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {detail}" for name, detail in errors.items()))
        self.errors = errors


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorDescription:
    """What the answer to one error says: the type of problem, its detail, and the invalid parameters."""

    problem: ReportingProblem
    detail: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


RenderPage = Callable[[Request, ErrorDescription], Response]
ExceptionHandler = Callable[[Request, Exception], Awaitable[Response]]


def language_of(request: Request) -> str:
    """Return `vi` or `en`: the parameter `lang`, else what the client accepts first, else Vietnamese."""
    # Quality values are ignored: browsers list the preferred language first.
    accepted = request.query_params.get("lang") or request.headers.get("accept-language", "")
    first = next(
        (one for one in accepted.lower().replace(";", ",").split(",") if one.strip()[:2] in ("vi", "en")), "vi"
    )
    return first.strip()[:2]


def render_document(request: Request, description: ErrorDescription) -> Response:
    """Render the problem document."""
    problem_type = description.problem.value
    body: dict[str, object] = {
        "type": f"/problems/{problem_type.slug}",
        "title": problem_type.title.in_language(language_of(request)),
        "status": problem_type.status,
        "instance": request.url.path,
    }
    if description.detail:
        body["detail"] = description.detail
    if description.errors:
        body["errors"] = [{"pointer": f"/query/{name}", "detail": text} for name, text in description.errors.items()]
    return JSONResponse(body, problem_type.status, media_type=MEDIA_TYPE)


def build_handlers(render_page: RenderPage) -> dict[Any, ExceptionHandler]:
    """Return the handler of every error: it answers with a problem document, or with a page where a browser asks."""

    def build_handler(describe: Callable[[Exception], ErrorDescription]) -> ExceptionHandler:
        async def handle(request: Request, error: Exception) -> Response:
            description = describe(error)
            render = render_page if _is_page_wanted(request) else render_document
            response = render(request, description)
            if description.problem is ReportingProblem.UNAVAILABLE:
                response.headers["Retry-After"] = RETRY_AFTER_SECONDS
            return response

        return handle

    describers = {
        InvalidQueryError: _describe_invalid_query,
        NotFoundError: _describe_not_found,
        HTTPException: _describe_http_error,
        # Starlette calls the handler of `Exception` and raises the error again, so that the server logs it.
        Exception: _describe_http_error,
        DatabaseUnavailableError: _describe_unavailable,
    }
    return {error_type: build_handler(describe) for error_type, describe in describers.items()}


def _is_page_wanted(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/v1/")


def _describe_invalid_query(error: Exception) -> ErrorDescription:
    errors = error.errors if isinstance(error, InvalidQueryError) else {}
    return ErrorDescription(problem=ReportingProblem.INVALID_QUERY, detail=str(error), errors=errors)


def _describe_not_found(error: Exception) -> ErrorDescription:
    return ErrorDescription(problem=ReportingProblem.NOT_FOUND, detail=str(error))


def _describe_unavailable(_error: Exception) -> ErrorDescription:
    return ErrorDescription(problem=ReportingProblem.UNAVAILABLE)


def _describe_http_error(error: Exception) -> ErrorDescription:
    """Describe Starlette's own errors (no such path or method) by their status, and any other error as unexpected."""
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    by_status = {problem.value.status: problem for problem in ReportingProblem}
    return ErrorDescription(problem=by_status.get(status, ReportingProblem.UNEXPECTED))
