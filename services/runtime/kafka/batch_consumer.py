"""Consume a topic in batches through FastStream, as fast as the aiokafka client below it.

This module works around three habits of FastStream: it decodes each record once more than needed, logs two lines per
message, and swallows an exception of a handler, after which the next commit would skip the failed records for ever. So
handlers get the raw records, the logger is off, and an exception halts the process with nothing more committed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord
from aiokafka.errors import CommitFailedError, IllegalStateError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512
from prometheus_client import CollectorRegistry

from services.runtime.kafka import damaged_batches
from services.runtime.kafka.damaged_batches import DamageAwareConsumer
from services.runtime.settings import KafkaConfig, SaslMechanism

Records = Sequence[ConsumerRecord[Any, Any]]
Handler = Callable[[Records, AIOKafkaConsumer], Awaitable[None]]

# How long an empty poll waits, and FastStream after it. A single record is delayed by half of it on average.
IDLE_MS = 25
GRACE_SECONDS = 15.0  # time for the batch in progress when the service stops

# While a topic is deleted the group shares out none of its partitions. After so long it knows that the topic is back;
# aiokafka's default is five minutes.
METADATA_AGE_MS = 10_000

# Between attempts of a handler, doubled each time.
FIRST_RETRY_SECONDS = 0.2
LONGEST_RETRY_SECONDS = 10.0

_SECURITY_CLASSES: dict[SaslMechanism, type[SASLPlaintext | SASLScram256 | SASLScram512]] = {
    SaslMechanism.PLAIN: SASLPlaintext,
    SaslMechanism.SCRAM_SHA_256: SASLScram256,
    SaslMechanism.SCRAM_SHA_512: SASLScram512,
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A consumer group's subscription to a topic, and the largest size of a batch in records."""

    topic: str
    group: str
    max_records: int = 5_000
    session_timeout_ms: int = 10_000
    max_fetch_bytes_a_partition: int = 4 * 1024 * 1024


class ConsumingBroker(KafkaBroker):
    """A FastStream broker that only consumes. A service opens its producers itself, with the guarantees that it needs.

    If it cannot start it calls *halt*: by then FastStream has reported to the HTTP server that the application is up,
    and the process would go on answering without consuming anything.
    """

    def __init__(self, kafka: KafkaConfig, *, halt: Callable[[], None], registry: CollectorRegistry) -> None:
        super().__init__(
            kafka.servers,
            security=faststream_security(kafka),
            consumer_only=True,
            apply_types=False,
            logger=None,
            graceful_timeout=GRACE_SECONDS,
            metadata_max_age_ms=METADATA_AGE_MS,
        )
        self._halt = halt
        self._kafka = kafka
        self._damage_gauge = damaged_batches.damage_gauge(registry)
        self._consumers: list[DamageAwareConsumer] = []

    async def is_log_readable(self) -> bool:
        """Whether no partition that is assigned to this process stands before a damaged batch."""
        return not any(one.is_stopped_by_damage for one in self._consumers)

    async def _connect(self) -> Callable[..., AIOKafkaConsumer]:
        """Connect, and let FastStream build its consumers so that they stop at a damaged batch."""
        builder: Any = await super()._connect()

        def build_consumer(**options: Any) -> DamageAwareConsumer:  # noqa: ANN401 - options of aiokafka's consumer
            consumer = DamageAwareConsumer(
                config=self._kafka, gauge=self._damage_gauge, **{**builder.keywords, **options}
            )
            self._consumers.append(consumer)
            return consumer

        self.config.broker_config.builder = build_consumer
        return build_consumer

    async def start(self) -> None:
        """Start consuming, or halt and raise."""
        try:
            await super().start()
        except Exception:
            log.critical("the consumer could not start", exc_info=True, extra={"action": "halted"})
            self._halt()
            raise


def subscribe(
    broker: KafkaBroker,
    subscription: Subscription,
    handler: Handler,
    *,
    halt: Callable[[], None],
    listener: ConsumerRebalanceListener | None = None,
) -> Any:  # noqa: ANN401 - FastStream's own subscriber
    """Call *handler* with every batch of *subscription*; it commits itself. An exception in it calls *halt*."""
    subscriber: Any = broker.subscriber(
        subscription.topic,
        batch=True,
        max_records=subscription.max_records,
        batch_timeout_ms=IDLE_MS,
        group_id=subscription.group,
        ack_policy=AckPolicy.MANUAL,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        session_timeout_ms=subscription.session_timeout_ms,
        # Kafka advises no more than a third of the session timeout: two heartbeats may be lost without a rebalance.
        heartbeat_interval_ms=subscription.session_timeout_ms // 3,
        max_partition_fetch_bytes=subscription.max_fetch_bytes_a_partition,
        listener=listener,
        no_reply=True,
        parser=_skip_parsing,
        decoder=_raw_records,
    )

    handle_or_halt = _halting(handler, halt)

    async def on_batch(records: Records) -> None:
        await handle_or_halt(records, subscriber.consumer)

    subscriber(on_batch)
    return subscriber


def commit_after(handler: Handler, recoverable: tuple[type[Exception], ...]) -> Handler:
    """Return a handler that commits after *handler*, and repeats *handler* as long as it raises one of *recoverable*.

    A batch may be delivered again after a crash or a rebalance; the writes of *handler* are keyed, so repeating them
    changes nothing.
    """

    async def commit_last(records: Records, consumer: AIOKafkaConsumer) -> None:
        await _retry(lambda: handler(records, consumer), recoverable)
        try:
            await consumer.commit()
        except (CommitFailedError, IllegalStateError):
            log.info(
                "the commit is refused: the partition has another owner, which will process the batch again",
                extra={"action": "commit_refused"},
            )

    return commit_last


def faststream_security(config: KafkaConfig) -> BaseSecurity:
    """Return the `security` argument of a FastStream `KafkaBroker` for *config*."""
    if config.credentials is None:
        return BaseSecurity(ssl_context=config.tls)
    security = _SECURITY_CLASSES[config.credentials.mechanism]
    return security(
        username=config.credentials.username,
        password=config.credentials.password(),
        ssl_context=config.tls,
        use_ssl=config.tls is not None,
    )


def _halting(handler: Handler, halt: Callable[[], None]) -> Handler:
    has_failed = False

    async def handle_or_halt(records: Records, consumer: AIOKafkaConsumer) -> None:
        nonlocal has_failed
        if has_failed:  # a commit of a later batch, read while the process ends, would skip the failed one
            return
        try:
            await handler(records, consumer)
        except Exception:
            has_failed = True
            log.critical("a batch failed; nothing of it is committed", exc_info=True, extra={"action": "halted"})
            halt()

    return handle_or_halt


async def _retry(attempt: Callable[[], Awaitable[None]], recoverable: tuple[type[Exception], ...]) -> None:
    delay = FIRST_RETRY_SECONDS
    while True:
        try:
            await attempt()
        except recoverable:
            log.warning(
                "a batch waits for a server that does not answer", exc_info=True, extra={"action": "batch_waiting"}
            )
        else:
            return
        await asyncio.sleep(delay)
        delay = min(delay * 2, LONGEST_RETRY_SECONDS)


async def _skip_parsing(records: tuple[ConsumerRecord[Any, Any], ...]) -> KafkaMessage:
    """Skip FastStream's pass over every record and header; handlers here commit through the consumer itself."""
    return KafkaMessage(raw_message=records, body=b"", consumer=FAKE_CONSUMER)


async def _raw_records(message: KafkaMessage) -> object:
    return message.raw_message
