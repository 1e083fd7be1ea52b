"""HTTP requests and responses over ASGI: bounded bodies, the language of the client, RFC 9457 problem documents.

Uses raw ASGI instead of a web framework, because a framework's route costs more than the whole admission of an event.
Knows nothing of routes (`http.router`) or of events.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from urllib.parse import parse_qs

from msgspec import Struct

from schemas import problems
from schemas.plan.values import Bilingual, Language
from schemas.problems import Problem
from services.intake.core.problems import Refusal, RequestProblem
from services.runtime.http.asgi import Receive, Scope, Send

HeaderPairs = Iterable[tuple[bytes, bytes]]

JSON = b"application/json"


class RequestRefusedError(Exception):
    """A request is refused; the refusal holds the reason and the remedy. The router answers with a problem document."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.problem.value.slug)
        self.refusal = refusal


class DisconnectedError(Exception):
    """The client disconnected before its request was complete; nobody is left to answer."""


class BodyTimeout:
    """Bounds how long request bodies may take to arrive: *seconds*, and at most a tenth more.

    One timer serves all requests, so a body that arrives in time costs two dictionary operations instead of a timer. A
    late task is cancelled where it waits; `is_over` tells it that this is why.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._started: dict[asyncio.Task[object], float] = {}
        self._late: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> asyncio.Task[object]:
        """Start the clock for the running task, and return the task. `end` must follow."""
        task = asyncio.current_task(self._loop)
        if task is None:
            raise RuntimeError("only a task can be cancelled")
        loop = self._loop = task.get_loop()
        self._started[task] = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(self.seconds / 10, self._cancel_late, loop)
        return task

    def end(self, task: asyncio.Task[object]) -> None:
        """Stop the clock of *task*."""
        del self._started[task]

    def is_over(self, task: asyncio.Task[object]) -> bool:
        """Whether *task* was cancelled because its time was over, and for no other reason. It may then go on."""
        if task not in self._late:
            return False
        self._late.discard(task)
        # Above 0, a shutdown has asked for the cancellation too, and the task must end.
        return task.uncancel() == 0

    def _cancel_late(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(self.seconds / 10, self._cancel_late, loop) if self._started else None
        latest = loop.time() - self.seconds
        # A dictionary keeps the order of insertion, so the tasks that started first come first.
        for task, started_at in self._started.items():
            if started_at > latest:
                return
            if task not in self._late:
                self._late.add(task)
                task.cancel()


class Response(Struct, frozen=True, kw_only=True):
    """A complete HTTP response."""

    status: int
    body: bytes
    media_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()

    async def send(self, send: Send, *, is_head: bool = False) -> None:
        """Send the response; to a HEAD request only its headers."""
        headers = [(b"content-type", self.media_type), (b"content-length", b"%d" % len(self.body)), *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if is_head else self.body})


class Request:
    """An HTTP request whose body may still be arriving."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.raw_query: bytes = scope.get("query_string", b"")
        self._receive = receive
        self.headers: HeaderPairs = scope["headers"]
        self._headers = dict(self.headers)
        client: tuple[str, int] | None = scope.get("client")
        self.address = "unknown" if client is None else client[0]
        """The address that the connection comes from; behind a proxy, the proxy's."""

    def header(self, name: bytes) -> str | None:
        """Return the value of the header *name* (lower case); the last one if the header is repeated."""
        found = self._headers.get(name)
        return None if found is None else found.decode("latin-1")

    @property
    def query(self) -> Mapping[str, list[str]]:
        return parse_qs(self.raw_query.decode("latin-1"), keep_blank_values=True)

    @property
    def language(self) -> Language:
        """The language of ours that `Accept-Language` weighs highest; English by default.

        Repeated header lines are one list (RFC 9110 section 5.3).
        """
        lines = (value.decode("latin-1") for name, value in self.headers if name == b"accept-language")
        return problems.choose_language(",".join(lines), default="en")

    @property
    def content_length(self) -> int | None:
        """The length of the body in bytes, if the client has declared it."""
        declared = self._headers.get(b"content-length")
        # `int` alone would also accept a sign, blanks and underscores, which RFC 9110 section 8.6 does not allow.
        return int(declared) if declared is not None and declared.isdigit() else None

    async def read_body(self, limit: int, body_timeout: BodyTimeout) -> bytes:
        """Return the complete body; refuse with 413 more than *limit* bytes, with 408 a body that is too slow."""
        self._refuse_declared_length(limit)
        chunks: list[bytes] = []
        size = 0
        task = body_timeout.begin()
        # Every event is read here. A loop of its own spares it the asynchronous generator of `read_chunks`.
        try:
            while True:
                message = await self._receive()
                if message["type"] == "http.disconnect":
                    raise DisconnectedError
                chunks.append(message.get("body", b""))
                size += len(chunks[-1])
                if size > limit:
                    raise RequestRefusedError(too_large_refusal(limit))
                if not message.get("more_body", False):
                    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
        except asyncio.CancelledError as cause:
            # The timeout cancels the task. A shutdown does so too, and its cancellation must be passed on.
            if body_timeout.is_over(task):
                raise RequestRefusedError(too_slow_refusal(body_timeout.seconds)) from cause
            raise
        finally:
            body_timeout.end(task)

    async def read_chunks(self, limit: int) -> AsyncIterator[bytes]:
        """Yield the body as it arrives; refuse with 413 more than *limit* bytes. The caller bounds the time."""
        self._refuse_declared_length(limit)
        received = 0
        has_more = True
        while has_more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise DisconnectedError
            chunk = message.get("body", b"")
            received += len(chunk)
            if received > limit:
                raise RequestRefusedError(too_large_refusal(limit))
            yield chunk
            has_more = message.get("more_body", False)

    def _refuse_declared_length(self, limit: int) -> None:
        declared = self.content_length
        if declared is not None and declared > limit:
            raise RequestRefusedError(too_large_refusal(limit))


