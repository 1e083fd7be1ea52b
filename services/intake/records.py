"""A fact as it goes into the log: a CloudEvents 1.0 JSON object in structured mode, with what intake adds.

The sender's data stays in the sender's own writing; the subject is the agency's permanent id.
"""

from dataclasses import dataclass

import msgspec

from services.intake.core.digest import RECEIPT_ID_HEX, Receipt, identity_of, receipt_id
from services.intake.core.frames import Kept
from services.intake.desk import Accepted
from services.intake.memory import Known

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
INSTANT_MAX = 40
"""Characters of a `receivedtime` that is worth remembering."""

_ENCODER = msgspec.json.Encoder()
_HEX = frozenset("0123456789abcdef")


class _Head(msgspec.Struct):
    """What of a record tells its receipt. Records that others write have none."""

    id: str
    source: str
    receiptid: str
    receivedtime: str


_HEAD = msgspec.json.Decoder(_Head)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record for the facts topic, and the receipt that stands for it."""

    identity: bytes
    receipt: Receipt
    kept: Kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a record in the log or the spool tells of its event: its identity and its first receipt."""

    identity: bytes
    known: Known


def entry_of(value: bytes) -> Entry | None:
    """Return the entry of a record, or nothing where it tells none."""
    try:
        head = _HEAD.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if len(head.receiptid) != RECEIPT_ID_HEX or not _HEX.issuperset(head.receiptid):
        return None
    if len(head.receivedtime) > INSTANT_MAX or not head.receivedtime.isascii():
        return None
    known = Known(receiptid=head.receiptid, receivedtime=head.receivedtime)
    return Entry(identity=identity_of(head.source, head.id), known=known)


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
        kept=Kept(key=accepted.admitted.duty_of.encode(), value=_ENCODER.encode(value)),
    )
