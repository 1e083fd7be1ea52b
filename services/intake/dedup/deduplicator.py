"""The register of receipts: each event is taken once, and gets the same receipt however often it is sent.

Between the look-up and the reservation nothing awaits, so that two requests with one event cannot both be first.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from services.intake.asgi import RequestRefusedError
from services.intake.cloudevents import pipeline
from services.intake.cloudevents.pipeline import Issued
from services.intake.core.dedup_entry import Stamp, receiptid_of
from services.intake.core.event_id import Receipt, identity_of
from services.intake.core.problems import FieldError, Refusal, RequestProblem, Said
from services.intake.dedup.recent_events import Memory
from services.intake.log.records import Lot
from services.intake.metrics import IntakeMetrics
from services.intake.receipts.signing import SigningKeys

log = logging.getLogger(__name__)


class Keeper(Protocol):
    """Where records become durable."""

    async def keep(self, fresh: Sequence[Lot]) -> None:
        """Return when no crash can lose them; raise `RequestRefusedError` if that cannot be had now."""
        ...


class _Reserved:
    """What a request is making durable right now: stamps by identity. Others may wait for it, and hardly ever do."""

    __slots__ = ("_done", "stamps")

    def __init__(self, stamps: Mapping[bytes, Stamp]) -> None:
        self.stamps = stamps
        self._done: asyncio.Future[None] | None = None

    def done(self) -> asyncio.Future[None]:
        """Return what ends when this is durable, or fails as it did."""
        if self._done is None:
            self._done = asyncio.get_running_loop().create_future()
        return self._done

    def end(self, error: BaseException | None = None) -> None:
        """Tell whoever waits."""
        if self._done is None:
            return
        if error is None:
            self._done.set_result(None)
        else:
            self._done.set_exception(error)
            self._done.exception()  # seen: who waited may have gone


class _Sorted(NamedTuple):
    """What of a request nobody has sent before, and what to wait for of the rest."""

    fresh: Sequence[Lot]
    awaited: Sequence[asyncio.Future[None]]


class Register:
    """Gives receipts."""

    def __init__(self, memory: Memory, keeper: Keeper, signing_keys: SigningKeys, metrics: IntakeMetrics) -> None:
        self._memory = memory
        self._keeper = keeper
        self._signing_keys = signing_keys
        self._metrics = metrics
        metrics.known.set_function(lambda: len(memory))
        self._reserved: dict[bytes, _Reserved] = {}

    async def enter(self, issued: Issued, *, is_batch: bool) -> bytes:
        """Return the answer with a receipt an event; raise with 409 if any identity stands for other content.

        Repeated events get their first receipt and are not written again.
        """
        stamps = _stamps(issued.lots)
        if self._are_new(stamps, len(issued)):
            await self._keep(issued.lots, stamps)
        else:
            await self._keep_rest(issued, is_batch=is_batch)
        # Another replica may have been first while this one wrote: the log has decided for both.
        if self._memory.has_just(stamps):
            return issued.answer
        return self._answer_anew(issued, stamps, is_batch=is_batch)

    def refuse_conflicts(self, issued: Issued, *, is_batch: bool) -> None:
        """Raise with 409 where `enter` would by what is known now; nothing is entered."""
        self._sorted(issued, is_batch=is_batch)

    def _are_new(self, stamps: Mapping[bytes, Stamp], events: int) -> bool:
        """Whether each is there once, nobody sent it before, and nobody is sending it now: nearly always."""
        return len(stamps) == events and self._memory.knows_none_of(stamps) and self._reserved.keys().isdisjoint(stamps)

    async def _keep_rest(self, issued: Issued, *, is_batch: bool) -> None:
        fresh, awaited = self._sorted(issued, is_batch=is_batch)
        self._metrics.repeats.inc(len(issued) - sum(map(len, fresh)))
        if fresh:
            await self._keep(fresh, _stamps(fresh))
        for other in awaited:
            await asyncio.shield(other)

    def _sorted(self, issued: Issued, *, is_batch: bool) -> _Sorted:
        fresh: set[bytes] = set()
        awaited: list[asyncio.Future[None]] = []
        standing: dict[bytes, Stamp] = {}
        for identity, stamp in pipeline.entries_of(issued):
            known = self._memory.find(identity)
            reserved = self._reserved.get(identity)
            if known is not None:
                standing[identity] = known
            elif reserved is not None:
                standing[identity] = reserved.stamps[identity]
                awaited.append(reserved.done())
            else:
                standing.setdefault(identity, stamp)
                fresh.add(identity)
        _refuse_conflicts(issued, standing, is_batch=is_batch)
        lots = [lot.first_of(fresh) for lot in issued.lots]
        return _Sorted([lot for lot in lots if len(lot)], awaited)

    async def _keep(self, fresh: Sequence[Lot], stamps: Mapping[bytes, Stamp]) -> None:
        reserved = _Reserved(stamps)
        self._reserved.update(dict.fromkeys(stamps, reserved))
        try:
            await self._keeper.keep(fresh)
        except BaseException as error:
            reserved.end(error)
            raise
        else:
            self._memory.remember(stamps)
            reserved.end()
        finally:
            for identity in stamps:
                del self._reserved[identity]

    def _answer_anew(self, issued: Issued, given: Mapping[bytes, Stamp], *, is_batch: bool) -> bytes:
        first = {identity: self._memory.find(identity) or stamp for identity, stamp in given.items()}
        _refuse_conflicts(issued, first, is_batch=is_batch)
        return pipeline.answer_anew(issued, first, self._signing_keys.signer)


def _stamps(lots: Iterable[Lot]) -> dict[bytes, Stamp]:
    """Return the stamp of each identity in *lots*."""
    stamps: dict[bytes, Stamp] = {}
    for lot in lots:
        stamps.update(zip(lot.entries.identities, lot.entries.stamps, strict=True))
    return stamps


class _Conflict(NamedTuple):
    """An event whose identity stands for other content."""

    place: int
    receipt: Receipt
    standing: Stamp


def _refuse_conflicts(issued: Issued, standing: Mapping[bytes, Stamp], *, is_batch: bool) -> None:
    conflicts = list(_conflicts(issued, standing))
    for conflict in conflicts:
        _put_on_record(conflict)
    if conflicts:
        raise RequestRefusedError(_refusal(_finding(one, is_batch=is_batch) for one in conflicts))


def _conflicts(issued: Issued, standing: Mapping[bytes, Stamp]) -> Iterator[_Conflict]:
    for place, receipt in enumerate(pipeline.receipts_of(issued)):
        stands = standing[identity_of(receipt.source, receipt.id)]
        if receipt.receiptid != receiptid_of(stands):
            yield _Conflict(place, receipt, stands)


def _put_on_record(conflict: _Conflict) -> None:
    log.warning(
        "an identity was sent again with other content",
        extra={
            "action": "conflict",
            "source": conflict.receipt.source,
            "event": conflict.receipt.id,
            "standing": receiptid_of(conflict.standing),
            "refused": conflict.receipt.receiptid,
        },
    )


def _finding(conflict: _Conflict, *, is_batch: bool) -> FieldError:
    standing = receiptid_of(conflict.standing)
    return FieldError(
        pointer=f"/{conflict.place}/id" if is_batch else "/id",
        detail=Said(
            en=f"this source and id were received with other content as {standing}; send a correction under a new id",
            vi=f"nguồn và mã này đã được tiếp nhận với nội dung khác ({standing}); hãy gửi bản sửa đổi với mã mới",
        ),
    )


def _refusal(errors: Iterable[FieldError]) -> Refusal:
    return Refusal(
        problem=RequestProblem.CONFLICT,
        detail=Said(en="nothing was recorded", vi="chưa ghi nhận nội dung nào"),
        errors=tuple(errors),
    )