def problem_response(refusal: Refusal, language: Language, *headers: tuple[bytes, bytes]) -> Response:
    """Return *refusal* as an RFC 9457 problem document in *language*."""
    problem = Problem(type=refusal.problem.value, detail=refusal.detail, errors=refusal.errors)
    return Response(
        status=problem.type.status,
        body=problems.encode(problem, language),
        media_type=problems.MEDIA_TYPE.encode(),
        headers=((b"content-language", language.encode()), *headers, *_remedy_headers(refusal)),
    )


def too_large_refusal(limit: int) -> Refusal:
    """Return the refusal (413) of a body over *limit* bytes."""
    return Refusal(
        problem=RequestProblem.TOO_LARGE,
        detail=Bilingual.of(
            en=f"at most {limit} bytes are taken here; send less at a time",
            vi=f"chỉ nhận tối đa {limit} byte; hãy gửi ít hơn mỗi lần",
        ),
    )


def too_slow_refusal(seconds: float) -> Refusal:
    """Return the refusal (408) of a body that did not arrive within *seconds*."""
    return Refusal(
        problem=RequestProblem.TOO_SLOW,
        detail=Bilingual.of(en=f"the body took longer than {seconds:g} s", vi=f"nội dung gửi lâu hơn {seconds:g} giây"),
    )


def _remedy_headers(refusal: Refusal) -> Iterator[tuple[bytes, bytes]]:
    """Yield the headers by which a client, unlike a person, learns what the service would accept."""
    if refusal.retry_after_seconds is not None:
        yield b"retry-after", b"%d" % refusal.retry_after_seconds
    if refusal.problem is RequestProblem.UNAUTHENTICATED:
        yield b"www-authenticate", b'Bearer realm="dondoc"'
    if refusal.accepted_media_types:
        yield b"accept", ", ".join(refusal.accepted_media_types).encode()
    if refusal.accepted_codings:
        yield b"accept-encoding", ", ".join(refusal.accepted_codings).encode()
