"""A record that is written again with the receipt of the first time."""

from services.intake.core import fact_record
from services.intake.core.fact_record import DedupEntries, DedupEntry, PartitionBatch
from services.intake.dedup import restamping

DIGEST = b"d" * 16
FIRST = fact_record.make_stamp(DIGEST, "2026-12-09T00:00:00.000Z")
LATER = fact_record.make_stamp(DIGEST, "2026-12-10T00:00:00.000Z")
VALUE = (
    '{"id":"s-1","receivedtime":"2026-12-10T00:00:00.000Z",'
    '"data":{"note":"\\"receivedtime\\":\\"2026-12-10T00:00:00.000Z\\"","figures":{"a":0.10,"b":12345678901234567890.5}}}'
)


def a_batch() -> PartitionBatch:
    """Two events that were received on 10 December."""
    entries = DedupEntries.from_entries([DedupEntry(b"one", LATER), DedupEntry(b"two", LATER)])
    return PartitionBatch(0, [b"h-mot"] * 2, [VALUE.encode()] * 2, entries)


def test_only_the_time_of_receipt_is_replaced() -> None:
    """Every other byte that means something stays: the figures, and text that looks like the attribute."""
    batch = restamping.restamp(a_batch(), {b"one": FIRST})
    assert batch.entries.stamps == [FIRST, LATER]
    assert batch.values[1] == VALUE.encode()
    assert batch.values[0] == VALUE.replace("2026-12-10", "2026-12-09", 1).encode()


def test_a_batch_of_events_without_an_earlier_receipt_stays_as_it_is() -> None:
    """Which is the usual case and costs one look."""
    batch = a_batch()
    assert restamping.restamp(batch, {b"three": FIRST}) is batch
