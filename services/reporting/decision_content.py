"""Decode the document behind an extension or an exemption: its number, its date, who signed it.

The decoder is tolerant, as that of submissions is: intake has checked the event, and rules has read it before it could
count.
"""

from datetime import date

import msgspec

from services.reporting.core.report.inputs import ReportedDecision
from services.runtime.decoding import RecordDecoder


class _DecisionMembers(msgspec.Struct):
    number: str | None = None
    issued_on: date | None = None
    signed_by: str | None = None


class _DecidedMembers(msgspec.Struct):
    decision: _DecisionMembers = msgspec.field(default_factory=_DecisionMembers)


class _DecidedEvent(msgspec.Struct):
    data: _DecidedMembers


_DECODER: RecordDecoder[_DecidedEvent] = RecordDecoder(_DecidedEvent)


def decode_decision(record: bytes | None) -> ReportedDecision:
    """Return the decision document that the event in *record* cites; raise `UnreadableRecordError` if it is no event.

    What the event does not say is empty.
    """
    decision = _DECODER.decode(record).data.decision
    return ReportedDecision(
        number=(decision.number or "").strip(),
        issued_on=decision.issued_on,
        signed_by=(decision.signed_by or "").strip(),
    )
