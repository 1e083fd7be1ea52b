"""Produce requests, a batch a partition, over the connections and with the producer id of a started client.

The client's own sender is made for records that come one by one, in any number of batches at a time: a request costs
half as much again there. Here one request to a broker is under way, and idempotence (KIP-98) is a number a partition.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaProducer, TopicPartition, errors
from aiokafka.errors import KafkaError
from aiokafka.protocol.produce import ProduceResponse_v7
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from schemas.events.topics import FACTS
from services.intake.log.produce_request import Produce
from services.intake.log.records import CONTENT_TYPE, Lot
from services.runtime.clock import Clock, milliseconds

MEBIBYTE = 1024 * 1024
BATCH_MAX_BYTES = 2 * MEBIBYTE
"""Of one batch to one partition; an event of the largest size still fits with what intake adds."""

REQUEST_TIMEOUT_MS = 5_000
"""How long one attempt may take. Appends have their own, shorter patience."""

BACKOFF_SECONDS = 0.1
MAGIC = 2
SEQUENCE_END = 2**31
"""Sequence numbers are of 31 bits and begin anew behind (KIP-98)."""

HEADERS = [("content-type", CONTENT_TYPE.encode())]

Batches = Mapping[int, Sequence[Lot]]
"""For each partition what goes to it, in order."""

log = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """What became of a batch: the offset of its first record, -1 where the broker does not tell; or an error."""

    offset: int = -1
    error: KafkaError | None = None


class Producer:
    """Appends to the facts topic, exactly once each, while the one who calls waits for each answer before the next."""

    def __init__(self, started: AIOKafkaProducer, clock: Clock) -> None:
        self._client = started.client
        manager = started._txn_manager  # noqa: SLF001 - there is no other way to the producer id
        self._id, self._epoch = manager.producer_id, manager.producer_epoch
        self._clock = clock
        self._sequences: defaultdict[int, int] = defaultdict(int)

    async def produce(self, batches: Batches) -> dict[int, Outcome]:
        """Return what became of each of *batches*; what may still succeed is tried until it does, or the caller ends.

        After a refusal the sequence has a gap: nothing more can be produced here.
        """
        built = {partition: self._built(partition, lots) for partition, lots in batches.items()}
        outcomes = await self._attempt(built)
        again = _may_succeed(outcomes)
        if again:
            why = {partition: repr(outcomes[partition].error) for partition in again}
            log.warning("batches are sent again until they are taken", extra={"action": "append_again", "why": why})
        while again:
            await asyncio.sleep(BACKOFF_SECONDS)
            await self._client.force_metadata_update()
            outcomes |= await self._attempt({partition: built[partition] for partition in again})
            again = _may_succeed(outcomes)
        for partition, lots in batches.items():
            self._sequences[partition] = (self._sequences[partition] + sum(map(len, lots))) % SEQUENCE_END
        return outcomes

    async def _attempt(self, built: Mapping[int, bytearray]) -> dict[int, Outcome]:
        """Send *built*, to each broker what it leads, all at once."""
        by_leader: defaultdict[int, dict[int, bytearray]] = defaultdict(dict)
        for partition, batch in built.items():
            leader = self._client.cluster.leader_for_partition(TopicPartition(FACTS.name, partition))
            by_leader[-1 if leader is None else leader][partition] = batch
        if len(by_leader) == 1:
            return await self._answered(*by_leader.popitem())
        outcomes: dict[int, Outcome] = {}
        for answer in await asyncio.gather(*(self._answered(*led) for led in by_leader.items())):
            outcomes |= answer
        return outcomes

    async def _answered(self, leader: int, batches: Mapping[int, bytearray]) -> dict[int, Outcome]:
        if leader == -1:
            return dict.fromkeys(batches, Outcome(error=errors.LeaderNotAvailableError()))
        try:
            response: ProduceResponse_v7 = await self._client.send(leader, Produce(batches, REQUEST_TIMEOUT_MS))
        except KafkaError as error:
            return dict.fromkeys(batches, Outcome(error=error))
        ((_, answers),) = response.topics
        return {partition: _outcome(error_code, offset) for partition, error_code, offset, *_ in answers}

    def _built(self, partition: int, lots: Sequence[Lot]) -> bytearray:
        builder = DefaultRecordBatchBuilder(
            MAGIC, 0, 0, self._id, self._epoch, self._sequences[partition], BATCH_MAX_BYTES
        )
        timestamp = milliseconds(self._clock.now())
        offset = 0
        for lot in lots:
            for key, value in zip(lot.keys, lot.values, strict=True):
                if builder.append(offset, timestamp, key, value, HEADERS) is None:
                    raise RuntimeError("a batch outgrew its bound")  # events are bounded far below it
                offset += 1
        batch: bytearray = builder.build()
        return batch


def _may_succeed(outcomes: Mapping[int, Outcome]) -> list[int]:
    return [partition for partition, outcome in outcomes.items() if outcome.error and outcome.error.retriable]


def _outcome(error_code: int, offset: int) -> Outcome:
    kind = errors.for_code(error_code)
    if kind is errors.NoError:
        return Outcome(offset)
    return Outcome() if kind is errors.DuplicateSequenceNumber else Outcome(error=kind())
