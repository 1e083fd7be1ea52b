"""A background task that fails halts the process; one that is cancelled does not."""

import asyncio
import logging

import pytest

from services.runtime import background


async def fail() -> None:
    """Fail at once."""
    raise ValueError("no remedy")


async def wait_for_ever() -> None:
    """Wait until cancelled."""
    await asyncio.Event().wait()


async def test_a_failure_is_logged_and_halts(caplog: pytest.LogCaptureFixture) -> None:
    """The constant sentence, the exception and the action `halted` are in the log, and *halt* was called once."""
    halted: list[bool] = []
    task = background.start(fail(), halt=lambda: halted.append(True), failure="the reader has failed")
    await asyncio.wait([task])
    await asyncio.sleep(0)
    (record,) = caplog.records
    assert (record.levelno, record.message, vars(record)["action"]) == (
        logging.CRITICAL,
        "the reader has failed",
        "halted",
    )
    assert record.exc_info is not None
    assert record.exc_info[0] is ValueError
    assert halted == [True]


async def test_a_cancelled_task_halts_nothing() -> None:
    """The end of the service is no failure; a task that was never started is None and is ignored."""
    halted: list[bool] = []
    task = background.start(wait_for_ever(), halt=lambda: halted.append(True), failure="the reader has failed")
    await background.cancel(task, None)
    assert task.cancelled()
    assert halted == []


async def test_a_task_that_nobody_cancelled_may_not_end_as_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    """What it awaits was cancelled by a library: its work would stop unseen, so the process halts."""
    halted: list[bool] = []
    awaited = asyncio.create_task(wait_for_ever())

    async def wait_for_another() -> None:
        await awaited

    task = background.start(wait_for_another(), halt=lambda: halted.append(True), failure="the reader has failed")
    await asyncio.sleep(0)
    awaited.cancel()
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert task.cancelled()
    assert halted == [True]
    assert vars(caplog.records[0])["action"] == "halted"


async def test_cancelling_raises_no_failure_of_the_task() -> None:
    """The failure was reported when it happened, so the service can stop cleanly."""
    halted: list[bool] = []
    task = background.start(fail(), halt=lambda: halted.append(True), failure="the reader has failed")
    await asyncio.wait([task])
    await background.cancel(task)
    assert halted == [True]


async def test_a_task_may_finish_within_its_grace() -> None:
    """What is in progress when the service stops gets its time, and no more."""
    finished: list[bool] = []

    async def finish_soon() -> None:
        await asyncio.sleep(0.01)
        finished.append(True)

    task = background.start(finish_soon(), halt=lambda: None, failure="the sender has failed")
    await background.cancel(task, grace_seconds=10.0)
    assert (finished, task.cancelled()) == ([True], False)

    slow = background.start(wait_for_ever(), halt=lambda: None, failure="the sender has failed")
    await background.cancel(slow, grace_seconds=0.01)
    assert slow.cancelled()
