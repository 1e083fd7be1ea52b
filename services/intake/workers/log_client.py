"""The event log as a worker sees it: appends are sent to the main process, which answers what became of them."""

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import assert_never

import msgspec

from services.intake.core.event_log import IdentityConflictError, LogUnavailableError
from services.intake.core.fact_record import DedupEntries, PartitionBatch, Stamp
from services.intake.workers.connection import MessageConnection
from services.intake.workers.protocol import (
    AppendReply,
    AppendRequest,
    ChargeReply,
    ChargeRequest,
    Conflicted,
    FromMain,
    Heartbeat,
    MainChecks,
    MetricsRequest,
    MetricsText,
    Plans,
    Sample,
    Unavailable,
)
from services.runtime.http.probes import EncodedMetrics

# A quarter of the silence after which the main process kills a worker: a single late heartbeat ends nothing.
HEARTBEAT_SECONDS = 0.5

Reply = AppendReply | Conflicted | Unavailable | ChargeReply | MetricsText


class MainProcessLostError(Exception):
    """The main process is gone; the worker ends, and its clients come back to the next one."""


class LogClient:
    """A worker's connection to the main process."""

    def __init__(self, on_plans: Callable[[bytes], None]) -> None:
        self._on_plans = on_plans
        self._connection: MessageConnection[FromMain] | None = None
        self._replies: dict[int, asyncio.Future[Reply]] = {}
        self._numbers = count(1)
        self._has_plans = asyncio.Event()
        self.checks: Mapping[str, bool] = {}
        """Which checks of the main process hold."""

    async def connect(self, end: socket.socket) -> None:
        """Connect through *end* of a socket pair; return once the main process has sent the plans."""
        decoder: msgspec.msgpack.Decoder[FromMain] = msgspec.msgpack.Decoder(FromMain)
        loop = asyncio.get_running_loop()
        _, self._connection = await loop.create_unix_connection(
            lambda: MessageConnection(decoder, self._on_message), sock=end
        )
        await self._has_plans.wait()

    async def run(self, collect: Callable[[], Sequence[Sample]]) -> None:
        """Send heartbeats with the metrics of *collect* until cancelled; raise if the main process is gone."""
        connection = self._require_connection()
        while not connection.closed.done():
            connection.send(Heartbeat(collect()))
            # `wait` and not `wait_for`, which would cancel the future of the connection at each timeout.
            await asyncio.wait([connection.closed], timeout=HEARTBEAT_SECONDS)
        # The main process may have written what it did not answer. The clients get 503 and send again, and the next
        # process recognises their events by their identity.
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(LogUnavailableError())
        raise MainProcessLostError

    async def append(self, batches: Sequence[PartitionBatch]) -> Mapping[bytes, Stamp] | None:
        """Append through the main process; see `cloudevents.pipeline.EventLog.append`."""
        number = next(self._numbers)
        return _first_stamps(await self._ask(number, AppendRequest(number, batches)))

    async def check_conflicts(self, batches: Sequence[PartitionBatch]) -> None:
        """Raise `IdentityConflictError` where `append` would."""
        number = next(self._numbers)
        _first_stamps(await self._ask(number, AppendRequest(number, batches, is_check=True)))

    async def fetch_metrics(self, accept: str) -> EncodedMetrics:
        """Return the metrics of all processes as *accept* asks for them."""
        number = next(self._numbers)
        reply = await self._ask(number, MetricsRequest(number, accept))
        if not isinstance(reply, MetricsText):
            raise LogUnavailableError
        return EncodedMetrics(content=reply.content, content_type=reply.content_type)

    async def charge(self, key_id: str, events_per_second: float, events: int) -> float:
        """Charge events to a key; see `http.limits.TokenBuckets.charge`.

        Raise `LogUnavailableError` if the main process does not answer.
        """
        number = next(self._numbers)
        reply = await self._ask(number, ChargeRequest(number, key_id, events_per_second, events))
        if not isinstance(reply, ChargeReply):
            raise LogUnavailableError
        return reply.wait_seconds

    async def _ask(self, number: int, message: AppendRequest | ChargeRequest | MetricsRequest) -> Reply:
        connection = self._require_connection()
        if connection.closed.done():
            raise LogUnavailableError
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._replies[number] = reply
        connection.send(message)
        try:
            return await reply
        finally:
            del self._replies[number]

    def _on_message(self, message: FromMain) -> None:
        match message:
            case AppendReply() | Conflicted() | Unavailable() | ChargeReply() | MetricsText():
                reply = self._replies.get(message.number)
                if reply is not None and not reply.done():  # else the client of the request has gone
                    reply.set_result(message)
            case Plans():
                self._on_plans(message.snapshot)
                self._has_plans.set()
            case MainChecks():
                self.checks = message.holds
            case _:
                assert_never(message)

    def _require_connection(self) -> "MessageConnection[FromMain]":
        if self._connection is None:
            raise RuntimeError("the worker is not connected yet")
        return self._connection


def _first_stamps(reply: Reply) -> Mapping[bytes, Stamp] | None:
    match reply:
        case AppendReply():
            return None if reply.first is None else _stamps(reply.first)
        case Conflicted():
            raise IdentityConflictError(_stamps(reply.standing))
        case Unavailable() | ChargeReply() | MetricsText():
            raise LogUnavailableError
        case _:
            assert_never(reply)


def _stamps(entries: DedupEntries) -> dict[bytes, Stamp]:
    return dict(zip(entries.identities, entries.stamps, strict=True))
