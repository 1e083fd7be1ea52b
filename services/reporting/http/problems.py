"""Errors as RFC 9457 problem details, in Vietnamese for who asks for it, or as a page. The `type` of each is stable."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from schemas.plan.values import Bilingual
from services.reporting.queries import UnknownError
from services.reporting.store import UNAVAILABLE

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = "5"  # a restart of the database takes about two


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One sort of problem."""

    status: int
    slug: str
    title: Bilingual


class Problem(Enum):
    """Every problem this interface answers with."""

    INVALID_QUERY = Kind(
        status=400, slug="invalid-query", title=Bilingual(vi="Câu hỏi không hợp lệ", en="The question is not valid")
    )
    NOT_FOUND = Kind(status=404, slug="not-found", title=Bilingual(vi="Không tìm thấy", en="Not found"))
    NOT_ALLOWED = Kind(
        status=405, slug="method-not-allowed", title=Bilingual(vi="Chỉ đọc, không ghi", en="This interface only reads")
    )
    UNAVAILABLE = Kind(
        status=503, slug="unavailable", title=Bilingual(vi="Tạm thời chưa trả lời được", en="Not available for now")
    )
    UNEXPECTED = Kind(status=500, slug="unexpected", title=Bilingual(vi="Lỗi chưa lường trước", en="Unexpected error"))


class BadQuestionError(Exception):
    """A question that cannot be answered as asked; `faults` names each parameter and its remedy."""

    def __init__(self, faults: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {detail}" for name, detail in faults.items()))
        self.faults = faults


def language_of(request: Request) -> str:
    """Return `vi` or `en`: the parameter `lang`, else what the client accepts first, else Vietnamese."""
    asked = request.query_params.get("lang") or request.headers.get("accept-language", "")
    first = next((one for one in asked.lower().replace(";", ",").split(",") if one.strip()[:2] in ("vi", "en")), "vi")
    return first.strip()[:2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is said of one error."""

    problem: Problem
    detail: str = ""
    faults: Mapping[str, str] = field(default_factory=dict)


def document(told: Told, request: Request) -> Response:
    """Return the problem document."""
    kind = told.problem.value
    body: dict[str, object] = {
        "type": f"/problems/{kind.slug}",
        "title": kind.title.in_language(language_of(request)),
        "status": kind.status,
        "instance": request.url.path,
    }
    if told.detail:
        body["detail"] = told.detail
    if told.faults:
        body["errors"] = [{"pointer": f"/query/{name}", "detail": text} for name, text in told.faults.items()]
    return JSONResponse(body, kind.status, media_type=MEDIA_TYPE)


Page = Callable[[Request, Told], Response]
Handler = Callable[[Request, Exception], Awaitable[Response]]


def handlers(page: Page) -> dict[Any, Handler]:
    """Return the handler of every error: a document, or what *page* draws where a person looks for a page."""

    def handler(tell: Callable[[Exception], Told]) -> Handler:
        async def handle(request: Request, error: Exception) -> Response:
            told = tell(error)
            answer = page(request, told) if _is_page_wanted(request) else document(told, request)
            if told.problem is Problem.UNAVAILABLE:
                answer.headers["Retry-After"] = RETRY_AFTER_SECONDS
            return answer

        return handle

    tellers = {
        BadQuestionError: _bad_question,
        UnknownError: _unknown,
        HTTPException: _http,
        Exception: _http,
        **dict.fromkeys(UNAVAILABLE, _unavailable),
    }
    return {kind: handler(tell) for kind, tell in tellers.items()}


def _is_page_wanted(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/v1/")


def _bad_question(error: Exception) -> Told:
    faults = error.faults if isinstance(error, BadQuestionError) else {}
    return Told(problem=Problem.INVALID_QUERY, detail=str(error), faults=faults)


def _unknown(error: Exception) -> Told:
    return Told(problem=Problem.NOT_FOUND, detail=str(error))


def _unavailable(_error: Exception) -> Told:
    return Told(problem=Problem.UNAVAILABLE)


def _http(error: Exception) -> Told:
    """Tell of a path or a method that is not there, and of what nobody foresaw."""
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    known = {problem.value.status: problem for problem in Problem}
    return Told(problem=known.get(status, Problem.UNEXPECTED))
