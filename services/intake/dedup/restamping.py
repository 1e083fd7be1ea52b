"""Gives a record the time of receipt of an earlier receipt, for an event that has to be written again."""

from collections.abc import Mapping

import msgspec

from services.intake.core import fact_record
from services.intake.core.fact_record import DedupEntries, PartitionBatch, Stamp
from services.runtime.decoding import RecordDecoder

_DECODER = RecordDecoder[dict[str, msgspec.Raw]](dict[str, msgspec.Raw])


def restamp(batch: PartitionBatch, first: Mapping[bytes, Stamp]) -> PartitionBatch:
    """Return *batch* with the time of receipt of its *first* stamp in each record that has one."""
    if first.keys().isdisjoint(batch.entries.identities):
        return batch
    stamps = [first.get(*pair) for pair in zip(batch.entries.identities, batch.entries.stamps, strict=True)]
    values = [_with_receivedtime(*pair) for pair in zip(batch.values, stamps, strict=True)]
    return PartitionBatch(batch.partition, batch.keys, values, DedupEntries(batch.entries.identities, stamps))


def _with_receivedtime(value: bytes, stamp: Stamp) -> bytes:
    # Every other attribute is copied as it stands: a figure keeps the digits that it was written with.
    attributes = _DECODER.decode(value)
    attributes["receivedtime"] = msgspec.Raw(msgspec.json.encode(fact_record.receivedtime_of(stamp)))
    return msgspec.json.encode(attributes)
