"""The limit of forms that are read at the same time."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from services.intake.asgi import RequestRefusedError
from services.intake.core.problems import RequestProblem
from services.intake.form.concurrency_limit import ConcurrencyLimit


async def test_one_duty_has_few_slots_and_gets_them_back() -> None:
    """More forms of one duty are refused at once, those of other duties are not; a freed slot can be used again."""
    limit = ConcurrencyLimit(total=5, of_one_duty=2)
    async with AsyncExitStack() as held:
        for duty in ("a", "a", "b"):
            await held.enter_async_context(limit.hold_slot(duty))
        with pytest.raises(RequestRefusedError) as refused:
            await held.enter_async_context(limit.hold_slot("a"))
        assert refused.value.refusal.problem is RequestProblem.TOO_MANY_REQUESTS
        assert refused.value.refusal.retry_after_seconds
    async with limit.hold_slot("a"), limit.hold_slot("a"):
        pass
    assert not limit._held


async def test_a_form_waits_while_all_slots_are_held() -> None:
    """A waiting form proceeds when a slot is free; a cancelled one leaves nothing behind."""
    limit = ConcurrencyLimit(total=1, of_one_duty=4)
    order = []

    async def hold(name: str) -> None:
        async with limit.hold_slot(name):
            order.append(name)

    async with limit.hold_slot("a"):
        waiting, leaving = asyncio.create_task(hold("b")), asyncio.create_task(hold("c"))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.sleep(0)
        assert order == []
    await waiting
    assert order == ["b"]
    assert not limit._held
