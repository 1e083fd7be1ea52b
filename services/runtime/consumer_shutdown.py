"""Ending a plain Kafka consumer in good order, whether the broker is there or not."""

import asyncio
import contextlib

from aiokafka import AIOKafkaConsumer


async def stop(consumer: AIOKafkaConsumer) -> None:
    """Stop *consumer* whole; raise `CancelledError` only if the caller was cancelled meanwhile.

    While the broker is away, aiokafka cancels a fetch that waits for its next attempt, awaits it and lets that
    cancellation out: the caller would end as if it were its own, and what was still to be closed would stay open.
    """
    before = _cancellations()
    with contextlib.suppress(asyncio.CancelledError):
        await consumer.stop()
    await consumer._client.close()  # noqa: SLF001 - the last step of `stop`, which it does not take when it is left so
    if _cancellations() > before:
        raise asyncio.CancelledError


def _cancellations() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()
