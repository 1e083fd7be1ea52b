"""What is read once and kept is not walked by the garbage collector again; what follows a verdict is."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from services.reporting.current import thread_work


@pytest.fixture(autouse=True)
def _unfreeze() -> Iterator[None]:
    """Give back to the collector what a test took from it."""
    gc.unfreeze()
    yield
    gc.unfreeze()


async def load(fresh: int) -> list[list[int]]:
    """Load something in which so many records were read."""
    return await thread_work.load(lambda: [[number] for number in range(10)], work=10_000, fresh=fresh)


async def test_what_a_start_reads_is_passed_over() -> None:
    """A full collection over it would stop every answer for tenths of a second."""
    assert await load(10_000) == [[number] for number in range(10)]
    assert gc.get_freeze_count() > 0


class Cycle:
    """Something that refers to itself, so that only a collection frees it."""

    def __init__(self) -> None:
        self.itself = self


async def test_garbage_is_collected_before_it_would_be_passed_over() -> None:
    """Where it was passed over it would stay for ever: each question about another instant would add to it."""
    cycle = weakref.ref(Cycle())
    await load(10_000)
    assert cycle() is None


async def test_what_follows_a_verdict_stays_the_collectors() -> None:
    """Twenty times a second something that is in use would be passed over for ever."""
    await load(1)
    assert gc.get_freeze_count() == 0
