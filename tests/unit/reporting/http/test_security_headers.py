"""Every answer has the security headers, whatever made it; one that sets a header itself keeps its own."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from services.reporting.http.security_headers import HEADERS, SecurityHeaders


async def answer(request: Request) -> Response:
    """Answer, or fail."""
    if request.query_params:
        raise RuntimeError
    return PlainTextResponse("", headers={"Cache-Control": "public, max-age=86400"})


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/nowhere", 404), ("/?fail=1", 500)])
async def test_every_answer_has_them(path: str, status: int) -> None:
    """Also a path that is no route's, and an unexpected error."""
    app = SecurityHeaders(Starlette(routes=[Route("/", answer)]))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        found = await client.get(path)
    assert found.status_code == status
    assert {name for name in HEADERS if name not in found.headers} == set()
    expected = "public, max-age=86400" if status == 200 else "no-store"
    assert found.headers["cache-control"] == expected
