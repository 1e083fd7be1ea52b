"""Runs the scenario against the real services: posts its events to intake and steers the services' clock.

The clock moves on only when the whole system is quiescent, so that the speed of the demo makes no agency late.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx

from services.console.demo.quiescence import Quiescence
from services.console.demo.scenario import Event, Scenario, ScheduledPost
from services.runtime.clock import steer

ONE_DAY = timedelta(days=1)
STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"

# Called at each stop of the clock with the instant and what was posted at it.
OnStop = Callable[[datetime, Sequence[ScheduledPost]], None]


class PostRefusedError(Exception):
    """Intake refused a post of the scenario; the message is its answer. Read intake's log."""


class IntakeClient:
    """Posts events to intake, each with the key of its source, and stores the answers."""

    def __init__(self, http: httpx.AsyncClient, keys: Mapping[str, str]) -> None:
        self._http = http
        self._keys = keys
        self.answers: list[Mapping[str, Any]] = []

    async def post(self, post: ScheduledPost) -> None:
        """Post one event; raise `PostRefusedError` unless intake accepts it."""
        await self._send(post.event, STRUCTURED, self._keys[post.event["source"]])

    async def post_batch(self, events: Sequence[Event]) -> None:
        """Post *events* of one source as one batch, which intake accepts or refuses as a whole."""
        await self._send(list(events), BATCHED, self._keys[events[0]["source"]])

    async def _send(self, body: Event | list[Event], media_type: str, key: str) -> None:
        headers = {"content-type": media_type, "authorization": f"Bearer {key}"}
        answer = await self._http.post("/v1/events", json=body, headers=headers)
        if answer.status_code != httpx.codes.ACCEPTED:
            raise PostRefusedError(f"{answer.status_code}: {answer.text}")
        self.answers.append(answer.json())


class ScenarioRunner:
    """Moves one steered clock through the scenario.

    The clock stops where something is posted, where an alert falls due and, unless *max_step* is None, at every
    midnight plus *max_step*.
    """

    def __init__(
        self, clock: Path, intake: IntakeClient, quiescence: Quiescence, *, max_step: timedelta | None = ONE_DAY
    ) -> None:
        self._clock = clock
        self._intake = intake
        self._quiescence = quiescence
        self._max_step = max_step

    async def run(self, scenario: Scenario, on_stop: OnStop) -> None:
        """Run *scenario* to its end; call *on_stop* at each stop of the clock with what was posted there."""
        if scenario.archive:
            await self._intake.post_batch(scenario.archive)
        # The earlier years must be assessed before the clock moves, or agencies would be urged for reports that they
        # have sent long ago.
        next_alert_at = await self._quiescence.wait()
        pending = deque(scenario.posts)
        now = scenario.begins_at
        while now < scenario.ends_at:
            now = self._next_stop(now, pending, (scenario.ends_at, next_alert_at or scenario.ends_at))
            steer(self._clock, now)
            # Alerts that fall due at this instant go out before anything is posted at it.
            next_alert_at = await self._quiescence.wait()
            due = list(_pop_due(pending, now))
            for _, several in groupby(due, key=lambda post: post.event["source"]):
                await self._post(list(several))
            if due:
                next_alert_at = await self._quiescence.wait()
            on_stop(now, due)

    async def _post(self, posts: Sequence[ScheduledPost]) -> None:
        """Post what one source sends at one instant: one event by itself, several as a batch."""
        if len(posts) == 1:
            await self._intake.post(posts[0])
        else:
            await self._intake.post_batch([one.event for one in posts])

    def _next_stop(self, now: datetime, pending: deque[ScheduledPost], instants: Iterable[datetime]) -> datetime:
        """Return the first of *instants*, of the *pending* posts and of the longest step that lies after *now*."""
        stops = [one.astimezone(now.tzinfo) for one in instants]
        if self._max_step is not None:
            stops.append(now.replace(hour=0, minute=0, second=0, microsecond=0) + self._max_step)
        if pending:
            stops.append(pending[0].at)
        return min(stop for stop in stops if stop > now)


def _pop_due(pending: deque[ScheduledPost], now: datetime) -> Iterator[ScheduledPost]:
    while pending and pending[0].at <= now:
        yield pending.popleft()
