"""Write each event once, however often it is sent, and give every repetition the stamp of the first.

Between looking an identity up and reserving it nothing awaits, so two requests with the same event cannot both be the
first. Events are known for at least `DONDOC_INTAKE_DEDUP_HOURS`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from services.intake.core.event_log import IdentityConflictError
from services.intake.core.fact_record import PartitionBatch, Stamp, is_same_content, stamps_by_identity
from services.intake.dedup import restamping
from services.intake.dedup.recent_events import RecentEvents
from services.intake.metrics import IntakeMetrics


class DurableStore(Protocol):
    """Where records become durable (`log.durable_writer`)."""

    async def append(self, batches: Sequence[PartitionBatch]) -> None:
        """Return when no crash can lose the records; raise `LogUnavailableError` if that cannot be had now."""
        ...


class _Reservation:
    """The stamps that one request is making durable; other requests with the same events wait for it."""

    __slots__ = ("_done", "stamps")

    def __init__(self, stamps: Mapping[bytes, Stamp]) -> None:
        self.stamps = stamps
        self._done: asyncio.Future[None] | None = None

    def wait(self) -> asyncio.Future[None]:
        """Return a future that ends as this reservation does; made on demand, for hardly any request is waited for."""
        if self._done is None:
            self._done = asyncio.get_running_loop().create_future()
        return self._done

    def end(self, error: BaseException | None = None) -> None:
        """Tell the requests that wait."""
        if self._done is None:
            return
        if error is None:
            self._done.set_result(None)
        else:
            self._done.set_exception(error)
            self._done.exception()  # marks it as retrieved: the request that waited may have gone


class _Split(NamedTuple):
    """The new records of a request, and the reservations of others that hold the rest."""

    new: Sequence[PartitionBatch]
    awaited: Sequence[asyncio.Future[None]]


class Deduplicator:
    """The event log as requests see it: appends what is new, and recognises what is not."""

    def __init__(
        self,
        recent: RecentEvents,
        store: DurableStore,
        wait_until_loaded: Callable[[], Awaitable[None]],
        metrics: IntakeMetrics,
    ) -> None:
        """*wait_until_loaded* returns when the recent events were read from the log, or the broker is away."""
        self._recent = recent
        self._store = store
        self._wait_until_loaded = wait_until_loaded
        self._is_loaded = False
        self._metrics = metrics
        metrics.known.set_function(lambda: len(recent))
        self._reservations: dict[bytes, _Reservation] = {}

    async def append(self, batches: Sequence[PartitionBatch]) -> Mapping[bytes, Stamp] | None:
        """Write the events of *batches* that are new; return None if all were, else the first stamp of each identity.

        Raise `IdentityConflictError` or `LogUnavailableError`; then nothing of *batches* was written.
        """
        if not self._is_loaded:
            await self._load()
        stamps = stamps_by_identity(batches)
        # From here to the reservation in `_write` nothing awaits. An await between them would let a second request with
        # the same event look it up before the first has reserved it. The usual case comes first: no event stands twice
        # in the request, was seen before, or is being written now.
        if (
            len(stamps) == sum(map(len, batches))
            and self._recent.knows_none_of(stamps)
            and self._reservations.keys().isdisjoint(stamps)
        ):
            await self._write(batches, stamps)
        else:
            await self._write_new(batches)
        # Another replica may have written the same event first while this one wrote. The log decides for both: what
        # it holds first is in `recent` by now, because the writer waits for the log reader.
        if self._recent.are_latest(stamps):
            return None
        first = {identity: self._recent.find(identity) or stamp for identity, stamp in stamps.items()}
        _refuse_conflicts(batches, first)
        return first

    async def check_conflicts(self, batches: Sequence[PartitionBatch]) -> None:
        """Raise `IdentityConflictError` where `append` would by what is known now."""
        if not self._is_loaded:
            await self._load()
        self._split(batches)

    async def _load(self) -> None:
        """Wait at the start of the process: without the log, an event of yesterday would look new."""
        await self._wait_until_loaded()
        self._is_loaded = True

    async def _write_new(self, batches: Sequence[PartitionBatch]) -> None:
        new, awaited = self._split(batches)
        self._metrics.repeats.inc(sum(map(len, batches)) - sum(map(len, new)))
        if new:
            await self._write(new, stamps_by_identity(new))
        for other in awaited:
            # The other request must not be cancelled when this client goes away.
            await asyncio.shield(other)

    def _split(self, batches: Sequence[PartitionBatch]) -> _Split:
        new: set[bytes] = set()
        awaited: list[asyncio.Future[None]] = []
        standing: dict[bytes, Stamp] = {}
        for identity in stamps_by_identity(batches):
            known = self._recent.find(identity)
            reservation = self._reservations.get(identity)
            if reservation is not None:
                standing[identity] = reservation.stamps[identity]
                awaited.append(reservation.wait())
            elif known is None:
                new.add(identity)
            else:
                standing[identity] = known
                if self._recent.is_missing(identity):
                    # The log has lost the event. It is written again, with the receipt that its sender holds.
                    new.add(identity)
        _refuse_conflicts(batches, standing)
        selected = [restamping.restamp(batch.select_first(new), standing) for batch in batches]
        return _Split([batch for batch in selected if batch.values], awaited)

    async def _write(self, batches: Sequence[PartitionBatch], stamps: Mapping[bytes, Stamp]) -> None:
        reservation = _Reservation(stamps)
        self._reservations.update(dict.fromkeys(stamps, reservation))
        try:
            await self._store.append(batches)
        except BaseException as error:
            reservation.end(error)
            raise
        else:
            # Known before the reservation ends, so that no request can find the events neither reserved nor known.
            self._recent.add_durable(stamps)
            reservation.end()
        finally:
            for identity in stamps:
                del self._reservations[identity]


def _refuse_conflicts(batches: Iterable[PartitionBatch], standing: Mapping[bytes, Stamp]) -> None:
    """Raise if an identity in *batches* differs in content from what is *standing*, or from itself in *batches*."""
    seen = dict(standing)
    for batch in batches:
        for identity, stamp in zip(batch.entries.identities, batch.entries.stamps, strict=True):
            if not is_same_content(seen.setdefault(identity, stamp), stamp):
                raise IdentityConflictError(standing)
