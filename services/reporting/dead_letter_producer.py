"""The producer of reporting's dead letters: opened with the service, and asked whether the broker is there."""

from aiokafka import AIOKafkaProducer

from schemas.events.topics import VERDICTS
from services.runtime.clock import Clock
from services.runtime.kafka import clients
from services.runtime.kafka.dead_letters import ConsumedRecord, DeadLetters
from services.runtime.settings import KafkaConfig


class DeadLetterProducer:
    """Writes dead letters through a producer that is opened with the service, and tells whether the broker is there."""

    def __init__(self, kafka: KafkaConfig, clock: Clock) -> None:
        self._kafka = kafka
        self._clock = clock
        self._producer: AIOKafkaProducer | None = None

    async def open(self) -> None:
        """Connect; raise `KafkaError` if that fails, and nothing stays open then."""
        # Idempotence keeps a retried send from writing a dead letter twice.
        self._producer = await clients.start_producer(self._kafka, VERDICTS.dead_letter)

    async def close(self) -> None:
        """Close the producer, if it is open."""
        if self._producer is not None:
            await clients.stop_producer(self._producer)

    async def set_aside(self, record: ConsumedRecord, *, reason: str) -> None:
        """Return when the broker has the dead letter; raise `KafkaError` if it refuses it."""
        if self._producer is None:
            raise RuntimeError("the producer is not open")
        await DeadLetters(self._producer, self._clock).set_aside(record, reason=reason)

    async def is_answering(self) -> bool:
        """Whether the broker answered just now."""
        return self._producer is not None and bool(await self._producer.client.force_metadata_update())
