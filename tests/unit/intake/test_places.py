"""How many forms are read at once."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from services.intake.asgi import RefusedError
from services.intake.core.problems import Problem
from services.intake.form.concurrency_limit import Places


async def test_one_duty_holds_few_places_and_gets_them_back() -> None:
    """More are refused at once, other duties are not; what is given back can be taken again."""
    places = Places(together=5, of_one_duty=2)
    async with AsyncExitStack() as held:
        for duty in ("a", "a", "b"):
            await held.enter_async_context(places.taken_by(duty))
        with pytest.raises(RefusedError) as refused:
            await held.enter_async_context(places.taken_by("a"))
        assert refused.value.refusal.problem is Problem.TOO_MANY_REQUESTS
        assert refused.value.refusal.retry_after_seconds
    async with places.taken_by("a"), places.taken_by("a"):
        pass
    assert not places._taken


async def test_who_comes_when_all_are_taken_waits() -> None:
    """And goes on when one is free; one who gives up waiting leaves nothing behind."""
    places = Places(together=1, of_one_duty=4)
    order = []

    async def take(name: str) -> None:
        async with places.taken_by(name):
            order.append(name)

    async with places.taken_by("a"):
        waiting, leaving = asyncio.create_task(take("b")), asyncio.create_task(take("c"))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.sleep(0)
        assert order == []
    await waiting
    assert order == ["b"]
    assert not places._taken
