"""Consume a topic in batches through FastStream, at the speed of the client below it.

Traps of FastStream this module shuts: it decodes each record once more than needed, logs two lines a message, and
swallows what a handler raises, after which the next commit would skip the failed records for good. So the raw records
are handed over, the logger is off, and whatever a handler raises halts the process with nothing more committed.
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

from services.runtime.settings import KafkaConfig, SaslMechanism

Records = Sequence[ConsumerRecord[Any, Any]]
Handler = Callable[[Records, AIOKafkaConsumer], Awaitable[None]]

IDLE_MS = 25  # how long an empty poll waits, and FastStream after it: half of it is the usual delay of a lone record
GRACE_SECONDS = 15.0  # for the batch in flight when the service stops
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
    """Who reads what: the consumer group, the topic, and how many records are one batch at most."""

    topic: str
    group: str
    max_records: int = 5_000
    session_timeout_ms: int = 10_000
    max_fetch_bytes_a_partition: int = 4 * 1024 * 1024


class ConsumingBroker(KafkaBroker):
    """A broker that only consumes: producers are opened by who needs them, with the guarantees they need.

    What keeps it from starting ends in *halt*: FastStream has told the server by then that the application is up, and
    the process would go on answering without reading anything.
    """

    def __init__(self, kafka: KafkaConfig, *, halt: Callable[[], None]) -> None:
        super().__init__(
            kafka.servers,
            security=faststream_security(kafka),
            consumer_only=True,
            apply_types=False,
            logger=None,
            graceful_timeout=GRACE_SECONDS,
        )
        self._halt = halt

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
    """Give every batch of *subscription* to *handler*, which commits by itself. What it raises ends in *halt*."""
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
        heartbeat_interval_ms=subscription.session_timeout_ms // 3,
        max_partition_fetch_bytes=subscription.max_fetch_bytes_a_partition,
        listener=listener,
        no_reply=True,
        parser=_unparsed,
        decoder=_raw,
    )

    guarded = _halting(handler, halt)

    async def on_batch(records: Records) -> None:
        await guarded(records, subscriber.consumer)

    subscriber(on_batch)
    return subscriber


def commit_after(handler: Handler, recoverable: tuple[type[Exception], ...]) -> Handler:
    """Commit each batch last of all, after *handler*; try *handler* again for as long as it raises *recoverable*.

    A batch may come again after a crash or a rebalance: the writes of *handler* are keyed, so that nothing changes.
    """

    async def commit_last(records: Records, consumer: AIOKafkaConsumer) -> None:
        await _insist(lambda: handler(records, consumer), recoverable)
        try:
            await consumer.commit()
        except (CommitFailedError, IllegalStateError):
            log.info("a batch goes to another owner, written already", extra={"action": "commit_refused"})

    return commit_last


def _halting(handler: Handler, halt: Callable[[], None]) -> Handler:
    has_failed = False

    async def guarded(records: Records, consumer: AIOKafkaConsumer) -> None:
        nonlocal has_failed
        if has_failed:  # what is read while the process ends must not be committed over the failed batch
            return
        try:
            await handler(records, consumer)
        except Exception:
            has_failed = True
            log.critical("a batch failed; nothing of it is committed", exc_info=True, extra={"action": "halted"})
            halt()

    return guarded


async def _insist(attempt: Callable[[], Awaitable[None]], recoverable: tuple[type[Exception], ...]) -> None:
    pause = FIRST_RETRY_SECONDS
    while True:
        try:
            await attempt()
        except recoverable:
            log.warning("a batch waits for what it needs", exc_info=True, extra={"action": "batch_waiting"})
        else:
            return
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_RETRY_SECONDS)


def faststream_security(kafka: KafkaConfig) -> BaseSecurity:
    """Return what a `KafkaBroker` is given as its `security`."""
    if kafka.credentials is None:
        return BaseSecurity(ssl_context=kafka.tls)
    kind = _SECURITY_CLASSES[kafka.credentials.mechanism]
    return kind(
        username=kafka.credentials.username,
        password=kafka.credentials.password(),
        ssl_context=kafka.tls,
        use_ssl=kafka.tls is not None,
    )


async def _unparsed(records: tuple[ConsumerRecord[Any, Any], ...]) -> KafkaMessage:
    """Skip FastStream's pass over every record and header; what consumes here commits through the consumer itself."""
    return KafkaMessage(raw_message=records, body=b"", consumer=FAKE_CONSUMER)


async def _raw(message: KafkaMessage) -> object:
    return message.raw_message
