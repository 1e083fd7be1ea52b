"""What intake tells about itself: the OpenAPI document, a page to read it by, the meaning of each problem type."""

import html
from functools import cache
from importlib import resources

from schemas.events.facts import MODEL_OF
from services.intake.asgi import Request, Response
from services.intake.core.problems import RequestProblem
from services.intake.http import openapi
from services.intake.http.router import Route

HTML = b"text/html; charset=utf-8"


async def get_openapi(_request: Request) -> Response:
    """Answer with the OpenAPI document."""
    return Response(status=200, body=openapi.openapi_document())


async def get_docs(_request: Request) -> Response:
    """Answer with a page for people, which needs neither a script nor another server."""
    return Response(status=200, body=_render_docs().encode(), media_type=HTML)


def problem_routes() -> dict[str, Route]:
    """Return a page for each problem `type`, which is also its address."""

    async def get_problem(request: Request) -> Response:
        kind = next(one.value for one in RequestProblem if request.path == f"/problems/{one.value.slug}")
        text = f"{kind.status} {kind.title.in_language(request.language)}\n"
        return Response(status=200, body=text.encode(), media_type=b"text/plain; charset=utf-8")

    return {f"/problems/{problem.value.slug}": Route(methods={"GET": get_problem}) for problem in RequestProblem}


@cache
def _render_docs() -> str:
    problems = "".join(
        f"<tr id='{kind.slug}'><td>{kind.status}</td><td><code>/problems/{kind.slug}</code></td>"
        f"<td>{html.escape(kind.title.en)}</td><td lang='vi'>{html.escape(kind.title.vi)}</td></tr>"
        for kind in (problem.value for problem in RequestProblem)
    )
    types = "".join(f"<li><code>{html.escape(name)}</code></li>" for name in MODEL_OF)
    template = resources.files("services.intake").joinpath("pages/docs.html").read_text("utf-8")
    return template.replace("{problems}", problems).replace("{types}", types)
