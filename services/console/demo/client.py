"""Plays the story to the real services: posts it over HTTP and moves the clock on from instant to instant.

It refuses to hurry: the clock moves only when everything said before has been heard, sent and told.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from services.console.demo.events import Event, Post
from services.console.demo.expected import CURTAIN_AT
from services.console.demo.quiescence import Rest
from services.console.demo.story import BEGINS_AT, Story
from services.runtime.clock import steer

ONE_DAY = timedelta(days=1)
STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"

Happened = Callable[[datetime, Sequence[Post]], None]


class NotTakenError(Exception):
    """Intake did not take a post of the story; the message is its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The bearer keys of the two upstream systems: those who report, and the authority that decides."""

    reports: str
    decisions: str


class Mailroom:
    """Posts events to intake and keeps the receipts."""

    def __init__(self, intake: httpx.AsyncClient, keys: Keys) -> None:
        self._intake = intake
        self._keys = keys
        self.answers: list[Mapping[str, Any]] = []

    async def post(self, post: Post) -> None:
        """Post one event; raise `NotTakenError` unless it is accepted."""
        key = self._keys.decisions if post.is_decision else self._keys.reports
        await self._send(post.event, STRUCTURED, key)

    async def post_batch(self, events: Sequence[Event]) -> None:
        """Post *events* as one batch, taken whole or not at all."""
        await self._send(list(events), BATCHED, self._keys.reports)

    async def _send(self, body: Event | list[Event], media_type: str, key: str) -> None:
        headers = {"content-type": media_type, "authorization": f"Bearer {key}"}
        answer = await self._intake.post("/v1/events", json=body, headers=headers)
        if answer.status_code != httpx.codes.ACCEPTED:
            raise NotTakenError(f"{answer.status_code}: {answer.text}")
        self.answers.append(answer.json())


class Player:
    """Moves one steered clock through the story. `every` is the distance of the stops that nothing asks for."""

    def __init__(self, clock: Path, mailroom: Mailroom, rest: Rest, *, every: timedelta | None = ONE_DAY) -> None:
        self._clock = clock
        self._mailroom = mailroom
        self._rest = rest
        self._every = every

    async def play(self, story: Story, happened: Happened) -> None:
        """Play *story* to its end; *happened* is told of each stop with what was posted there."""
        await self._mailroom.post_batch(story.archive)
        next_alert = await self._rest.settle()
        waiting = deque(story.posts)
        now = BEGINS_AT
        while now < CURTAIN_AT:
            now = self._next_stop(now, waiting, next_alert)
            steer(self._clock, now)
            next_alert = await self._rest.settle()
            posted = list(_due(waiting, now))
            for post in posted:
                await self._mailroom.post(post)
            if posted:
                next_alert = await self._rest.settle()
            happened(now, posted)

    def _next_stop(self, now: datetime, waiting: deque[Post], next_alert: datetime | None) -> datetime:
        stops = [CURTAIN_AT]
        if self._every is not None:
            stops.append(now.replace(hour=0, minute=0, second=0, microsecond=0) + self._every)
        if waiting:
            stops.append(waiting[0].at)
        if next_alert is not None:
            stops.append(next_alert.astimezone(now.tzinfo))
        return min(stop for stop in stops if stop > now)


def _due(waiting: deque[Post], now: datetime) -> Iterator[Post]:
    while waiting and waiting[0].at <= now:
        yield waiting.popleft()
