"""A fact as it goes into the log: a CloudEvents 1.0 JSON object in structured mode, with what intake adds.

The sender's data stays in the sender's own writing; the subject is the agency's permanent id.
"""

import msgspec
from msgspec import Raw, Struct

from services.intake.core.digest import RECEIPT_ID_HEX, Receipt, identity_and_digest, identity_of
from services.intake.core.frames import Kept
from services.intake.core.stamps import Entry, stamped
from services.intake.desk import Accepted

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
INSTANT_MAX = 40
"""Characters of a `receivedtime` that is worth remembering."""

_ENCODER = msgspec.json.Encoder()
_HEX = frozenset("0123456789abcdef")


class _Head(Struct):
    """What of a record tells its receipt. Records that others write have none."""

    id: str
    source: str
    receiptid: str
    receivedtime: str


_HEAD = msgspec.json.Decoder(_Head)


class Record(Kept, frozen=True, kw_only=True, gc=False):
    """A record for the facts topic, and what its event is known by."""

    entry: Entry


class Registered(Struct, frozen=True, kw_only=True, gc=False):
    """An accepted event, ready to be kept: its record, and the receipt that stands for it once it is."""

    record: Record
    receipt: Receipt


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
    return Entry(identity_of(head.source, head.id), stamped(bytes.fromhex(head.receiptid), head.receivedtime))


def registered(accepted: Accepted, receivedtime: str) -> Registered:
    """Return the record and the receipt of an accepted event that was received at *receivedtime*."""
    event = accepted.event
    identity, digest = identity_and_digest(event.source, event.id, event.content)
    receiptid = digest.hex()
    value = {
        **event.attributes,
        "subject": accepted.admitted.agency,
        "datacontenttype": "application/json",
        "receivedtime": receivedtime,
        "receiptid": receiptid,
        "data": Raw(event.written_data),
    }
    return Registered(
        record=Record(
            key=accepted.admitted.duty_of.encode(),
            value=_ENCODER.encode(value),
            entry=Entry(identity, stamped(digest, receivedtime)),
        ),
        receipt=Receipt(
            id=event.id, source=event.source, receiptid=receiptid, receivedtime=receivedtime, sha256=event.sha256
        ),
    )
