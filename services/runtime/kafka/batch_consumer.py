"""Consume a topic in batches through FastStream, as fast as the aiokafka client below it, and never stop unseen.

This module works around some habits of FastStream: it decodes each record once more than needed, logs two lines per
message, swallows an exception of a handler, after which the next commit would skip the failed records for ever, and
begins a consume loop that has failed again and again. So handlers get the raw records, of its log only the errors are
kept, an exception of a handler halts the process with nothing more committed, and `BatchConsumer` watches the loop.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512
from prometheus_client import CollectorRegistry

from services.runtime import background
from services.runtime.http.probes import NotReadyError
from services.runtime.kafka import clients, damaged_batches
from services.runtime.kafka.observed_consumer import ObservedConsumer
from services.runtime.settings import KafkaConfig, SaslMechanism

Records = Sequence[ConsumerRecord[Any, Any]]
Handler = Callable[[Records, ObservedConsumer], Awaitable[None]]

# How long an empty poll waits, and FastStream after it. A single record is delayed by half of it on average.
IDLE_MS = 25

# For the batch in progress when the service stops. A batch that takes longer is cut off and comes again.
GRACE_SECONDS = 5.0

# A consumer that has not polled for so long hangs, or waits with its batch for a server that does not answer.
POLL_INTERVAL_MAX_SECONDS = 30.0

# While a topic is deleted the group shares out none of its partitions. After so long it knows that the topic is back;
# aiokafka's default is five minutes.
METADATA_AGE_MS = 10_000

# Between attempts of a handler or of a consumer, doubled each time.
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


class ConsumeLoopEndedError(Exception):
    """FastStream's loop ended although nobody stopped it; the process is started again by its supervisor."""


class ConsumingBroker(KafkaBroker):
    """A FastStream broker that only consumes. A service opens its producers itself, with the guarantees that it needs.

    `start` returns at once: consuming begins in the background as soon as the broker lets it.
    """

    def __init__(self, kafka: KafkaConfig, *, halt: Callable[[], None], registry: CollectorRegistry) -> None:
        super().__init__(
            kafka.servers,
            security=faststream_security(kafka),
            consumer_only=True,
            apply_types=False,
            logger=_FrameworkLog(),
            graceful_timeout=GRACE_SECONDS,
        )
        self._kafka = kafka
        self._halt = halt
        self._damage_gauge = damaged_batches.damage_gauge(registry)
        self._consumers: list[BatchConsumer] = []
        self._consuming: list[asyncio.Task[None]] = []
        self._is_started = self._is_held = False

    def add_consumer(self, consumer: "BatchConsumer") -> None:
        """Let *consumer* run from `start` to `stop`."""
        self._consumers.append(consumer)

    async def start(self) -> None:
        """Begin to consume in the background; a failure that trying again cannot heal halts the process."""
        await self.connect()
        # FastStream's own reads the password once, and makes consumers that tell nothing of their polls.
        self.config.broker_config.builder = self._create_consumer
        self._is_started = True
        if not self._is_held:
            self._begin_to_consume()

    async def hold(self) -> None:
        """Leave the groups until `release`, and be no less ready meanwhile."""
        self._is_held = True
        await background.cancel(*self._consuming)
        self._consuming = []

    def release(self) -> None:
        """Consume again after `hold`."""
        self._is_held = False
        if self._is_started:
            self._begin_to_consume()

    def _begin_to_consume(self) -> None:
        failure = "a consumer has failed"
        self._consuming = [background.start(one.run(), halt=self._halt, failure=failure) for one in self._consumers]

    async def stop(self, *_: object) -> None:
        """Let the batches in progress end, for a limited time, and leave the groups."""
        await background.cancel(*self._consuming)
        await super().stop()

    def _create_consumer(self, **options: Any) -> ObservedConsumer:  # noqa: ANN401 - options of aiokafka's consumer
        return ObservedConsumer(self._kafka, self._damage_gauge, metadata_max_age_ms=METADATA_AGE_MS, **options)

    async def is_consuming(self) -> bool:
        """Whether every consumer consumes: a readiness check; raise `NotReadyError` with what is wrong."""
        for one in () if self._is_held else self._consumers:
            one.check()
        return True


