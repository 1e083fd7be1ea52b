"""Produce requests: as the client itself would write them, and sent again under the same sequence number until told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import errors
from aiokafka.protocol.produce import ProduceRequest_v7, ProduceResponse_v7
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.structs import TopicPartition

from schemas.events.topics import FACTS
from services.intake.core.dedup_entry import Entries
from services.intake.log import producer as producer_module
from services.intake.log.produce_request import Produce
from services.intake.log.producer import REQUEST_TIMEOUT_MS, Outcome, Producer
from services.intake.log.records import Lot
from services.runtime.clock import SystemClock

PRODUCER_ID, EPOCH = 7, 1
OK, NOT_LEADER, DUPLICATE, TOO_LARGE = 0, 6, 46, 10
Answers = Mapping[int, tuple[int, int]]
"""For each partition an error code and an offset."""


@dataclass(kw_only=True)
class ScriptedClient:
    """Answers requests as it was told, an exception or an answer each, and keeps the batches."""

    leaders: dict[int, int | None]
    answers: list[Exception | Answers]
    sent: list[tuple[int, dict[int, DefaultRecordBatch]]] = field(default_factory=list)
    refreshed: int = 0

    @property
    def cluster(self) -> SimpleNamespace:
        """Who leads which partition."""
        return SimpleNamespace(leader_for_partition=self._leader)

    def _leader(self, part: TopicPartition) -> int | None:
        assert part.topic == FACTS.name
        return self.leaders[part.partition]

    async def force_metadata_update(self) -> None:
        """From now on every partition has a leader."""
        self.refreshed += 1
        self.leaders = {partition: leader or 1 for partition, leader in self.leaders.items()}

    async def send(self, node: int, request: Any) -> ProduceResponse_v7:
        """Keep what is sent, and answer the next thing."""
        decoded = ProduceRequest_v7.decode(request.prepare({0: (3, 11)}).encode())
        ((topic, batches),) = decoded.topics
        assert (topic, decoded.required_acks, decoded.transactional_id) == (FACTS.name, -1, None)
        self.sent.append((node, {partition: DefaultRecordBatch(batch) for partition, batch in batches}))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        rows = [(partition, *answer[partition], -1, 0) for partition, _ in batches]
        return ProduceResponse_v7([(FACTS.name, rows)], 0)


@pytest.fixture(autouse=True)
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between two attempts here."""
    monkeypatch.setattr(producer_module, "BACKOFF_SECONDS", 0)


def a_producer(client: ScriptedClient) -> Producer:
    """A producer on *client*."""
    manager = SimpleNamespace(producer_id=PRODUCER_ID, producer_epoch=EPOCH)
    return Producer(SimpleNamespace(client=client, _txn_manager=manager), SystemClock())


def a_lot(partition: int, *names: bytes) -> Lot:
    """Records with *names* for values."""
    return Lot(partition, [b"h-mot"] * len(names), list(names), Entries(list(names), list(names)))


def values_of(batch: DefaultRecordBatch) -> list[bytes]:
    """The values in a batch, in order."""
    return [record.value for record in batch]


def test_a_request_is_written_as_the_client_writes_it() -> None:
    """Byte for byte."""
    batches = {3: bytearray(b"three"), 0: bytearray(b"")}
    topics = [(FACTS.name, [(partition, bytes(batch)) for partition, batch in batches.items()])]
    request = Produce(batches, REQUEST_TIMEOUT_MS).prepare({0: (3, 11)})
    assert request.encode() == ProduceRequest_v7(None, -1, REQUEST_TIMEOUT_MS, topics).encode()


async def test_batches_are_numbered_on() -> None:
    """Sequence numbers go on where the last acknowledged batch of the partition ended, whatever the lots."""
    client = ScriptedClient(leaders={0: 1, 1: 1}, answers=[{0: (OK, 5), 1: (OK, 0)}, {0: (OK, 8)}])
    producer = a_producer(client)
    first = {0: [a_lot(0, b"a", b"b"), a_lot(0, b"c")], 1: [a_lot(1, b"d")]}
    assert await producer.produce(first) == {0: Outcome(5), 1: Outcome(0)}
    assert await producer.produce({0: [a_lot(0, b"e")]}) == {0: Outcome(8)}
    (_, one), (_, two) = client.sent
    assert [batch.validate_crc() for batch in one.values()] == [True, True]
    assert values_of(one[0]) == [b"a", b"b", b"c"]
    assert [batch.base_sequence for batch in (one[0], one[1], two[0])] == [0, 0, 3]
    assert {(batch.producer_id, batch.producer_epoch) for batch in one.values()} == {(PRODUCER_ID, EPOCH)}


