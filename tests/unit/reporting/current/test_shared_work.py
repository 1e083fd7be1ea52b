"""What several ask for at once is worked out once, and whoever gives up takes it from nobody else."""

import asyncio

import pytest

from services.reporting.current.shared_work import SharedWork


async def test_two_who_ask_at_once_get_one_answer() -> None:
    """Another question is worked out beside it, and the same one again once it was answered."""
    work, made, may_end = SharedWork[str](), [], asyncio.Event()

    async def make() -> str:
        made.append("begun")
        await may_end.wait()
        return f"{len(made)} begun"

    asking = [asyncio.create_task(work.run(question, make)) for question in ("a", "a", "b")]
    await asyncio.sleep(0.01)
    may_end.set()
    assert await asyncio.gather(*asking) == ["2 begun"] * 3
    assert await work.run("a", make) == "3 begun"


async def test_who_gives_up_ends_nothing_for_the_others() -> None:
    """The first to ask closes the page: the second waits for the same work."""
    work, may_end = SharedWork[str](), asyncio.Event()

    async def make() -> str:
        await may_end.wait()
        return "answer"

    first, second = (asyncio.create_task(work.run("a", make)) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.sleep(0.01)
    may_end.set()
    assert await second == "answer"
    assert first.cancelled()


async def test_a_failure_is_told_to_all_and_kept_from_nobody_later() -> None:
    """A database that was away must not be away for the next who asks."""
    work = SharedWork[str]()

    async def fail() -> str:
        await asyncio.sleep(0)
        raise LookupError

    async def succeed() -> str:
        return "answer"

    failures = await asyncio.gather(work.run("a", fail), work.run("a", fail), return_exceptions=True)
    assert list(map(type, failures)) == [LookupError, LookupError]
    with pytest.raises(LookupError):
        await work.run("a", fail)
    assert await work.run("a", succeed) == "answer"
