"""Messages between the main process and a worker arrive as they were sent, however the socket cuts the stream."""

from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from services.intake.core.fact_record import DedupEntries, PartitionBatch
from services.intake.workers import protocol
from services.intake.workers.protocol import (
    AppendReply,
    AppendRequest,
    ChargeReply,
    ChargeRequest,
    Conflicted,
    FromMain,
    FromWorker,
    Heartbeat,
    MainChecks,
    MessageSplitter,
    MetricsRequest,
    MetricsText,
    Plans,
    Sample,
    Unavailable,
)

ENTRIES = DedupEntries([b"i", b"j"], [b"s", b"t"])
BATCH = PartitionBatch(2, [b"h-mot", b"h-hai"], [b"{}", b"[]" * 300], ENTRIES)
FROM_WORKER: list[FromWorker] = [
    AppendRequest(2**40, [BATCH, BATCH]),
    AppendRequest(1, [], is_check=True),
    ChargeRequest(3, "k-1", 2.5, 1_000),
    Heartbeat([Sample("intake_events_accepted_total", (("mode", "batch"),), 10.0)]),
    MetricsRequest(7, "text/plain"),
]
FROM_MAIN: list[FromMain] = [
    AppendReply(2**40, None),
    AppendReply(1, ENTRIES),
    Conflicted(2, ENTRIES),
    Unavailable(3),
    ChargeReply(3, 12.5),
    Plans(b"{}" * 500),
    MainChecks({"kafka": True, "spool": False}),
    MetricsText(7, b"# HELP", "text/plain"),
]


def split(content: bytes, cuts: list[int], decoder: "msgspec.msgpack.Decoder[object]") -> list[object]:
    """The messages in *content*, which arrives cut at *cuts*."""
    splitter = MessageSplitter()
    places = [0, *sorted(cut % (len(content) + 1) for cut in cuts), len(content)]
    pieces = [content[start:end] for start, end in pairwise(places)]
    return [decoder.decode(one) for piece in pieces for one in splitter.feed(piece)]


@given(st.lists(st.sampled_from(FROM_WORKER), max_size=5), st.lists(st.integers(0, 4_000), max_size=8))
def test_the_main_process_receives_what_a_worker_sends(sent: list[FromWorker], cuts: list[int]) -> None:
    """Every message arrives once, whole and in order."""
    outbox = bytearray()
    for message in sent:
        protocol.write_message(message, outbox)
    assert split(bytes(outbox), cuts, msgspec.msgpack.Decoder(FromWorker)) == sent


@given(st.lists(st.sampled_from(FROM_MAIN), max_size=5), st.lists(st.integers(0, 4_000), max_size=8))
def test_a_worker_receives_what_the_main_process_sends(sent: list[FromMain], cuts: list[int]) -> None:
    """Every message arrives once, whole and in order."""
    outbox = bytearray()
    for message in sent:
        protocol.write_message(message, outbox)
    assert split(bytes(outbox), cuts, msgspec.msgpack.Decoder(FromMain)) == sent
