"""A fact as it goes into the log: a CloudEvents 1.0 JSON object in structured mode, with what intake adds.

The sender's data stays in the sender's own writing; the subject is the agency's permanent id.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import compress

import msgspec
from msgspec import Raw, Struct

from schemas.events.ids import partition_of
from services.intake.core.admission import AcceptedEvent
from services.intake.core.dedup_entry import Entries, Entry, Stamp, stamped
from services.intake.core.event_id import RECEIPT_ID_HEX, Receipt, identity_and_digest, identity_of

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


class Record(Struct, frozen=True, gc=False):
    """A record for the facts topic, and what its event is known by."""

    key: bytes
    value: bytes
    identity: bytes
    stamp: Stamp


class Registered(Record, frozen=True, gc=False):
    """The record of an accepted event, with the receipt that stands for it once it is kept."""

    receipt: Receipt


class Lot(Struct, frozen=True, array_like=True, gc=False):
    """Records for one partition of the facts topic, in order, in columns: there is no object for each of thousands."""

    partition: int
    keys: Sequence[bytes]
    values: Sequence[bytes]
    entries: Entries

    def __len__(self) -> int:
        return len(self.values)

    def cut(self, start: int, end: int) -> "Lot":
        """Return the records from *start* up to *end*."""
        entries = Entries(self.entries.identities[start:end], self.entries.stamps[start:end])
        return Lot(self.partition, self.keys[start:end], self.values[start:end], entries)

    def first_of(self, identities: Collection[bytes]) -> "Lot":
        """Return the first record of each of *identities* that is here."""
        wanted = set(identities)
        takes: list[bool] = []
        for identity in self.entries.identities:
            takes.append(identity in wanted)
            wanted.discard(identity)

        def taken(column: Sequence[bytes]) -> list[bytes]:
            return list(compress(column, takes))

        entries = Entries(taken(self.entries.identities), taken(self.entries.stamps))
        return Lot(self.partition, taken(self.keys), taken(self.values), entries)


class Partitioner(dict[bytes, int]):
    """The partition of each key. Keys are ids of the registry, so this stays as small as the registry."""

    def __init__(self, partitions: int) -> None:
        super().__init__()
        self._partitions = partitions

    def __missing__(self, key: bytes) -> int:
        partition = self[key] = partition_of(key.decode(), self._partitions)
        return partition

    def lots(self, records: Iterable[Record]) -> list[Lot]:
        """Return *records*, each in the lot of its partition."""
        by_partition: defaultdict[int, list[Record]] = defaultdict(list)
        for record in records:
            by_partition[self[record.key]].append(record)
        return [
            Lot(
                partition,
                [one.key for one in for_one],
                [one.value for one in for_one],
                Entries([one.identity for one in for_one], [one.stamp for one in for_one]),
            )
            for partition, for_one in by_partition.items()
        ]


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


def registered(accepted: AcceptedEvent, receivedtime: str) -> Registered:
    """Return the record and the receipt of an accepted event that was received at *receivedtime*."""
    event = accepted.event
    identity, digest = identity_and_digest(event.source, event.id, event.content)
    receiptid = digest.hex()
    value = {
        **event.attributes,
        "subject": accepted.admission.agency,
        "datacontenttype": "application/json",
        "receivedtime": receivedtime,
        "receiptid": receiptid,
        "data": Raw(event.raw_data),
    }
    return Registered(
        key=accepted.admission.duty_agency.encode(),
        value=_ENCODER.encode(value),
        identity=identity,
        stamp=stamped(digest, receivedtime),
        receipt=Receipt(
            id=event.id, source=event.source, receiptid=receiptid, receivedtime=receivedtime, sha256=event.sha256
        ),
    )
