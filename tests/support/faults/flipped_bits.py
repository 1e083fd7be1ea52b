"""Flip one bit in the segment of a partition, as a failing disk does, while the broker is stopped."""

from pathlib import Path

from deploy.local.servers.kafka import Kafka


def flip_bit(kafka: Kafka, topic: str, partition: int, text: bytes) -> None:
    """Flip the last bit of the first *text* in the log of a partition, whose batches must not be compressed."""
    (segment,) = _segments(kafka, topic, partition)
    data = bytearray(segment.read_bytes())
    place = data.index(text) + len(text) - 1
    data[place] ^= 1
    segment.write_bytes(bytes(data))


def _segments(kafka: Kafka, topic: str, partition: int) -> list[Path]:
    return sorted((kafka.program.folder / "kafka" / f"{topic}-{partition}").glob("*.log"))
