"""All consumers that fill one database, and whether the database is complete.

Each process compares the whole database with the log when it starts, also the partitions that others own. Until then,
and until their owners have filled what is missing, nothing in the database is believed.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from services.runtime import background
from services.runtime.http.probes import NotReadyError
from services.runtime.kafka import log_coverage
from services.runtime.state import checkpoints
from services.runtime.state.checkpoints import Checkpoint, CheckpointsUnavailableError
from services.runtime.state.state_consumer import RETRY_SECONDS, StateConsumer

log = logging.getLogger(__name__)


class DatabaseCheckpoints(Protocol):
    """The checkpoints of all topics of a database."""

    @property
    def partitions(self) -> Sequence[TopicPartition]:
        """The partitions of all topics."""

    async def load_all(self) -> Mapping[TopicPartition, Checkpoint]:
        """Return the checkpoints of all partitions whose state is there."""

    def require(self, least: Mapping[TopicPartition, Checkpoint]) -> None:
        """Take every state for incomplete that is older than its checkpoint in *least*."""

    async def find_incomplete(self) -> Sequence[TopicPartition]:
        """Return the partitions of which the database lacks something."""


class StateConsumption:
    """The consumers of one database. With *answers_without_broker* it is believed as it is while the broker is away."""

    def __init__(
        self, consumers: Sequence[StateConsumer], store: DatabaseCheckpoints, *, answers_without_broker: bool
    ) -> None:
        self._consumers = consumers
        self._store = store
        self._answers_without_broker = answers_without_broker
        self._comparing: asyncio.Task[None] | None = None
        self._is_held = False

    def start(self, halt: Callable[[], None]) -> None:
        """Begin to compare the database with the log, in the background."""
        self._comparing = background.start(self._compare(), halt=halt, failure="the state could not be compared")
        for one in self._consumers:
            one.start()

    async def stop(self) -> None:
        """Stop comparing; call it before the broker is stopped."""
        await background.cancel(self._comparing)
        for one in self._consumers:
            await one.stop()

    async def hold(self) -> None:
        """Stop comparing for a moment, in which the database is complete as it is, and forget what it was."""
        self._is_held = True
        await self.stop()
        for one in self._consumers:
            one.forget()

    def release(self, halt: Callable[[], None]) -> None:
        """Begin again after `hold`."""
        self._is_held = False
        self.start(halt)

    async def is_complete(self) -> bool:
        """Whether what this process owns was compared with the log and the whole database is complete.

        A readiness check: raises `NotReadyError` with what is missing.
        """
        if not self._is_held and not all(one.is_judged for one in self._consumers):
            raise NotReadyError("the comparison of the database with the log")
        incomplete = await self._store.find_incomplete()
        if incomplete:
            topics = ", ".join(sorted({place.topic for place in incomplete}))
            raise NotReadyError(f"the database, to be filled from {len(incomplete)} partitions of {topics}")
        return True

    async def is_log_intact(self) -> bool:
        """Whether no partition of the log was found shorter or replaced of late: raises `NotReadyError` if one was."""
        if not all(one.is_log_intact for one in self._consumers):
            raise NotReadyError("a person to look why the log is not the one that was read before")
        return True

    async def _compare(self) -> None:
        while True:
            try:
                self._store.require(await self._find_least())
            except (KafkaError, CheckpointsUnavailableError) as cause:
                if self._answers_without_broker and isinstance(cause, KafkaError):
                    self._store.require({})
                log.warning(
                    "the database cannot be compared with the log for now",
                    exc_info=True,
                    extra={"action": "state_waiting"},
                )
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _find_least(self) -> Mapping[TopicPartition, Checkpoint]:
        stored = await self._store.load_all()
        least = {}
        for source in (one.source for one in self._consumers):
            subscription = source.subscription
            places = dict.fromkeys(place for place in self._store.partitions if place.topic == subscription.topic)
            for place, state in (await log_coverage.inspect_log(source.kafka, subscription.group, places)).items():
                least[place] = checkpoints.find_least(stored.get(place), state, must_reach_end=source.must_reach_end)
        return least
