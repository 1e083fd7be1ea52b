"""Kafka records of the facts topic, and the few bytes by which deduplication knows the event in each of them.

A record value is a CloudEvents 1.0 JSON object in structured mode with intake's `receivedtime` and `receiptid`. A
deduplication entry is an event's identity (source and id) and its stamp (digest of the content, time of receipt).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import compress
from typing import NamedTuple

from msgspec import Struct

from schemas.events.ids import partition_of
from services.intake.core.event_id import DIGEST_BYTES, Receipt

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"

# For each partition that was appended to, the offset behind the last record.
EndOffsets = dict[int, int]

# The digest behind a receipt id (16 bytes), then the `receivedtime` in ASCII.
Stamp = bytes


class DedupEntry(NamedTuple):
    """The identity of one event and its stamp."""

    identity: bytes
    stamp: Stamp


class DedupEntries(Struct, frozen=True, array_like=True, gc=False):
    """Entries of many records, in order and in columns: two lists instead of an object an entry."""

    identities: Sequence[bytes]
    stamps: Sequence[Stamp]

    @classmethod
    def from_entries(cls, entries: Iterable[DedupEntry]) -> "DedupEntries":
        """Return *entries* in columns."""
        pairs = tuple(entries)
        return cls([one.identity for one in pairs], [one.stamp for one in pairs])

    def __len__(self) -> int:
        return len(self.identities)


class FactRecord(Struct, frozen=True, gc=False):
    """One record for the facts topic with its deduplication entry."""

    key: bytes
    value: bytes
    identity: bytes
    stamp: Stamp


class RecordWithReceipt(FactRecord, frozen=True, gc=False):
    """The record of an accepted event with the receipt that its sender gets once the record is durable."""

    receipt: Receipt


class PartitionBatch(Struct, frozen=True, array_like=True, gc=False):
    """Records for one partition, in order and in columns: a batch of 1,000 events makes no object an event."""

    partition: int
    keys: Sequence[bytes]
    values: Sequence[bytes]
    entries: DedupEntries

    def __len__(self) -> int:
        return len(self.values)

    def slice(self, start: int, end: int) -> "PartitionBatch":
        """Return the records from *start* up to *end*."""
        entries = DedupEntries(self.entries.identities[start:end], self.entries.stamps[start:end])
        return PartitionBatch(self.partition, self.keys[start:end], self.values[start:end], entries)

    def select_first(self, identities: Collection[bytes]) -> "PartitionBatch":
        """Return the first record of each of *identities* that is in this batch."""
        wanted = set(identities)
        mask: list[bool] = []
        for identity in self.entries.identities:
            mask.append(identity in wanted)
            wanted.discard(identity)

        def select(column: Sequence[bytes]) -> list[bytes]:
            return list(compress(column, mask))

        entries = DedupEntries(select(self.entries.identities), select(self.entries.stamps))
        return PartitionBatch(self.partition, select(self.keys), select(self.values), entries)


class Partitioner(dict[bytes, int]):
    """The partition of each key, cached. Keys are agency ids, so the cache is as small as the registry."""

    def __init__(self, partitions: int) -> None:
        super().__init__()
        self._partitions = partitions

    def __missing__(self, key: bytes) -> int:
        partition = self[key] = partition_of(key.decode(), self._partitions)
        return partition

    def group_by_partition(self, records: Iterable[FactRecord]) -> list[PartitionBatch]:
        """Return *records* as one batch a partition, each in the order given."""
        by_partition: defaultdict[int, list[FactRecord]] = defaultdict(list)
        for record in records:
            by_partition[self[record.key]].append(record)
        return [
            PartitionBatch(
                partition,
                [one.key for one in group],
                [one.value for one in group],
                DedupEntries([one.identity for one in group], [one.stamp for one in group]),
            )
            for partition, group in by_partition.items()
        ]


def stamps_by_identity(batches: Iterable[PartitionBatch]) -> dict[bytes, Stamp]:
    """Return the stamp of each identity in *batches*; of an identity that stands twice, the last."""
    stamps: dict[bytes, Stamp] = {}
    for batch in batches:
        stamps.update(zip(batch.entries.identities, batch.entries.stamps, strict=True))
    return stamps


def make_stamp(digest: bytes, receivedtime: str) -> Stamp:
    """Return the stamp of an event with *digest* that was received at *receivedtime*."""
    return digest + receivedtime.encode("ascii")


def is_same_content(one: Stamp, other: Stamp) -> bool:
    """Whether two stamps of one identity stand for the same content."""
    return one[:DIGEST_BYTES] == other[:DIGEST_BYTES]


def receiptid_of(stamp: Stamp) -> str:
    """Return the receipt id in *stamp*, 32 hexadecimal digits."""
    return stamp[:DIGEST_BYTES].hex()


def receivedtime_of(stamp: Stamp) -> str:
    """Return the time of receipt in *stamp* (RFC 3339, UTC, milliseconds)."""
    return stamp[DIGEST_BYTES:].decode("ascii")