class BatchConsumer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no annotations
    """Consumes one subscription through FastStream, and knows whether it does.

    After an error of the client it begins anew. It raises what is a defect: the end of FastStream's loop, or any other
    exception of the rebalance listener.
    """

    def __init__(
        self, broker: KafkaBroker, subscription: Subscription, listener: ConsumerRebalanceListener | None
    ) -> None:
        self._subscription = subscription
        self._listener = listener
        self._has_failed = asyncio.Event()
        self._failure: BaseException | None = None
        self._denial: str | None = None
        self._subscriber: Any = broker.subscriber(
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
            listener=self,
            no_reply=True,
            parser=_skip_parsing,
            decoder=_raw_records,
        )

    def handle_with(self, handler: Handler) -> None:
        """Call *handler* with every batch."""

        async def on_batch(records: Records) -> None:
            await handler(records, self._subscriber.consumer)

        self._subscriber(on_batch)

    @property
    def consumer(self) -> "ObservedConsumer | None":
        """The client, while it is connected."""
        found: ObservedConsumer | None = self._subscriber.consumer
        return found

    def check(self) -> None:
        """Raise `NotReadyError` unless partitions are assigned and were polled lately."""
        place = f"{self._subscription.topic} in group {self._subscription.group}"
        consumer = self.consumer
        if consumer is None or not consumer.is_assigned.is_set():
            raise NotReadyError(self._denial or f"the group to assign partitions of {place}")
        if consumer.failure is not None:
            raise NotReadyError(clients.explain_denial(consumer.failure) or f"the broker, to read {place}")
        if consumer.damage:
            remedy = "see deploy/runbook.md#damagedbatch"
            raise NotReadyError(f"a damaged batch to be set aside: {consumer.damage}; {remedy}")
        if consumer.seconds_since_poll > POLL_INTERVAL_MAX_SECONDS:
            raise NotReadyError(f"the end of the batch in progress, of {place}; the log says whether it waits itself")

    async def run(self) -> None:
        """Consume until cancelled."""
        delay = FIRST_RETRY_SECONDS
        while True:
            self._failure = None
            self._has_failed.clear()
            try:
                await self._subscriber.start()  # returns when the group has assigned partitions
                delay = FIRST_RETRY_SECONDS
                self._denial = None
                await self._watch()
            except (KafkaError, OSError) as cause:
                self._denial = clients.explain_denial(cause)
                details = {"topic": self._subscription.topic, "denied": self._denial}
                log.warning(
                    "the consumer begins anew", exc_info=True, extra={"action": "consumer_restarted", **details}
                )
            finally:
                await self._stop()
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_RETRY_SECONDS)

    async def _watch(self) -> None:
        """Wait for a failure, and raise it."""
        for task in self._subscriber.tasks:
            task.add_done_callback(self._on_loop_ended)
        await self._has_failed.wait()
        if self._failure is not None:
            raise self._failure

    async def _stop(self) -> None:
        if self.consumer is not None:
            self.consumer.is_stopping.set()
        await self._subscriber.stop()

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Tell the service's listener."""
        consumer = self.consumer
        if consumer is not None:
            consumer.is_assigned.clear()
        if self._listener is not None:
            await self._call_listener(self._listener.on_partitions_revoked(revoked))

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Tell the service's listener; records are given out when it has returned."""
        if self._listener is not None and not await self._call_listener(
            self._listener.on_partitions_assigned(assigned)
        ):
            return
        consumer = self.consumer
        if consumer is not None:
            consumer.is_assigned.set()

    async def _call_listener(self, call: Awaitable[None]) -> bool:
        """Await *call* and return whether it succeeded. aiokafka would only log what it raises, and read on."""
        try:
            await call
        except Exception as cause:
            log.exception("a rebalance listener has failed", extra={"action": "listener_failed"})
            self._fail(cause)
            return False
        return True

    def _on_loop_ended(self, task: "asyncio.Task[None]") -> None:
        if self._subscriber.running:
            cause = None if task.cancelled() else task.exception()
            self._fail(cause or ConsumeLoopEndedError(self._subscription.topic))

    def _fail(self, cause: BaseException) -> None:
        self._failure = self._failure or cause
        self._has_failed.set()


def subscribe(
    broker: ConsumingBroker,
    subscription: Subscription,
    handler: Handler,
    *,
    halt: Callable[[], None],
    listener: ConsumerRebalanceListener | None = None,
) -> BatchConsumer:
    """Call *handler* with every batch of *subscription*; it commits itself. An exception in it calls *halt*.

    *listener* hears of each rebalance. A seek in its `on_partitions_assigned` holds for the first record: none is given
    out before it returns. A `KafkaError` of the listener lets the consumer begin anew, any other exception halts.
    """
    consumer = BatchConsumer(broker, subscription, listener)
    consumer.handle_with(_halting(handler, halt))
    broker.add_consumer(consumer)
    return consumer


async def repeat_while_unavailable(
    attempt: Callable[[], Awaitable[None]], recoverable: tuple[type[Exception], ...], *, until: asyncio.Event
) -> bool:
    """Repeat *attempt* while it raises one of *recoverable*; return False if *until* is set before it succeeds."""
    delay = FIRST_RETRY_SECONDS
    while True:
        try:
            await attempt()
        except recoverable:
            log.warning(
                "a batch waits for a server that does not answer", exc_info=True, extra={"action": "batch_waiting"}
            )
        else:
            return True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(until.wait(), delay)
        if until.is_set():
            return False
        delay = min(delay * 2, LONGEST_RETRY_SECONDS)


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

    async def handle_or_halt(records: Records, consumer: ObservedConsumer) -> None:
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


async def _skip_parsing(records: tuple[ConsumerRecord[Any, Any], ...]) -> KafkaMessage:
    """Skip FastStream's pass over every record and header; handlers here commit through the consumer itself."""
    return KafkaMessage(raw_message=records, body=b"", consumer=FAKE_CONSUMER)


async def _raw_records(message: KafkaMessage) -> object:
    return message.raw_message


class _FrameworkLog:
    """The logger of FastStream: its errors, with an `action`, and none of its lines about each message."""

    def log(
        self,
        level: int,
        msg: object,
        /,
        *,
        exc_info: BaseException | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        """Log an error of FastStream; *extra* names its topic and group."""
        if level >= logging.ERROR:
            details = {"action": "framework_failed", "error": str(msg), **(extra or {})}
            log.log(level, "FastStream reports an error", exc_info=exc_info, extra=details)
