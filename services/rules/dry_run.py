"""`POST /v1/dry-run`: what would be said if an event were sent now, and what is still missing. Records nothing.

It answers from the facts known where this process owns the agency's partition, else from the requirements alone.
"""

import json
from collections.abc import Mapping
from datetime import datetime

import msgspec

from schemas.plan.plan import Requirements
from services.rules import fact_decoder, state_codec
from services.rules.core import completeness
from services.rules.core.assess import assess
from services.rules.core.duty import Duty
from services.rules.core.duty_catalogue import Book, UnknownDuty
from services.rules.core.facts import Exemption, Fact, Revocation, Submission
from services.rules.duty_catalogues import Books
from services.rules.fact_decoder import UnreadableFact
from services.rules.partitions import Assignment
from services.runtime.clock import Clock
from services.runtime.http.probes import AsgiHandler, Receive, Scope, Send, send_response

LARGEST_BYTES = 2 * 1024 * 1024  # intake takes no larger event than half of this, and adds to it
PROBLEM = "application/problem+json"


class NoAnswer(Exception):  # noqa: N818 - it reads as the answer
    """There is nothing to say but a problem."""

    def __init__(self, status: int, title: str, errors: tuple[Mapping[str, str], ...] = ()) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.errors = errors


def dry_run(books: Books, assignment: Assignment, *, clock: Clock) -> AsgiHandler:
    """Return the handler."""

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            found = _assessed(books, assignment, await _posted(scope, receive), clock.now())
        except NoAnswer as problem:
            await send_response(send, _problem(problem), status=problem.status, content_type=PROBLEM)
        else:
            await send_response(send, found)

    return handle


def _assessed(books: Books, assignment: Assignment, body: bytes, now: datetime) -> bytes:
    told = _told(body, now)
    book = books.latest(told.plan)
    if book is None:
        raise NoAnswer(503, "The plan is not published, or not known here yet.")
    fact, duty = _resolved(book, told)
    partition = assignment.owned(books.home(fact.agency))
    basis = "requirements" if partition is None else "record"
    if duty is None:
        return msgspec.json.encode({"duty": None, "basis": basis, "segment": None, "missing": ()})
    known = () if partition is None else partition.keeper.known(duty.key)
    assessment = assess(duty, [*known, fact])
    filing = next((one for one in assessment.filings if one.submission is fact), None)
    segment = assessment.at(max(now, filing.effective_at if filing else now))
    return msgspec.json.encode(
        {
            "duty": str(duty.key),
            "basis": basis,
            "segment": segment,
            "missing": _missing(duty, fact) if isinstance(fact, Submission) else segment.missing,
        }
    )


def _told(body: bytes, now: datetime) -> Fact:
    try:
        event = json.loads(body)
        if not isinstance(event, dict):
            raise UnreadableFact("", "an event is a JSON object")
        return fact_decoder.read_fact(msgspec.json.encode({"receivedtime": now.isoformat(), **event}))
    except (ValueError, RecursionError) as cause:
        pointer, detail = (cause.pointer, cause.message) if isinstance(cause, UnreadableFact) else ("", str(cause))
        raise NoAnswer(422, "The event cannot be read.", errors=_one(pointer, detail)) from cause


def _resolved(book: Book, told: Fact) -> tuple[Fact, Duty | None]:
    """Return *told* with aliases resolved, and the one duty it is about; an exemption is about no one duty."""
    try:
        fact = book.resolved(told)
        if isinstance(fact, Exemption | Revocation):
            return fact, None
        period = state_codec.home(fact)
        return fact, book.duty(agency=fact.agency, obligation=fact.obligation, period=period)
    except UnknownDuty as cause:
        raise NoAnswer(422, "There is no such duty.", errors=_one(f"/data/{cause.field}", cause.message)) from cause


def _missing(duty: Duty, fact: Submission) -> tuple[str, ...]:
    return completeness.missing(duty.version.requires if duty.version else Requirements(), fact.report)


async def _posted(scope: Scope, receive: Receive) -> bytes:
    if scope["method"] != "POST":
        raise NoAnswer(405, "Post the event that would be sent.")
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if sum(map(len, parts)) > LARGEST_BYTES:
            raise NoAnswer(413, f"An event is at most {LARGEST_BYTES} bytes.")
        if not message.get("more_body", False):
            return b"".join(parts)


def _one(pointer: str, detail: str) -> tuple[Mapping[str, str], ...]:
    return ({"pointer": pointer, "detail": detail},)


def _problem(problem: NoAnswer) -> bytes:
    return msgspec.json.encode(
        {"type": "about:blank", "title": problem.title, "status": problem.status, "errors": problem.errors}
    )
