"""Routes requests to handlers by path and method; answers refusals and failures with problem documents."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from schemas.plan.values import Bilingual
from services.intake import asgi
from services.intake.asgi import DisconnectedError, Request, RequestRefusedError, Response
from services.intake.core.problems import Refusal, RequestProblem
from services.intake.metrics import IntakeMetrics, Surface
from services.runtime.http.asgi import AsgiHandler, Receive, Scope, Send

Handler = Callable[[Request], Awaitable[Response]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The handlers of one path by method, and as what its requests are counted. The one of GET also answers HEAD."""

    methods: Mapping[str, Handler]
    surface: Surface = Surface.OTHER

    @property
    def allowed(self) -> str:
        return ", ".join(sorted({*self.methods, *(("HEAD",) if "GET" in self.methods else ())}))


class Router:
    """The ASGI application of intake: *routes* by path, and other ASGI applications *mounted* at their paths."""

    def __init__(self, routes: Mapping[str, Route], mounted: Mapping[str, AsgiHandler], metrics: IntakeMetrics) -> None:
        self._routes = routes
        self._mounted = mounted
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        mounted = self._mounted.get(scope["path"])
        if mounted is not None and scope["method"] in {"GET", "HEAD"}:
            await mounted(scope, receive, send)
            return
        started = time.perf_counter()
        request = Request(scope, receive)
        route = self._routes.get(request.path)
        try:
            response = await self._respond(request, route)
        except DisconnectedError:
            # Nobody is left to read an answer, and none is owed: what became durable is found again by its identity.
            return
        await response.send(send, is_head=request.method == "HEAD")
        surface = Surface.OTHER if route is None else route.surface
        if request.raw_query and surface is Surface.EVENTS:
            surface = Surface.DRY_RUN
        self._metrics.requests.requests[surface, response.status // 100].inc()
        self._metrics.requests.seconds[surface].observe(time.perf_counter() - started)

    async def _respond(self, request: Request, route: Route | None) -> Response:
        handler = self._explain if route is None else route.methods.get(request.method, self._explain)
        try:
            return await handler(request)
        except RequestRefusedError as error:
            self._metrics.refusals.labels(error.refusal.problem.value.slug).inc()
            return asgi.problem_response(error.refusal, request.language)
        except DisconnectedError:
            raise
        except Exception:  # the boundary of the process: a defect must cost one request, not the connection
            log.exception("a request failed", extra={"action": "request_failed", "path": request.path})
            self._metrics.refusals.labels(RequestProblem.INTERNAL.value.slug).inc()
            return asgi.problem_response(_FAILED, request.language)

    async def _explain(self, request: Request) -> Response:
        """Answer a request that has no handler of its own: HEAD by the handler of GET, else 404 or 405."""
        route = self._routes.get(request.path)
        if route is None and request.path in self._mounted:
            route = _READ_ONLY
        if route is None:
            raise RequestRefusedError(_not_found(request.path))
        if request.method == "HEAD" and "GET" in route.methods:
            return await route.methods["GET"](request)
        self._metrics.refusals.labels(RequestProblem.METHOD_NOT_ALLOWED.value.slug).inc()
        refusal = _not_allowed(request.method, route.allowed)
        return asgi.problem_response(refusal, request.language, (b"allow", route.allowed.encode()))


async def _respond_empty(_request: Request) -> Response:
    return Response(status=204, body=b"")


_READ_ONLY = Route(methods={"GET": _respond_empty})
_FAILED = Refusal(
    problem=RequestProblem.INTERNAL,
    detail=Bilingual.of(
        en="the failure is on record here; send the same event again",
        vi="lỗi đã được ghi lại; hãy gửi lại đúng sự kiện này",
    ),
)


def _not_found(path: str) -> Refusal:
    # A bound, because the path is echoed: a client may send one as long as the head of a request may be (32 KiB).
    shown = path[:200]
    return Refusal(
        problem=RequestProblem.NOT_FOUND,
        detail=Bilingual.of(en=f"{shown} is not here; see /docs", vi=f"không có {shown}; xem /docs"),
    )


def _not_allowed(method: str, allowed: str) -> Refusal:
    shown = method[:20]
    return Refusal(
        problem=RequestProblem.METHOD_NOT_ALLOWED,
        detail=Bilingual.of(
            en=f"{shown} is not taken here; use {allowed}", vi=f"không nhận {shown}; hãy dùng {allowed}"
        ),
    )
