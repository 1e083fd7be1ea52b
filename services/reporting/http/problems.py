"""Errors as RFC 9457 problem details, in Vietnamese for who asks for it. The `type` of each is stable."""

from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from schemas.values import Bilingual
from services.reporting.inquiries import UnknownError
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


def answer(problem: Problem, request: Request, *, detail: str = "", faults: dict[str, str] | None = None) -> Response:
    """Return *problem* as its document."""
    kind = problem.value
    body: dict[str, object] = {
        "type": f"/problems/{kind.slug}",
        "title": kind.title.in_language(language_of(request)),
        "status": kind.status,
        "instance": request.url.path,
    }
    if detail:
        body["detail"] = detail
    if faults:
        body["errors"] = [{"pointer": f"/query/{name}", "detail": text} for name, text in faults.items()]
    headers = {"Retry-After": RETRY_AFTER_SECONDS} if problem is Problem.UNAVAILABLE else {}
    return JSONResponse(body, kind.status, headers, MEDIA_TYPE)


async def on_bad_question(request: Request, error: Exception) -> Response:
    """Answer a question that is not valid."""
    faults = error.faults if isinstance(error, BadQuestionError) else {}
    return answer(Problem.INVALID_QUERY, request, detail=str(error), faults=faults)


async def on_unknown(request: Request, error: Exception) -> Response:
    """Answer for a name that nothing bears."""
    return answer(Problem.NOT_FOUND, request, detail=str(error))


async def on_unavailable(request: Request, _error: Exception) -> Response:
    """Answer while the database is away."""
    return answer(Problem.UNAVAILABLE, request)


async def on_http(request: Request, error: Exception) -> Response:
    """Answer for a path or a method that is not there."""
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    known = {problem.value.status: problem for problem in Problem}
    return answer(known.get(status, Problem.UNEXPECTED), request)


HANDLERS = {
    BadQuestionError: on_bad_question,
    UnknownError: on_unknown,
    HTTPException: on_http,
    Exception: on_http,
    **dict.fromkeys(UNAVAILABLE, on_unavailable),
}
