"""Tell connected readers which duties have changed, as soon as the database has their new assessments.

One watcher a process follows the database, whichever process stored a record, and hands each message to every
subscriber. Its position is the database's own, so that a reader who was cut off resumes at any process. Messages and
subscribers are bounded: whoever is too slow or too late is told to load everything again.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from services.reporting.store import DatabaseRefusedError, DatabaseUnavailableError
from services.runtime import mongo

HISTORY = 1_000  # messages that somebody who was cut off can still be given, at one a second more than a quarter hour
SUBSCRIBERS_MAX = 100  # each holds a connection and a queue
_QUEUE = 100  # messages that a slow connection may be behind
_CHANGES_MAX = 5_000  # that one message tells of
_PACE_SECONDS = 1.0
_RETRY_SECONDS = 2.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedDuty:
    """A duty whose assessment has a new revision."""

    plan: str
    agency: str
    obligation: str
    period: str | None
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMessage:
    """The duties that changed within a second. `position` sorts as time does; "" and no change only ask to reload."""

    position: str
    changes: tuple[ChangedDuty, ...] = ()


class TooManySubscribersError(Exception):
    """As many readers are connected as one process holds; try again later, or at another process."""


class SubscriptionLostError(Exception):
    """The reader was too slow to be told everything; connect again."""


class ChangeStream(Protocol):
    """A change stream of the database; `try_next` waits for half a second at most."""

    @property
    def alive(self) -> bool: ...
    @property
    def resume_token(self) -> Mapping[str, Any] | None: ...
    async def try_next(self) -> Mapping[str, Any] | None: ...


class ChangeSource(Protocol):
    """Opens the change stream of new assessments of a database from a position on, or from now on."""

    @property
    def database(self) -> str: ...
    def watch_assessments(self, after: str | None) -> AbstractAsyncContextManager[ChangeStream]: ...


@dataclass(slots=True, eq=False)
class ChangeSubscription:
    """What one connected reader is still to be told, from the position `starts_at` on.

    `is_reset` says that something that it has missed is gone.
    """

    starts_at: str
    is_reset: bool
    queue: "asyncio.Queue[ChangeMessage]" = field(default_factory=lambda: asyncio.Queue(_QUEUE))
    is_lost: bool = False

    async def receive(self, *, within_seconds: float) -> ChangeMessage | None:
        """Return the next message, or None if none comes in that time; raise `SubscriptionLostError`."""
        if self.is_lost and self.queue.empty():
            raise SubscriptionLostError
        try:
            async with asyncio.timeout(within_seconds):
                return await self.queue.get()
        except TimeoutError:
            return None


class ChangeFeed:
    """The watcher and its subscribers."""

    def __init__(self, source: ChangeSource) -> None:
        self._source = source
        self._history: deque[ChangeMessage] = deque(maxlen=HISTORY)
        self._oldest = ""
        self._subscriptions: set[ChangeSubscription] = set()
        self._is_following = asyncio.Event()
        self.position = ""

    @property
    def subscribers(self) -> int:
        """The number of connected readers."""
        return len(self._subscriptions)

    @property
    def is_full(self) -> bool:
        """Whether no further reader may connect."""
        return self.subscribers >= SUBSCRIBERS_MAX

    async def run(self) -> None:
        """Follow the database until cancelled; while it is away, try again."""
        while True:
            try:
                await self._follow()
            except DatabaseRefusedError as cause:
                # Usually it does not reach back to the position: its log of operations has rolled over.
                self._lose_history(str(cause))
            except DatabaseUnavailableError as cause:
                log.warning("changes cannot be followed", extra={"action": "changes_lost", "error": str(cause)})
            await asyncio.sleep(_RETRY_SECONDS)

    async def wait_until_following(self, *, within_seconds: float) -> bool:
        """Return whether the database is followed in that time, so that a subscriber has a position to resume from."""
        try:
            async with asyncio.timeout(within_seconds):
                return await self._is_following.wait()
        except TimeoutError:
            return False

    @contextmanager
    def subscribe(self, after: str | None) -> Iterator[ChangeSubscription]:
        """Subscribe from the message behind *after* on, or from now on; raise `TooManySubscribersError`."""
        if self.is_full:
            raise TooManySubscribersError
        missed = self._find_missed(after)
        starts_at = after if after and missed else self.position
        subscription = ChangeSubscription(starts_at=starts_at, is_reset=missed is None)
        for message in missed or ():
            subscription.queue.put_nowait(message)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    async def _follow(self) -> None:
        """Advance once a second until the stream ends, which it does where the collection is dropped."""
        errors = mongo.translate_errors(unavailable=DatabaseUnavailableError, refused=DatabaseRefusedError)
        database = self._source.database
        async with errors, self._source.watch_assessments(self.position or None) as stream:
            while stream.alive:
                if self._source.database != database:
                    # Positions are those of one database. Readers load once more, and miss nothing.
                    self._lose_history(f"{self._source.database} answers in place of {database}")
                    return
                changes: list[ChangedDuty] = []
                while len(changes) < _CHANGES_MAX and (change := await stream.try_next()) is not None:
                    changes.append(ChangedDuty(**change["fullDocument"]))
                if stream.resume_token is not None:
                    self.advance(stream.resume_token["_data"], changes)
                # One message a second, so that a batch of thousands is a few messages.
                await asyncio.sleep(_PACE_SECONDS)

    def _find_missed(self, after: str | None) -> list[ChangeMessage] | None:
        """Return the messages behind *after*; None where they are not known, or more than a connection may be behind.

        Positions are compared as text, which is how MongoDB orders them.
        """
        if after is None:
            return []
        if not self._oldest <= after <= self.position:
            return None
        missed = [one for one in self._history if one.position > after]
        return missed if len(missed) <= _QUEUE else None

    def advance(self, position: str, changes: Sequence[ChangedDuty]) -> None:
        """Tell every subscriber of *changes*, with which the database has reached *position*."""
        self._oldest = self._oldest or position
        self.position = position
        self._is_following.set()
        if not changes:
            return
        if len(self._history) == HISTORY:
            # What is dropped now, somebody who has seen less can no longer be told.
            self._oldest = self._history[0].position
        message = ChangeMessage(position=position, changes=tuple(changes))
        self._history.append(message)
        for subscription in self._subscriptions:
            self._hand_over(subscription, message)

    def _lose_history(self, error: str) -> None:
        log.warning("changes before now are lost", extra={"action": "changes_reset", "error": error})
        self._history.clear()
        self._oldest = self.position = ""
        self._is_following.clear()
        for subscription in self._subscriptions:
            self._hand_over(subscription, ChangeMessage(position=""))

    @staticmethod
    def _hand_over(subscription: ChangeSubscription, message: ChangeMessage) -> None:
        try:
            subscription.queue.put_nowait(message)
        except asyncio.QueueFull:
            subscription.is_lost = True