async def test_sequence_numbers_begin_anew_behind_the_last() -> None:
    """As the broker counts them: 31 bits, then zero."""
    client = ScriptedClient(leaders={0: 1}, answers=[{0: (OK, 0)}, {0: (OK, 2)}])
    producer = a_producer(client)
    producer._sequences[0] = producer_module.SEQUENCE_END - 1  # two thousand million records later
    await producer.produce({0: [a_lot(0, b"a", b"b")]})
    await producer.produce({0: [a_lot(0, b"c")]})
    assert [sent[0].base_sequence for _, sent in client.sent] == [producer_module.SEQUENCE_END - 1, 1]


@pytest.mark.parametrize(
    "answer",
    [errors.KafkaConnectionError(), errors.RequestTimedOutError(), errors.NodeNotReadyError(), {0: (NOT_LEADER, -1)}],
    ids=["severed", "timed out", "not ready", "not leader"],
)
async def test_what_may_still_succeed_is_sent_again_as_it_was(answer: Exception | Answers) -> None:
    """Under the same sequence number, so that the broker knows it again; then the next number follows."""
    client = ScriptedClient(leaders={0: 1}, answers=[answer, {0: (OK, 4)}, {0: (OK, 5)}])
    producer = a_producer(client)
    assert await producer.produce({0: [a_lot(0, b"a")]}) == {0: Outcome(4)}
    await producer.produce({0: [a_lot(0, b"b")]})
    assert [(sent[0].base_sequence, values_of(sent[0])) for _, sent in client.sent] == [
        (0, [b"a"]),
        (0, [b"a"]),
        (1, [b"b"]),
    ]
    assert client.refreshed == 1


async def test_only_what_failed_is_sent_again() -> None:
    """Each partition has an outcome of its own."""
    client = ScriptedClient(leaders={0: 1, 1: 1}, answers=[{0: (OK, 4), 1: (NOT_LEADER, -1)}, {1: (OK, 9)}])
    outcomes = await a_producer(client).produce({0: [a_lot(0, b"a")], 1: [a_lot(1, b"b")]})
    assert outcomes == {0: Outcome(4), 1: Outcome(9)}
    assert [sorted(sent) for _, sent in client.sent] == [[0, 1], [1]]


async def test_each_leader_gets_what_it_leads() -> None:
    """A request a broker; a partition without a leader waits for one."""
    client = ScriptedClient(leaders={0: 1, 1: 2, 2: None}, answers=[{0: (OK, 0)}, {1: (OK, 0)}, {2: (OK, 0)}])
    outcomes = await a_producer(client).produce({number: [a_lot(number, b"a")] for number in range(3)})
    assert outcomes == {0: Outcome(0), 1: Outcome(0), 2: Outcome(0)}
    assert [(node, list(sent)) for node, sent in client.sent] == [(1, [0]), (2, [1]), (1, [2])]


async def test_a_batch_that_the_broker_had_is_there() -> None:
    """Where it does not remember the offset, nobody is told one."""
    client = ScriptedClient(leaders={0: 1}, answers=[{0: (DUPLICATE, -1)}])
    assert await a_producer(client).produce({0: [a_lot(0, b"a")]}) == {0: Outcome(-1)}


async def test_a_refusal_is_told() -> None:
    """And not tried again."""
    client = ScriptedClient(leaders={0: 1}, answers=[{0: (TOO_LARGE, -1)}])
    outcomes = await a_producer(client).produce({0: [a_lot(0, b"a")]})
    assert isinstance(outcomes[0].error, errors.MessageSizeTooLargeError)
    assert len(client.sent) == 1
