"""Decodes a record of the facts topic, or of the spool, into its deduplication entry."""

from msgspec import Struct

from services.intake.core import fact_record
from services.intake.core.fact_record import RECEIPT_ID_HEX, DedupEntry, identity_of
from services.runtime.decoding import RecordDecoder

# A longer `receivedtime` is none of ours: such a record is not remembered.
RECEIVEDTIME_CHARACTERS_MAX = 40

_HEX = frozenset("0123456789abcdef")


class _ReceiptAttributes(Struct):
    """The attributes of a record that tell which receipt was given for it."""

    id: str
    source: str
    receiptid: str = ""
    receivedtime: str = ""


_DECODER = RecordDecoder[_ReceiptAttributes](_ReceiptAttributes)


def decode_entry(value: bytes | None) -> DedupEntry | None:
    """Return the deduplication entry of a record value, or None for one that intake did not write (plan adoptions).

    Raise `UnreadableRecordError` for a value that is no event.
    """
    found = _DECODER.decode(value)
    if len(found.receiptid) != RECEIPT_ID_HEX or not _HEX.issuperset(found.receiptid):
        return None
    if len(found.receivedtime) > RECEIVEDTIME_CHARACTERS_MAX or not found.receivedtime.isascii():
        return None
    stamp = fact_record.make_stamp(bytes.fromhex(found.receiptid), found.receivedtime)
    return DedupEntry(identity_of(found.source, found.id), stamp)
