"""Answer a question whose answer the asker may have already: `ETag` and `If-None-Match` (RFC 9110 section 13)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

CSV, JSON = "text/csv; charset=utf-8", "application/json"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


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


def respond_json(request: Request, document: Mapping[str, Any], *, headers: Mapping[str, str] = {}) -> Response:
    """Return *document* as JSON, or 304 where the asker has it.

    An answer about a named instant has a strong tag, one about now a weak one, which the passing of time alone does not
    change: the instants are left out of it.
    """
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    if "as_of" in request.query_params:
        tag = tag_of(body)
    else:
        timeless = {name: value for name, value in document.items() if name not in {"as_of", "known_at"}}
        tag = tag_of(json.dumps(timeless, ensure_ascii=False).encode("utf-8", "backslashreplace"), is_weak=True)
    return respond(request, body, tag=tag, media_type=JSON, headers=headers)


def prefers_csv(request: Request) -> bool:
    """Whether the asker would rather have CSV than JSON."""
    return choose_media_type(request, (JSON, CSV)) == CSV


def choose_media_type(request: Request, offered: Sequence[str]) -> str:
    """Return the one of the *offered* media types that the asker accepts most gladly, the first where it is all one."""
    weights = dict.fromkeys(offered, 0.0)
    for part in request.headers.get("accept", "").split(","):
        media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = next((_read_weight(one[2:]) for one in parameters if one.startswith("q=")), 1.0)
        for media_type in offered:
            if media_range == media_type.partition(";")[0]:
                weights[media_type] = weight
    return max(offered, key=lambda media_type: weights[media_type])


def _names_tag(if_none_match: str, tag: str) -> bool:
    # The comparison is a weak one (RFC 9110 section 13.1.2). Tags of ours hold no comma.
    named = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return "*" in named or tag.removeprefix("W/") in named


def _read_weight(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0
