"""Submits the report of a form as an event: the same validation, deduplication and receipts as `POST /v1/events`.

The event's id derives from the duty and the content, so that a double click, or the form sent again, is one event.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from schemas.content.figure_findings import FigureFinding
from schemas.events import ids
from schemas.events.assessments import Status
from schemas.events.facts import SUBMITTED
from schemas.events.ids import DutyKey
from services.intake.asgi import RequestRefusedError, too_large_refusal
from services.intake.cloudevents import http_binding, pipeline
from services.intake.cloudevents.http_binding import EVENT_BYTES_MAX, ContentMode
from services.intake.cloudevents.pipeline import Pipeline, ReceiptDocument
from services.intake.cloudevents.validator import EventValidator
from services.intake.core.admission import AcceptedEvent
from services.intake.core.fact_record import Receipt, format_instant
from services.intake.core.problems import RequestProblem
from services.intake.core.requested_report import SubmittedReport
from services.intake.core.scopes import KeyScope, SourceScope
from services.intake.form.duty_view import DryRunStatus, FormDuty, RequestedRevision
from services.intake.http.dry_run import DryRunClient
from services.intake.receipts.signing import SigningKeys

log = logging.getLogger(__name__)

SOURCE = "urn:dondoc:form"

# Hex digits of the duty's digest in an event id, by which a receipt is matched with its duty.
DUTY_DIGEST_LENGTH = 16

_CONTENT_DIGEST_LENGTH = 32
_EPOCH = "1970-01-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitReport:
    """The use case of submitting a report for a duty, and of asking rules about it beforehand."""

    validator: EventValidator
    pipeline: Pipeline
    signing_keys: SigningKeys
    dry_run: DryRunClient

    def validate(self, duty: FormDuty, data: Mapping[str, object]) -> AcceptedEvent:
        """Return the report as an accepted event; raise `RequestRefusedError` with its errors.

        A successor files in its own name on behalf of the agency whose duty it is (ruling 7).
        """
        filer = duty.filed_by or duty.key.agency
        if filer != duty.key.agency:
            data = {**data, "agency": filer, "on_behalf_of": duty.key.agency}
        body = _encode_event(duty.key, filer, data)
        if len(body) > EVENT_BYTES_MAX:
            raise RequestRefusedError(too_large_refusal(EVENT_BYTES_MAX))
        event = http_binding.decode_event(ContentMode.STRUCTURED, (), body)
        # The full path and not the fast path: it explains errors, and a person sends one report.
        (accepted,) = self.validator.validate({0: event}, _link_scope(filer), is_batch=False)
        return accepted

    async def current_status(self, duty: FormDuty, now: datetime) -> DryRunStatus | None:
        """Return the status of the duty now; None if rules cannot be asked.

        Rules answers it as the dry run of an empty report, which is never sent.
        """
        # Rules has no request for a status alone. An empty report adds nothing to the duty but one submission.
        try:
            return await self.dry_run_status(self.validate(duty, _empty_report(duty)), now)
        except RequestRefusedError:
            return None

    async def dry_run_status(self, report: AcceptedEvent, now: datetime) -> DryRunStatus | None:
        """Return the status that the duty would have if *report* were sent now; None if rules cannot be asked."""
        try:
            record = pipeline.build_record(report, format_instant(now))
            answer = await self.dry_run.assess([record.value], is_batch=False)
        except RequestRefusedError as error:
            if error.refusal.problem is RequestProblem.UNAVAILABLE:
                return None
            raise
        return _parse_status(msgspec.json.decode(answer.body))

    def find_slips(self, duty: FormDuty, report: AcceptedEvent, due_at: datetime | None) -> tuple[FigureFinding, ...]:
        """Return what looks like a slip in the figures of *report*."""
        data = msgspec.json.decode(report.event.raw_data, type=SubmittedReport)
        return duty.find_slips(data.content, due_at)

    async def submit(self, report: AcceptedEvent, received_at: datetime) -> str:
        """Record the report durably and return its signed receipt; raise `RequestRefusedError` if that fails."""
        prepared = self.pipeline.group([pipeline.build_record(report, format_instant(received_at))])
        answer = msgspec.json.decode(await self.pipeline.append(prepared, is_batch=False), type=ReceiptDocument)
        fields = {"agency": report.admission.agency, "receiptid": answer.receipts[0].receiptid}
        log.info("a report was submitted through the form", extra={"action": "form_sent", **fields})
        return answer.jws


def is_receipt_for(receipt: Receipt, key: DutyKey) -> bool:
    """Whether *receipt* was given for a report on the duty of *key* by this form."""
    return receipt.source == SOURCE and receipt.id.startswith(_event_id_prefix(key))


def _event_id_prefix(key: DutyKey) -> str:
    return f"form-{ids.digest('form', str(key))[:DUTY_DIGEST_LENGTH]}-"


def _encode_event(key: DutyKey, filer: str, data: Mapping[str, object]) -> bytes:
    event = {
        "specversion": "1.0",
        "id": _event_id_prefix(key) + ids.content_digest(data)[:_CONTENT_DIGEST_LENGTH],
        "source": SOURCE,
        "type": SUBMITTED,
        "subject": filer,
        "datacontenttype": "application/json",
        "data": data,
    }
    return msgspec.json.encode(event)


def _link_scope(filer: str) -> KeyScope:
    """Return the scope of a link: reports of one agency, from the form's own source and without a proof of dispatch."""
    return KeyScope(
        agencies=frozenset({filer}),
        groups=frozenset(),
        types=frozenset({SUBMITTED}),
        sources=SourceScope(names=frozenset({SOURCE})),
    )


def _empty_report(duty: FormDuty) -> dict[str, object]:
    key = duty.key
    data: dict[str, object] = {
        "plan": key.plan,
        "obligation": key.obligation,
        "agency": key.agency,
        "document": {"number": "-", "issued_on": _EPOCH, "signed_by": None, "title": ""},
        "dispatch": {"sent_at": None, "proof": "none", "reference": None},
        "content": {"nil_return": False, "figures_as_of": None, "sections": {}, "indicators": {}},
        "attachments": [],
    }
    return data if key.period is None else {**data, "period": key.period}


def _parse_status(answer: Mapping[str, Any]) -> DryRunStatus:
    segment = answer["segment"]
    due_at = segment.get("due_at")
    return DryRunStatus(
        status=Status(segment["status"]),
        due_at=None if due_at is None else datetime.fromisoformat(due_at),
        submissions=segment.get("submissions", 0),
        missing=tuple(answer["missing"]),
        is_from_record=answer["basis"] == "record",
        revision=_parse_revision(answer.get("returned")),
    )


def _parse_revision(returned: Mapping[str, Any] | None) -> RequestedRevision | None:
    if returned is None:
        return None
    respond_by = returned.get("respond_by")
    return RequestedRevision(
        submission=returned["submission"],
        reason=returned["reason"],
        respond_by=None if respond_by is None else datetime.fromisoformat(respond_by),
    )
