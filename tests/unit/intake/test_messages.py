"""What passes between intake and a clerk arrives as it was sent, however the socket cuts it up."""

from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.plan.periods import Recurrence
from services.intake.cloudevents.http_binding import ContentMode
from services.intake.cloudevents.pipeline import Issued
from services.intake.core.dedup_entry import Entries
from services.intake.core.plan_index import PlanIndex
from services.intake.core.scopes import KeyScope
from services.intake.log.records import Lot
from services.intake.workers import protocol
from services.intake.workers.protocol import Done, Errand, Granted, Inbox, Papers, Told
from services.intake.workers.shared_memory import Laid

SCOPE = KeyScope(agencies=frozenset({"h-mot"}), groups=frozenset(), types=frozenset("*"), may_decide=False)
PLAN = PlanIndex(
    plan_id="P-1",
    recurrences={"results": frozenset({Recurrence.YEAR, Recurrence.NONE})},
    ids={"h-mot": "h-mot", "Huyện Một": "h-mot"},
    groups={"h-mot": frozenset({"ubnd-huyen"})},
    predecessors={"h-hai": frozenset({"h-ba"})},
)
ERRAND = Errand(
    number=2**40,
    scope=0,
    mode=ContentMode.BINARY,
    headers=((b"ce-id", b"1"),),
    body="đã gửi".encode() * 20,
    receivedtime="2026-12-09T16:59:59.999Z",
)
TOLD: list[Told] = [
    Papers((PLAN,), b"{}", "intake"),
    Granted(0, SCOPE),
    ERRAND,
    msgspec.structs.replace(ERRAND, body=b""),
    msgspec.structs.replace(ERRAND, body=Laid(3, 2**20)),
]
LOT = Lot(2, [b"h-mot", b"h-hai"], [b"{}", b"[]"], Entries([b"i", b"j"], [b"s", b"t"]))
ISSUED = Issued([LOT, LOT], b"{}")
DONE = [Done(0), Done(7), Done(2**40, ISSUED), Done(8, laid=Laid(0, 1))]


def heard(kind: Any, content: bytes, cuts: list[int]) -> list[object]:
    """What an inbox makes of *content*, cut at *cuts*."""
    inbox = Inbox()
    decoder: msgspec.msgpack.Decoder[object] = msgspec.msgpack.Decoder(kind)
    places = [0, *sorted(cut % (len(content) + 1) for cut in cuts), len(content)]
    pieces = [content[start:end] for start, end in pairwise(places)]
    return [decoder.decode(one) for piece in pieces for one in inbox.take(piece)]


@given(st.lists(st.sampled_from(TOLD), max_size=5), st.lists(st.integers(0, 4_000), max_size=8))
def test_a_clerk_hears_what_it_is_told(told: list[Told], cuts: list[int]) -> None:
    """Papers, scopes and errands, in their order."""
    outbox = bytearray()
    for one in told:
        protocol.add(one, outbox)
    assert heard(Told, bytes(outbox), cuts) == told


@given(st.lists(st.sampled_from(DONE), max_size=5), st.lists(st.integers(0, 1_000), max_size=8))
def test_intake_hears_what_is_done(done: list[Done], cuts: list[int]) -> None:
    """With the records and the answer, or without."""
    outbox = bytearray()
    for one in done:
        protocol.add(one, outbox)
    assert heard(Done, bytes(outbox), cuts) == done


def test_what_lay_in_a_tray_outlives_it() -> None:
    """The tray is written over while the records are still on their way."""
    tray = bytearray(protocol.packed(ISSUED))
    issued = protocol.unpacked(memoryview(tray))
    tray[:] = bytes(len(tray))
    assert issued == ISSUED
