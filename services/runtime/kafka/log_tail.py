"""Tail partitions of the log without a consumer group: read them from some offset and follow what is appended.

Every process that tails reads everything, so nothing is committed. What a record means is the caller's business: it
gives a function that reads one batch from the consumer and is called again and again.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.runtime.kafka import clients
from services.runtime.settings import KafkaConfig

# Between attempts while the broker is away. A restart of a broker takes some seconds.
RETRY_SECONDS = 1.0

# Uses the consumer once: to seek at the start, or to read one batch and take note of how far it came.
Step = Callable[[AIOKafkaConsumer], Awaitable[None]]

log = logging.getLogger(__name__)


class NotTailingError(KafkaError):  # type: ignore[misc]  # aiokafka has no annotations
    """The tail is not started yet; start it first, or try again once the broker is there."""


class LogTail:
    """A consumer that is assigned *partitions* and read in the background from `start` to `stop`."""

    def __init__(self, config: KafkaConfig, partitions: Sequence[TopicPartition], **options: Any) -> None:  # noqa: ANN401 - options of aiokafka's consumer
        self._config = config
        self._partitions = list(partitions)
        self._options = {"isolation_level": "read_committed", **options}
        self._consumer: AIOKafkaConsumer | None = None
        self._following: asyncio.Task[None] | None = None
        self._advanced = asyncio.Event()
        self.failure: KafkaError | None = None
        """Why the log cannot be read for now; None if the last batch was read."""

    @property
    def is_started(self) -> bool:
        """Whether `start` has succeeded."""
        return self._following is not None

    @property
    def is_following(self) -> bool:
        """Whether it is started and still reads; while the broker is away it does."""
        return self._following is not None and not self._following.done()

    async def start(self, read: Step, *, action: str, seek: Step | None = None) -> None:
        """Connect, call *seek* or begin at the beginning, then call *read* in the background until `stop`.

        While the broker is away *read* is tried again, and each failure is logged with *action*. Raise `KafkaError` if
        the broker is not there now; nothing stays open then.
        """
        consumer = AIOKafkaConsumer(
            **self._config.client(), enable_auto_commit=False, auto_offset_reset="earliest", **self._options
        )
        try:
            await consumer.start()
            consumer.assign(self._partitions)
            if seek is not None:
                await seek(consumer)
        except BaseException:
            await clients.stop_consumer(consumer)
            raise
        self._consumer = consumer
        self._following = asyncio.create_task(self._follow(consumer, read, action))

    async def stop(self) -> None:
        """Stop reading and close the consumer. Raise what *read* raised if it was not a `KafkaError`."""
        following, self._following = self._following, None
        consumer, self._consumer = self._consumer, None
        try:
            if following is not None:
                following.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await following
        finally:
            if consumer is not None:
                await clients.stop_consumer(consumer)

    async def end_offsets(self) -> Mapping[TopicPartition, int]:
        """Ask the broker where each partition ends now; raise `NotTailingError` if the tail is not started."""
        if self._consumer is None:
            raise NotTailingError("the log is not tailed yet")
        ends: Mapping[TopicPartition, int] = await self._consumer.end_offsets(self._partitions)
        return ends

    def advance(self) -> None:
        """Wake everybody who waits in `wait_until`: the caller has read further."""
        advanced, self._advanced = self._advanced, asyncio.Event()
        advanced.set()

    async def wait_until(self, is_reached: Callable[[], bool]) -> None:
        """Return when *is_reached*; it is asked now and after every `advance`."""
        while not is_reached():
            await self._advanced.wait()

    async def _follow(self, consumer: AIOKafkaConsumer, read: Step, action: str) -> None:
        while True:
            try:
                await read(consumer)
            except KafkaError as cause:
                topics = sorted({one.topic for one in self._partitions})
                details = {"action": action, "topics": topics, "denied": clients.explain_denial(cause)}
                log.warning("the log cannot be read for now", exc_info=True, extra=details)
                self.failure = cause
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self.failure = None
