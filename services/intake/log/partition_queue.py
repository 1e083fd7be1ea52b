"""What waits for the partitions of the facts topic: who asked for it, and how much of it makes a batch.

Records in, batches out; knows no broker.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from services.intake.log.records import Lot

BATCH_TARGET_BYTES = 768 * 1024
"""Beyond this a gathered batch is sent without more: a broker's default limit is 1 MiB."""

Ends = dict[int, int]
"""For each partition that was appended to, the offset behind the last record."""


class BusDownError(Exception):
    """The bus did not acknowledge in time; whether it has the records is not known yet."""


class Append:
    """One caller waiting for *missing* parts, in one or more partitions."""

    __slots__ = ("done", "ends", "missing")

    def __init__(self, done: asyncio.Future[None]) -> None:
        self.missing = 0
        self.done = done
        self.ends: Ends = {}

    def acknowledge(self, partition: int, end: int) -> None:
        self.missing -= 1
        self.ends[partition] = end
        if self.missing == 0 and not self.done.done():
            self.done.set_result(None)

    def fail(self, error: BaseException) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class Part(NamedTuple):
    """The records of one caller for one partition, as many as fit into a batch."""

    lot: Lot
    size: int
    append: Append


class Lane:
    """What waits for one partition, and the batch of it that is under way."""

    __slots__ = ("under_way", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[Part] = deque()
        self.under_way: list[Part] = []

    def next_batch(self) -> list[Part]:
        """Bring on their way the parts that fit into one batch, the first one in any case."""
        batch = self.under_way = [self.waiting.popleft()]
        size = batch[0].size
        while self.waiting and size + self.waiting[0].size <= BATCH_TARGET_BYTES:
            batch.append(self.waiting.popleft())
            size += batch[-1].size
        return batch

    def give_up(self, why: str) -> None:
        """Tell everybody here that the bus is down, those as well whose batch is under way: nobody awaits it now."""
        fail((*self.under_way, *self.waiting), why)
        self.waiting.clear()


def parts(lot: Lot, append: Append) -> Iterator[Part]:
    """Yield *lot* in parts of no more than a batch may hold; a larger record is a part by itself."""
    sizes = list(map(len, lot.values))
    whole = sum(sizes)
    if whole <= BATCH_TARGET_BYTES:
        yield Part(lot, whole, append)
        return
    start = size = 0
    for place, one in enumerate(sizes):
        if size and size + one > BATCH_TARGET_BYTES:
            yield Part(lot.cut(start, place), size, append)
            start, size = place, 0
        size += one
    yield Part(lot.cut(start, len(lot)), size, append)


def fail(batch: Iterable[Part], why: str) -> None:
    """Tell everybody who waits for *batch* that the bus is down."""
    for part in batch:
        part.append.fail(BusDownError(why))
