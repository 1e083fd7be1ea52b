"""The messages between the main process and a worker over their socket pair: MessagePack behind a length of 4 bytes.

A worker serves HTTP connections of its own and appends to the log through the main process, which alone holds
deduplication, producer and spool. Bodies and answers stay in the worker; only Kafka records cross.
"""

import struct
from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from services.intake.core.fact_record import DedupEntries, PartitionBatch

_LENGTH = struct.Struct(">I")
_NO_LENGTH = bytes(_LENGTH.size)


class AppendRequest(Struct, frozen=True, array_like=True, tag=True):
    """Worker to main: append *batches*; with `is_check` only look for conflicts."""

    number: int
    batches: Sequence[PartitionBatch]
    is_check: bool = False


class AppendReply(Struct, frozen=True, array_like=True, tag=True):
    """Main to worker: the events of the append are durable; `first` holds the first stamps unless all were new."""

    number: int
    first: DedupEntries | None


class Conflicted(Struct, frozen=True, array_like=True, tag=True):
    """Main to worker: nothing was written, for `standing` identities have other content."""

    number: int
    standing: DedupEntries


class Unavailable(Struct, frozen=True, array_like=True, tag=True):
    """Main to worker: nothing was written, for neither the broker nor the spool takes records."""

    number: int


class ChargeRequest(Struct, frozen=True, array_like=True, tag=True):
    """Worker to main: charge *events* to the rate of a key."""

    number: int
    key_id: str
    events_per_second: float
    events: int


class ChargeReply(Struct, frozen=True, array_like=True, tag=True):
    """Main to worker: the events are charged, or are not because the key can pay for them only in `wait_seconds`."""

    number: int
    wait_seconds: float


class Plans(Struct, frozen=True, array_like=True, tag=True):
    """Main to worker: the published plans from now on, as JSON (`published_plans`)."""

    snapshot: bytes


class MainChecks(Struct, frozen=True, array_like=True, tag=True):
    """Main to worker: which checks of the main process hold, by name, for the readiness probe."""

    holds: dict[str, bool]


class Sample(Struct, frozen=True, array_like=True):
    """One sample of a metric: its name, its labels in order, its value."""

    name: str
    labels: tuple[tuple[str, str], ...]
    value: float


class Heartbeat(Struct, frozen=True, array_like=True, tag=True):
    """Worker to main, twice a second: its event loop turns. Its metrics come along."""

    samples: Sequence[Sample]


class MetricsRequest(Struct, frozen=True, array_like=True, tag=True):
    """Worker to main: somebody asked this worker for the metrics of all processes, and accepts these formats."""

    number: int
    accept: str


class MetricsText(Struct, frozen=True, array_like=True, tag=True):
    """Main to worker: the metrics of all processes in one of the formats of Prometheus."""

    number: int
    content: bytes
    content_type: str


FromWorker = AppendRequest | ChargeRequest | Heartbeat | MetricsRequest
FromMain = AppendReply | Conflicted | Unavailable | ChargeReply | Plans | MainChecks | MetricsText

_ENCODER = msgspec.msgpack.Encoder()


def write_message(message: FromWorker | FromMain, outbox: bytearray) -> None:
    """Append *message* with its length to *outbox*."""
    # The length is known only after encoding. Encoding in place, behind room for it, saves a copy of the message.
    start = len(outbox)
    outbox += _NO_LENGTH
    _ENCODER.encode_into(message, outbox, start + _LENGTH.size)
    _LENGTH.pack_into(outbox, start, len(outbox) - start - _LENGTH.size)


class MessageSplitter:
    """Cuts a stream of bytes into messages."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self._needed = _LENGTH.size

    def feed(self, received: bytes) -> Iterator[memoryview]:
        """Yield the content of each message that *received* completes."""
        self._pieces.append(received)
        self._size += len(received)
        # A long message comes in many pieces. They are joined once, when all are there: joining at each piece would
        # copy a batch of 8 MiB hundreds of times.
        if self._size < self._needed:
            return
        content = memoryview(self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces))
        size, at = len(content), 0
        # The length of a message is needed before the message itself.
        self._needed = _LENGTH.size
        while size - at >= _LENGTH.size:
            start = at + _LENGTH.size
            end = start + _LENGTH.unpack_from(content, at)[0]
            if end > size:
                self._needed = end - at
                break
            yield content[start:end]
            at = end
        self._size = size - at
        # Copied: a view of the rest would keep the whole batch that came before it in memory.
        self._pieces = [bytes(content[at:])] if self._size else []
