"""A fact as it goes into the log: a CloudEvents 1.0 JSON object in structured mode, with what intake adds.

The sender's data stays in the sender's own writing; the subject is the agency's permanent id.
"""

from dataclasses import dataclass

import msgspec

from services.intake.core.digest import Receipt, identity_of, receipt_id
from services.intake.desk import Accepted

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record for the facts topic, and the receipt that stands for it."""

    identity: bytes
    receipt: Receipt
    key: bytes
    value: bytes


def record_of(accepted: Accepted, receivedtime: str) -> Record:
    """Return the record of an accepted event that was received at *receivedtime*."""
    event = accepted.event
    receipt = Receipt(
        id=event.id,
        source=event.source,
        receiptid=receipt_id(event.source, event.id, event.content),
        receivedtime=receivedtime,
        sha256=event.sha256,
    )
    value = {
        **event.attributes,
        "subject": accepted.admitted.agency,
        "datacontenttype": "application/json",
        "receivedtime": receivedtime,
        "receiptid": receipt.receiptid,
        "data": msgspec.Raw(event.written_data),
    }
    return Record(
        identity=identity_of(event.source, event.id),
        receipt=receipt,
        key=accepted.admitted.duty_of.encode(),
        value=_ENCODER.encode(value),
    )
