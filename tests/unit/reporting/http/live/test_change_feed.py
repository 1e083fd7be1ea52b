"""Who is told of which changes: those who listen, and those who were cut off, as far back as messages are kept."""

from contextlib import AbstractAsyncContextManager, ExitStack
from typing import Any

import pytest

from services.reporting.http.live import change_feed
from services.reporting.http.live.change_feed import (
    ChangedDuty,
    ChangeFeed,
    SubscriptionLostError,
    TooManySubscribersError,
)


class NoDatabase:
    """A database that nobody follows: the feed is told of changes directly."""

    database = "none"

    def watch_assessments(self, after: str | None) -> AbstractAsyncContextManager[Any]:
        del after
        raise AssertionError("nobody follows")


def a_feed(messages: int) -> ChangeFeed:
    """Build a feed that has seen so many messages, at the positions 0001, 0002 and so on."""
    feed = ChangeFeed(NoDatabase())
    feed.advance("0000", ())
    for number in range(1, messages + 1):
        tell(feed, number)
    return feed


def tell(feed: ChangeFeed, number: int) -> None:
    """Tell the feed of one change."""
    change = ChangedDuty(plan="p", agency="a", obligation="o", period="2026", revision=number)
    feed.advance(f"{number:04}", (change,))


def hear(feed: ChangeFeed, after: str | None) -> tuple[bool, list[str]]:
    """Return whether a reader who connects is told to load anew, and the positions of what it is told."""
    with feed.subscribe(after) as subscription:
        told = [subscription.queue.get_nowait().position for _ in range(subscription.queue.qsize())]
        return subscription.is_reset, told


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (None, (False, [])),
        ("0005", (False, [])),
        ("0003", (False, ["0004", "0005"])),
        ("0000", (False, ["0001", "0002", "0003", "0004", "0005"])),
        ("0006", (True, [])),
        ("", (True, [])),
    ],
)
def test_who_was_cut_off_hears_what_it_missed(after: str | None, expected: tuple[bool, list[str]]) -> None:
    """A position that the feed does not know, or will only reach, means to load anew."""
    assert hear(a_feed(5), after) == expected


def test_who_was_away_for_too_long_loads_anew() -> None:
    """What is no longer kept cannot be told, and of the rest no more than a connection may be behind."""
    feed = a_feed(change_feed.HISTORY + 10)
    assert hear(feed, "0009") == (True, [])
    assert hear(feed, "0011") == (True, [])
    assert hear(feed, f"{change_feed.HISTORY:04}") == (False, [f"{change_feed.HISTORY + n:04}" for n in range(1, 11)])


async def test_a_slow_reader_is_cut_off_and_keeps_nobody_waiting() -> None:
    """It gets what was waiting for it, then the connection ends; its position lets it resume."""
    feed = a_feed(0)
    with feed.subscribe(None) as slow, feed.subscribe(None) as fast:
        for number in range(1, 200):
            tell(feed, number)
            assert (await fast.receive(within_seconds=1)) is not None
        heard = [await slow.receive(within_seconds=1) for _ in range(slow.queue.qsize())]
        with pytest.raises(SubscriptionLostError):
            await slow.receive(within_seconds=1)
    assert 0 < len(heard) < 199


def test_no_more_readers_connect_than_a_process_holds() -> None:
    """The next one is refused, and let in as soon as somebody has left."""
    feed = a_feed(0)
    with ExitStack() as connected:
        for _ in range(change_feed.SUBSCRIBERS_MAX):
            connected.enter_context(feed.subscribe(None))
        with pytest.raises(TooManySubscribersError), feed.subscribe(None):
            pass
    assert hear(feed, None) == (False, [])


async def test_a_reader_waits_until_the_database_is_followed() -> None:
    """Told "ready" before, it would have no position to resume from, and would miss what changes meanwhile."""
    feed = ChangeFeed(NoDatabase())
    assert not await feed.wait_until_following(within_seconds=0.01)
    feed.advance("0001", ())
    assert await feed.wait_until_following(within_seconds=0.01)


async def test_nothing_new_is_no_message() -> None:
    """A second without a change only moves the position on."""
    feed = a_feed(1)
    with feed.subscribe(None) as subscription:
        feed.advance("0002", ())
        assert await subscription.receive(within_seconds=0.01) is None
    assert feed.position == "0002"
