"""The counter behind the form: what was filled in becomes an event, which goes the way of every other event.

The same admission, the same register, the same signed receipts as `POST /v1/events`. The event's id derives from the
duty and the content, so that a double click, or the form sent again, is one event.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from schemas.events import ids
from schemas.events.assessments import Status
from schemas.events.facts import SUBMITTED
from schemas.events.ids import DutyKey
from services.intake.asgi import RequestRefusedError, too_large_refusal
from services.intake.cloudevents import http_binding, pipeline
from services.intake.cloudevents.http_binding import EVENT_BYTES_MAX, ContentMode
from services.intake.cloudevents.pipeline import Pipeline, ReceiptDocument
from services.intake.core.admission import AcceptedEvent
from services.intake.cloudevents.validator import EventValidator
from services.intake.core.event_id import Receipt, format_instant
from services.intake.core.problems import RequestProblem
from services.intake.core.scopes import KeyScope
from services.intake.form.duty_view import FormDuty, DryRunStatus
from services.intake.http.dry_run import DryRunClient
from services.intake.receipts.signing import SigningKeys

log = logging.getLogger(__name__)

SOURCE = "urn:dondoc:form"
DUTY_DIGEST_LENGTH = 16
"""Hex digits of the duty's digest in an event id: a receipt is shown with the duty it belongs to, no other."""

_CONTENT_DIGEST_LENGTH = 32
_EPOCH = "1970-01-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitReport:
    """What it takes to hand a report in for a duty."""

    desk: EventValidator
    pipeline: Pipeline
    signing_keys: SigningKeys
    dry_run: DryRunClient

    def examine(self, duty: FormDuty, data: Mapping[str, object]) -> AcceptedEvent:
        """Return the report as an event that may enter the log; raise `RequestRefusedError` with what is wrong with it."""
        body = _encode_event(duty.key, data)
        if len(body) > EVENT_BYTES_MAX:
            raise RequestRefusedError(too_large_refusal(EVENT_BYTES_MAX))
        arrived = http_binding.decode_event(ContentMode.STRUCTURED, (), body)
        (accepted,) = self.desk.examine({0: arrived}, _link_scope(duty.key), is_batch=False)
        return accepted

    async def standing(self, duty: FormDuty, now: datetime) -> DryRunStatus | None:
        """Return how the duty stands, told by an empty report that is never sent; nothing where rules is away."""
        try:
            return await self.judged(self.examine(duty, _empty_report(duty)), now)
        except RequestRefusedError:
            return None

    async def judged(self, report: AcceptedEvent, now: datetime) -> DryRunStatus | None:
        """Return what rules would say of *report* if it were sent now; nothing where rules is away."""
        try:
            record = pipeline.build_record(report, format_instant(now))
            answer = await self.dry_run.assess([record.value], is_batch=False)
        except RequestRefusedError as error:
            if error.refusal.problem is RequestProblem.UNAVAILABLE:
                return None
            raise
        return _parse_status(msgspec.json.decode(answer.body))

    async def enter(self, report: AcceptedEvent, received_at: datetime) -> str:
        """Return the signed receipt once no crash can lose the report; raise `RequestRefusedError` for anything less."""
        prepared = self.pipeline.sign([pipeline.build_record(report, format_instant(received_at))])
        answer = msgspec.json.decode(await self.pipeline.append(prepared, is_batch=False), type=ReceiptDocument)
        told = {"agency": report.admission.agency, "receiptid": answer.receipts[0].receiptid}
        log.info("a report came by the form", extra={"action": "form_sent", **told})
        return answer.jws


def is_receipt_for(receipt: Receipt, key: DutyKey) -> bool:
    """Whether *receipt* was given for a report on the duty of *key* by this form."""
    return receipt.source == SOURCE and receipt.id.startswith(_event_id_prefix(key))


def _event_id_prefix(key: DutyKey) -> str:
    return f"form-{ids.digest('form', str(key))[:DUTY_DIGEST_LENGTH]}-"


def _encode_event(key: DutyKey, data: Mapping[str, object]) -> bytes:
    event = {
        "specversion": "1.0",
        "id": _event_id_prefix(key) + ids.content_digest(data)[:_CONTENT_DIGEST_LENGTH],
        "source": SOURCE,
        "type": SUBMITTED,
        "subject": key.agency,
        "datacontenttype": "application/json",
        "data": data,
    }
    return msgspec.json.encode(event)


def _link_scope(key: DutyKey) -> KeyScope:
    """Return what a link covers: reports of one agency, nothing else."""
    return KeyScope(agencies=frozenset({key.agency}), groups=frozenset(), types=frozenset({SUBMITTED}), may_decide=False)


def _empty_report(duty: FormDuty) -> dict[str, object]:
    named = duty.named
    data: dict[str, object] = {
        "plan": named.plan,
        "obligation": named.obligation,
        "agency": named.agency,
        "document": {"number": "-", "issued_on": _EPOCH, "signed_by": None, "title": ""},
        "dispatch": {"sent_at": None, "proof": "none", "reference": None},
        "content": {"nil_return": False, "figures_as_of": None, "sections": {}, "indicators": {}},
        "attachments": [],
    }
    return data if named.period is None else {**data, "period": named.period}


def _parse_status(answer: Mapping[str, Any]) -> DryRunStatus:
    segment = answer["segment"]
    due_at = segment.get("due_at")
    return DryRunStatus(
        status=Status(segment["status"]),
        due_at=None if due_at is None else datetime.fromisoformat(due_at),
        submissions=segment.get("submissions", 0),
        missing=tuple(answer["missing"]),
        is_from_record=answer["basis"] == "record",
    )
