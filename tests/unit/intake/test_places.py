"""How many forms are read at once."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from services.intake.asgi import RequestRefusedError
from services.intake.core.problems import RequestProblem
from services.intake.form.concurrency_limit import ConcurrencyLimit


async def test_one_duty_holds_few_places_and_gets_them_back() -> None:
    """More are refused at once, other duties are not; what is given back can be taken again."""
    places = ConcurrencyLimit(together=5, of_one_duty=2)
    async with AsyncExitStack() as held:
        for duty in ("a", "a", "b"):
            await held.enter_async_context(places.hold_slot(duty))
        with pytest.raises(RequestRefusedError) as refused:
            await held.enter_async_context(places.hold_slot("a"))
        assert refused.value.refusal.problem is RequestProblem.TOO_MANY_REQUESTS
        assert refused.value.refusal.retry_after_seconds
    async with places.hold_slot("a"), places.hold_slot("a"):
        pass
    assert not places._taken


async def test_who_comes_when_all_are_taken_waits() -> None:
    """And goes on when one is free; one who gives up waiting leaves nothing behind."""
    places = ConcurrencyLimit(together=1, of_one_duty=4)
    order = []

    async def take(name: str) -> None:
        async with places.hold_slot(name):
            order.append(name)

    async with places.hold_slot("a"):
        waiting, leaving = asyncio.create_task(take("b")), asyncio.create_task(take("c"))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.sleep(0)
        assert order == []
    await waiting
    assert order == ["b"]
    assert not places._taken
