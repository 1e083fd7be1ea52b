"""Whether rules and reporting have read the log that is there: what they have not read yet is no difference."""

import asyncio
from dataclasses import dataclass

from aiokafka import TopicPartition

from schemas.events.topics import DELIVERIES, FACTS, VERDICTS
from services.console.support.inputs import UnusableInputError
from services.runtime.kafka import group_progress
from services.runtime.kafka.group_progress import GroupBehindError
from services.runtime.settings import KafkaConfig

CATCH_UP_SECONDS = 60.0
RETRY_SECONDS = 0.5


class BehindError(UnusableInputError):
    """Somebody has not read the log, so nothing can be said yet. The message says who and what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerGroups:
    """The consumer groups of rules and reporting."""

    rules: str
    reporting: str


async def wait_until_read(config: KafkaConfig, groups: ConsumerGroups, *, partitions: int) -> None:
    """Return when everything that is in the log by now has been assessed and stored; raise `BehindError` if it is not.

    First the facts are awaited, and then what followed from them. All these topics have *partitions* partitions.
    """
    deadline = asyncio.get_running_loop().time() + CATCH_UP_SECONDS
    stored = (VERDICTS.name, DELIVERIES.name, FACTS.name)
    for group, topics in ((groups.rules, (FACTS.name,)), (groups.reporting, stored)):
        for topic in topics:
            ends = await group_progress.find_ends(
                config, [TopicPartition(topic, number) for number in range(partitions)]
            )
            left = max(0.0, deadline - asyncio.get_running_loop().time())
            try:
                await group_progress.wait_until_read(config, group, ends, seconds=left, retry_seconds=RETRY_SECONDS)
            except GroupBehindError as cause:
                raise BehindError(
                    f"{cause}; differences would be its delay, so audit again when it has caught up"
                ) from cause
