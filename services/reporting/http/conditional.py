"""Answer a question whose answer the asker may have already: `ETag` and `If-None-Match` (RFC 9110 section 13)."""

import hashlib
from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

CSV, JSON = "text/csv; charset=utf-8", "application/json"


def tag_of(content: bytes, *, is_weak: bool = False) -> str:
    """Return the entity tag of *content*; a weak one says that equal answers may differ in bytes that do not matter."""
    digest = hashlib.sha256(content).hexdigest()[:32]
    return f'W/"{digest}"' if is_weak else f'"{digest}"'


def respond(request: Request, body: bytes, *, tag: str, media_type: str, headers: Mapping[str, str] = {}) -> Response:
    """Return *body*, or 304 where the asker names its *tag*."""
    # What one reader may see another may not, so a shared cache keeps nothing, and the own one asks again.
    common = {**headers, "ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Accept, Authorization, Cookie"}
    if _names_tag(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=common)
    return Response(body, headers=common, media_type=media_type)


def prefers_csv(request: Request) -> bool:
    """Whether the asker would rather have CSV than JSON."""
    weights = {"text/csv": 0.0, "application/json": 0.0}
    for part in request.headers.get("accept", "").split(","):
        media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = next((_read_weight(one[2:]) for one in parameters if one.startswith("q=")), 1.0)
        if media_range in weights:
            weights[media_range] = weight
    return weights["text/csv"] > weights["application/json"]


def _names_tag(if_none_match: str, tag: str) -> bool:
    # The comparison is a weak one (RFC 9110 section 13.1.2). Tags of ours hold no comma.
    named = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return "*" in named or tag.removeprefix("W/") in named


def _read_weight(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0
