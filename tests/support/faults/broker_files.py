"""Harm done to the files of a broker that is not running: the end of a partition cut off, a batch damaged on disk."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.local.servers.kafka import Kafka

# Base offset and length of the rest: the first fields of a record batch (Kafka protocol, magic 2).
_BATCH = struct.Struct(">qi")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBatch:
    """Where a record batch lies in the first segment of a partition."""

    base_offset: int
    start: int
    end: int


def read_batches(kafka: Kafka, topic: str, partition: int) -> Iterator[StoredBatch]:
    """Yield the batches of a partition, in the order of their offsets."""
    content = _segment(kafka, topic, partition).read_bytes()
    start = 0
    while start + _BATCH.size <= len(content):
        base_offset, length = _BATCH.unpack_from(content, start)
        if length <= 0:
            return
        yield StoredBatch(base_offset=base_offset, start=start, end=start + _BATCH.size + length)
        start += _BATCH.size + length


def cut_tail(kafka: Kafka, topic: str, partition: int, *, batches: int) -> None:
    """Cut the last *batches* off a partition, as a disk does that has lost what it said it had written."""
    segment = _segment(kafka, topic, partition)
    kept = list(read_batches(kafka, topic, partition))[:-batches]
    with segment.open("r+b") as stream:
        stream.truncate(kept[-1].end if kept else 0)
    # The broker makes these anew from the segment; with them it would believe in the old end.
    for suffix in ("*.index", "*.timeindex", "*.snapshot", "leader-epoch-checkpoint"):
        for file in segment.parent.glob(suffix):
            file.unlink()
    for clean in kafka._data.glob(".kafka_cleanshutdown"):
        clean.unlink()


def flip_bit(kafka: Kafka, topic: str, partition: int, *, batch: int) -> None:
    """Flip a bit in the records of the *batch*-th batch of a partition."""
    found = list(read_batches(kafka, topic, partition))[batch]
    with _segment(kafka, topic, partition).open("r+b") as stream:
        stream.seek(found.end - 2)
        (byte,) = stream.read(1)
        stream.seek(found.end - 2)
        stream.write(bytes([byte ^ 1]))


def _segment(kafka: Kafka, topic: str, partition: int) -> Path:
    return kafka._data / f"{topic}-{partition}" / "00000000000000000000.log"
