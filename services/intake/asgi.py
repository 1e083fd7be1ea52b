"""HTTP as the handlers of intake see it: a request with its headers and its bounded body, a response, a problem.

Raw ASGI on purpose: a framework's route costs more than the whole admission of an event.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import msgspec

from services.intake.core.problems import Language, RequestProblem, Refusal, Said
from services.intake.http.timeouts import Patience

AsgiScope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
HeaderPairs = Iterable[tuple[bytes, bytes]]

JSON = b"application/json"
PROBLEM_JSON = b"application/problem+json"


class RequestRefusedError(Exception):
    """A request is refused; the refusal says why and what to do. The router turns it into a problem document."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.problem.value.slug)
        self.refusal = refusal


class DisconnectedError(Exception):
    """The client went away before its request was whole; there is nobody to answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A whole answer."""

    status: int
    body: bytes
    media_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()

    async def send(self, send: Send, *, is_head: bool = False) -> None:
        """Send it; to a HEAD request only its headers."""
        headers = [(b"content-type", self.media_type), (b"content-length", b"%d" % len(self.body)), *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if is_head else self.body})


class Request:
    """A request as it arrives."""

    def __init__(self, scope: AsgiScope, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self._query: bytes = scope.get("query_string", b"")
        self._receive = receive
        self.headers: HeaderPairs = scope["headers"]
        self._headers = dict(self.headers)

    def header(self, name: bytes) -> str | None:
        """Return the value of the header *name* (lower case), the last one if it is repeated."""
        found = self._headers.get(name)
        return None if found is None else found.decode("latin-1")

    @property
    def has_query(self) -> bool:
        return bool(self._query)

    @property
    def query(self) -> Mapping[str, list[str]]:
        return parse_qs(self._query.decode("latin-1"), keep_blank_values=True)

    @property
    def language(self) -> Language:
        """The first language of `Accept-Language` that we speak, by weight; English by default.

        Its lines are one list (RFC 9110 section 5.3).
        """
        lines = (value.decode("latin-1") for name, value in self.headers if name == b"accept-language")
        return choose_language(",".join(lines))

    @property
    def content_length(self) -> int | None:
        """How long the body is going to be, where its sender says so."""
        announced = self._headers.get(b"content-length")
        return int(announced) if announced is not None and announced.isdigit() else None

    async def body(self, limit: int, patience: Patience) -> bytes:
        """Return the whole body; refuse more than *limit* bytes, or one that outlasts *patience*."""
        self._refuse_announced(limit)
        task = patience.begin()
        try:
            return await self._whole_body(limit)
        except asyncio.CancelledError as cause:
            if patience.is_over(task):
                raise RequestRefusedError(too_slow_refusal(patience.seconds)) from cause
            raise
        finally:
            patience.end(task)

    async def read_chunks(self, limit: int) -> AsyncIterator[bytes]:
        """Yield the body as it comes; refuse more than *limit* bytes. How long it may take is the caller's to bound."""
        self._refuse_announced(limit)
        arrived = 0
        has_more = True
        while has_more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise DisconnectedError
            part = message.get("body", b"")
            arrived += len(part)
            if arrived > limit:
                raise RequestRefusedError(too_large_refusal(limit))
            yield part
            has_more = message.get("more_body", False)

    def _refuse_announced(self, limit: int) -> None:
        announced = self.content_length
        if announced is not None and announced > limit:
            raise RequestRefusedError(too_large_refusal(limit))

    async def _whole_body(self, limit: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise DisconnectedError
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > limit:
                raise RequestRefusedError(too_large_refusal(limit))
            if not message.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)


def choose_language(accepted: str) -> Language:
    """Return the language of ours that an `Accept-Language` header weighs highest."""
    best: Language = "en"
    weight = 0.0
    for choice in accepted.split(","):
        tag, _, parameters = choice.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        given = _weight(parameters)
        if given > weight and language in {"en", "vi"}:
            best, weight = ("vi" if language == "vi" else "en"), given
    return best


def problem_response(refusal: Refusal, language: Language, *headers: tuple[bytes, bytes]) -> Response:
    """Return *refusal* as an RFC 9457 problem document in *language*."""
    kind = refusal.problem.value
    document: dict[str, object] = {
        "type": f"/problems/{kind.slug}",
        "title": kind.title.in_language(language),
        "status": kind.status,
        "detail": refusal.detail.in_language(language),
    }
    if refusal.errors:
        document["errors"] = [
            {"pointer": one.pointer, "detail": one.detail.in_language(language)} for one in refusal.errors
        ]
    return Response(
        status=kind.status,
        body=msgspec.json.encode(document),
        media_type=PROBLEM_JSON,
        headers=((b"content-language", language.encode()), *headers, *_headers_of(refusal)),
    )


def too_large_refusal(limit: int) -> Refusal:
    """Return the refusal of a body over *limit* bytes."""
    return Refusal(
        problem=RequestProblem.TOO_LARGE,
        detail=Said(
            en=f"at most {limit} bytes are taken here; send less at a time",
            vi=f"chỉ nhận tối đa {limit} byte; hãy gửi ít hơn mỗi lần",
        ),
    )


def too_slow_refusal(seconds: float) -> Refusal:
    """Return the refusal of a body that did not arrive within *seconds*."""
    return Refusal(
        problem=RequestProblem.TOO_SLOW,
        detail=Said(en=f"the body took longer than {seconds:g} s", vi=f"nội dung gửi lâu hơn {seconds:g} giây"),
    )


def _headers_of(refusal: Refusal) -> Iterator[tuple[bytes, bytes]]:
    """Yield what tells a client, rather than a reader, what would do."""
    if refusal.retry_after_seconds is not None:
        yield b"retry-after", b"%d" % refusal.retry_after_seconds
    if refusal.problem is RequestProblem.UNAUTHENTICATED:
        yield b"www-authenticate", b'Bearer realm="dondoc"'
    if refusal.accepted_media_types:
        yield b"accept", ", ".join(refusal.accepted_media_types).encode()
    if refusal.accepted_codings:
        yield b"accept-encoding", ", ".join(refusal.accepted_codings).encode()


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
