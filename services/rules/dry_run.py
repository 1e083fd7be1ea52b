"""`POST /v1/dry-run`: what the status would be if an event were sent now, and what is missing. Nothing is recorded.

Where this process owns the agency's partition, the answer counts the facts known (`"basis": "record"`); elsewhere it
follows from the requirements alone (`"basis": "requirements"`).
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from schemas.events.ids import partition_of
from schemas.events.wire import WireReturnedReport, WireSegment
from services.rules import fact_decoder
from services.rules.core import alerts, completeness, facts
from services.rules.core.assess import Assessment, assess
from services.rules.core.duty import Duty
from services.rules.core.duty_catalogue import DutyCatalogue, UnknownDuty
from services.rules.core.facts import Exemption, Fact, Revocation, Submission
from services.rules.duty_catalogues import DutyCatalogues
from services.rules.partitions import AssignedPartitions
from services.runtime.clock import Clock
from services.runtime.decoding import RecordDecoder, UnreadableRecordError
from services.runtime.http.asgi import AsgiHandler, Receive, Scope, Send, read_content, send_response

LARGEST_BYTES = 2 * 1024 * 1024  # intake takes no larger event than half of this, and adds to it
PROBLEM = "application/problem+json"
_MEMBERS_DECODER = RecordDecoder[dict[str, msgspec.Raw]](dict[str, msgspec.Raw])


class DryRunProblem(Exception):  # noqa: N818 - it is the answer
    """The answer is a problem document (RFC 9457) instead of an assessment."""

    def __init__(self, status: int, title: str, errors: tuple[Mapping[str, str], ...] = ()) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.errors = errors


def dry_run(catalogues: DutyCatalogues, partitions: AssignedPartitions, *, clock: Clock) -> AsgiHandler:
    """Return the handler."""

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await _read_body(scope, receive)
            found = _assess_event(catalogues, partitions, body, clock.now())
        except DryRunProblem as problem:
            await send_response(send, _encode_problem(problem), status=problem.status, content_type=PROBLEM)
        else:
            await send_response(send, found)

    return handle


def _assess_event(catalogues: DutyCatalogues, partitions: AssignedPartitions, body: bytes, now: datetime) -> bytes:
    received = _decode_event(body, now)
    catalogue = catalogues.latest(received.plan)
    if catalogue is None:
        raise DryRunProblem(503, "The plan is not published, or not known here yet.")
    fact, duty = _find_duty(catalogue, received)
    partition = partitions.find_open(partition_of(fact.agency, catalogues.partitions))
    basis = "requirements" if partition is None else "record"
    if duty is None:
        return msgspec.json.encode({"duty": None, "basis": basis, "segment": None, "missing": ()})
    known = () if partition is None else partition.processor.facts_bearing_on(duty)
    assessment = assess(duty, [*known, fact])
    filing = next((one for one in assessment.filings if one.submission is fact), None)
    # An event whose effect is still to come is answered as of the instant at which it takes effect.
    segment = assessment.at(max(now, filing.effective_at if filing else now))
    return msgspec.json.encode(
        {
            "duty": str(duty.key),
            "basis": basis,
            "segment": segment,
            "returned": _describe_return(assessment, segment),
            "missing": completeness.find_missing(duty.requirements, fact.report)
            if isinstance(fact, Submission)
            else segment.missing,
        }
    )


def _decode_event(body: bytes, now: datetime) -> Fact:
    """Return the fact in *body*; an event without `receivedtime` counts as received *now*."""
    try:
        event = _MEMBERS_DECODER.decode(body)
        return fact_decoder.decode_fact(msgspec.json.encode({"receivedtime": now.isoformat(), **event}))
    except UnreadableRecordError as cause:
        errors = _one_error(cause.pointer, cause.message)
        raise DryRunProblem(422, "The event cannot be read.", errors=errors) from cause


def _find_duty(catalogue: DutyCatalogue, received: Fact) -> tuple[Fact, Duty | None]:
    """Return *received* with aliases resolved, and the one duty it is about; an exemption is about no one duty."""
    try:
        fact = catalogue.resolve_names(received)
        if isinstance(fact, Exemption | Revocation):
            return fact, None
        period = facts.record_period(fact)
        return fact, catalogue.duty(agency=fact.agency, obligation=fact.obligation, period=period)
    except UnknownDuty as cause:
        errors = _one_error(f"/data/{cause.field}", cause.message)
        raise DryRunProblem(422, "There is no such duty.", errors=errors) from cause


def _describe_return(assessment: Assessment, segment: WireSegment) -> WireReturnedReport | None:
    """Return what the recipient asks for where *segment* is that of a returned report (ruling 14)."""
    acted = [one.fact for one in assessment.returns if one.acted_at <= segment.starts_at]
    if not alerts.is_returned(segment) or not acted:
        return None
    last = acted[-1]
    return WireReturnedReport(submission=last.submission, reason=last.reason, respond_by=last.respond_by)


async def _read_body(scope: Scope, receive: Receive) -> bytes:
    if scope["method"] != "POST":
        raise DryRunProblem(405, "Post the event that would be sent.")
    body = await read_content(receive, largest=LARGEST_BYTES)
    if body is None:
        raise DryRunProblem(413, f"An event is at most {LARGEST_BYTES} bytes.")
    return body


def _one_error(pointer: str, detail: str) -> tuple[Mapping[str, str], ...]:
    return ({"pointer": pointer, "detail": detail},)


def _encode_problem(problem: DryRunProblem) -> bytes:
    return msgspec.json.encode(
        {"type": "about:blank", "title": problem.title, "status": problem.status, "errors": problem.errors}
    )
