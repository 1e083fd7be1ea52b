"""What makes an event known again: its identity and receipt id, its record in the log, and its deduplication entry.

The identity (source and id) and the receipt id derive from the event alone, so every replica gives the same event the
same receipt id, after a restart too. A record value is a CloudEvents 1.0 JSON object in structured mode with intake's
`receivedtime` and `receiptid`. A deduplication entry is the identity and a stamp (digest of the content, time of
receipt).
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from itertools import chain, compress
from typing import NamedTuple

from msgspec import Struct

from schemas.events.ids import partition_of

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"

# For each partition that was appended to, the offset behind the last record.
EndOffsets = dict[int, int]

# The digest behind a receipt id (16 bytes), then the `receivedtime` in ASCII.
Stamp = bytes

# Bytes of the digest behind a receipt id: 128 bits, so that nobody finds two contents with one id by trying.
DIGEST_BYTES = 16

RECEIPT_ID_HEX = 2 * DIGEST_BYTES

IDENTITY_BYTES = 16


class Receipt(Struct, frozen=True, gc=False):
    """The receipt of one event, as the sender gets it. `sha256` is the digest of the event as received."""

    id: str
    source: str
    receiptid: str
    receivedtime: str
    sha256: str


def identity_of(source: str, event_id: str) -> bytes:
    """Return the identity of an event, hashed to 16 bytes: millions of them are held in memory."""
    # No source and no id may contain a control character, so the separator keeps ("ab", "c") and ("a", "bc") apart.
    return hashlib.sha256(f"{source}\x1f{event_id}".encode()).digest()[:IDENTITY_BYTES]


def identity_and_digest(source: str, event_id: str, content: bytes) -> tuple[bytes, bytes]:
    """Return the identity of an event, and the digest of identity and *content* (in canonical form).

    The receipt id is that digest in hex. Hashing both in one pass saves a second hash of the identity.
    """
    sha256 = hashlib.sha256(f"{source}\x1f{event_id}".encode())
    identity = sha256.digest()[:IDENTITY_BYTES]
    sha256.update(b"\x1f" + content)
    return identity, sha256.digest()[:DIGEST_BYTES]


def format_instant(instant: datetime) -> str:
    """Return *instant* as RFC 3339 in UTC with milliseconds, truncated: rounding up could make an event late."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds")[: -len("+00:00")] + "Z"


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

    @classmethod
    def join(cls, parts: Sequence["DedupEntries"]) -> "DedupEntries":
        """Return the entries of all *parts*, one after the other."""
        if len(parts) == 1:
            return parts[0]
        identities = list(chain.from_iterable([one.identities for one in parts]))
        return cls(identities, list(chain.from_iterable([one.stamps for one in parts])))

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
