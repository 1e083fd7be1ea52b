"""The main process's side of one worker: its appends are deduplicated and written here, its keys charged."""

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import assert_never

import msgspec

from services.intake.cloudevents.pipeline import EventLog
from services.intake.core.event_log import IdentityConflictError, LogUnavailableError
from services.intake.core.fact_record import DedupEntries, Stamp
from services.intake.workers.connection import MessageConnection
from services.intake.workers.metrics_merge import MergedMetrics
from services.intake.workers.protocol import (
    AppendReply,
    AppendRequest,
    ChargeReply,
    ChargeRequest,
    Conflicted,
    FromMain,
    FromWorker,
    Heartbeat,
    MainChecks,
    MetricsRequest,
    MetricsText,
    Plans,
    Unavailable,
)
from services.runtime.http import probes

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MainServices:
    """What the main process does for its workers."""

    event_log: EventLog
    metrics: MergedMetrics
    encode_plans: Callable[[], bytes]
    run_checks: Callable[[], dict[str, bool]]
    charge: Callable[[str, float, int], float]
    """Charge events to the rate of a key (`http.limits.TokenBuckets.charge`)."""


class WorkerLink:
    """One worker as the main process sees it."""

    def __init__(self, services: MainServices) -> None:
        self._services = services
        self._decoder: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)
        self._connection: MessageConnection[FromWorker] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done with the first heartbeat: the worker serves requests."""

    async def connect(self, end: socket.socket) -> None:
        """Take *end* of the socket pair whose other end the worker has."""
        loop = asyncio.get_running_loop()
        _, self._connection = await loop.create_unix_connection(
            lambda: MessageConnection(self._decoder, self._on_message), sock=end
        )

    @property
    def connection(self) -> "MessageConnection[FromWorker]":
        if self._connection is None:
            raise RuntimeError("the worker is not connected yet")
        return self._connection

    def send(self, message: Plans | MainChecks) -> None:
        """Send what the worker must know."""
        self.connection.send(message)

    def abort(self) -> None:
        """Close the connection at once."""
        if self._connection is not None:
            self._connection.abort()

    def seconds_silent(self) -> float:
        """Return for how long nothing was heard of the worker."""
        return asyncio.get_running_loop().time() - self.connection.received_at

    def _on_message(self, message: FromWorker) -> None:
        match message:
            case AppendRequest():
                # A task each, because one append may wait for the broker while the next is answered from memory.
                task = asyncio.create_task(self._append(message))
                # Kept, because the event loop itself holds only a weak reference to a task.
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case Heartbeat():
                self._services.metrics.update(id(self), message.samples)
                if not self.started.done():
                    self.started.set_result(None)
            case ChargeRequest(number=number, key_id=key_id, events_per_second=rate, events=events):
                self.connection.send(ChargeReply(number, self._services.charge(key_id, rate, events)))
            case MetricsRequest(number=number, accept=accept):
                found = probes.encode_metrics(self._services.metrics, accept)
                self.connection.send(MetricsText(number, found.content, found.content_type))
            case _:
                assert_never(message)

    async def _append(self, request: AppendRequest) -> None:
        self.connection.send(await self._find_answer(request))

    async def _find_answer(self, request: AppendRequest) -> FromMain:
        event_log = self._services.event_log
        try:
            if request.is_check:
                await event_log.check_conflicts(request.batches)
                return AppendReply(request.number, None)
            first = await event_log.append(request.batches)
        except IdentityConflictError as error:
            return Conflicted(request.number, _entries(error.standing))
        except LogUnavailableError:
            return Unavailable(request.number)
        except Exception:
            # The sender gets 503 and comes again, as after any append whose outcome is not known.
            log.exception("an append of a worker failed", extra={"action": "append_failed"})
            return Unavailable(request.number)
        return AppendReply(request.number, None if first is None else _entries(first))


def _entries(stamps: Mapping[bytes, Stamp]) -> DedupEntries:
    return DedupEntries(list(stamps), list(stamps.values()))
