"""The register of receipts: each event is taken once, and gets the same receipt however often it is sent.

Between the look-up and the reservation nothing awaits, so that two requests with one event cannot both be first.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from services.intake.core.digest import Receipt
from services.intake.core.refusals import Finding, Problem, Refusal, Said
from services.intake.core.stamps import Stamp, is_same_content, receiptid_of, receivedtime_of
from services.intake.http import RefusedError
from services.intake.memory import Memory
from services.intake.metrics import IntakeMetrics
from services.intake.records import Record, Registered

log = logging.getLogger(__name__)


class Keeper(Protocol):
    """Where records become durable."""

    async def keep(self, records: Sequence[Record]) -> None:
        """Return when no crash can lose them; raise `RefusedError` if that cannot be had now."""
        ...


class _Reserved(NamedTuple):
    """An identity that a request is making durable right now."""

    stamp: Stamp
    done: asyncio.Future[None]


class _Conflict(NamedTuple):
    """An event whose identity stands for other content."""

    place: int
    receipt: Receipt
    standing: Stamp


class Register:
    """Gives receipts."""

    def __init__(self, memory: Memory, keeper: Keeper, metrics: IntakeMetrics) -> None:
        self._memory = memory
        self._keeper = keeper
        self._metrics = metrics
        metrics.known.set_function(lambda: len(memory))
        self._reserved: dict[bytes, _Reserved] = {}

    async def enter(self, arrived: Sequence[Registered], *, is_batch: bool) -> list[Receipt]:
        """Return a receipt an event, in order; raise with 409 if any identity stands for other content.

        Repeated events get their first receipt and are not written again.
        """
        fresh, awaited = self._told_apart(arrived, is_batch=is_batch)
        if len(fresh) < len(arrived):
            self._metrics.repeats.inc(len(arrived) - len(fresh))
        if fresh:
            await self._keep(fresh)
        for other in awaited:
            await asyncio.shield(other)
        # Another replica may have been first while this one wrote: the log has decided for both.
        return self._first_receipts(arrived, is_batch=is_batch)

    def _told_apart(
        self, arrived: Sequence[Registered], *, is_batch: bool
    ) -> tuple[dict[bytes, Record], list[asyncio.Future[None]]]:
        """Return what nobody has sent before, by identity, and what to wait for of the rest."""
        fresh: dict[bytes, Record] = {}
        awaited: list[asyncio.Future[None]] = []
        conflicts: list[_Conflict] = []
        for place, one in enumerate(arrived):
            entry = one.record.entry
            standing = self._memory.find(entry.identity)
            if standing is None:
                reserved = self._reserved.get(entry.identity)
                if reserved is None:
                    standing = fresh.setdefault(entry.identity, one.record).entry.stamp
                else:
                    standing = reserved.stamp
                    awaited.append(reserved.done)
            if not is_same_content(standing, entry.stamp):
                conflicts.append(_Conflict(place, one.receipt, standing))
        _refuse(conflicts, is_batch=is_batch)
        return fresh, awaited

    async def _keep(self, fresh: dict[bytes, Record]) -> None:
        done = asyncio.get_running_loop().create_future()
        for identity, record in fresh.items():
            self._reserved[identity] = _Reserved(record.entry.stamp, done)
        try:
            await self._keeper.keep(tuple(fresh.values()))
        except BaseException as error:
            done.set_exception(error)
            done.exception()  # seen: there may be no other request that waits for it
            raise
        else:
            for record in fresh.values():
                self._memory.remember(record.entry)
            done.set_result(None)
        finally:
            for identity in fresh:
                del self._reserved[identity]

    def _first_receipts(self, arrived: Sequence[Registered], *, is_batch: bool) -> list[Receipt]:
        receipts: list[Receipt] = []
        conflicts: list[_Conflict] = []
        for place, one in enumerate(arrived):
            entry = one.record.entry
            standing = self._memory.find(entry.identity) or entry.stamp
            if standing == entry.stamp:
                receipts.append(one.receipt)
            elif is_same_content(standing, entry.stamp):
                receipts.append(replace(one.receipt, receivedtime=receivedtime_of(standing)))
            else:
                conflicts.append(_Conflict(place, one.receipt, standing))
        _refuse(conflicts, is_batch=is_batch)
        return receipts


def _refuse(conflicts: Sequence[_Conflict], *, is_batch: bool) -> None:
    if not conflicts:
        return
    for conflict in conflicts:
        _put_on_record(conflict)
    raise RefusedError(_refusal(_finding(one, is_batch=is_batch) for one in conflicts))


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


def _finding(conflict: _Conflict, *, is_batch: bool) -> Finding:
    standing = receiptid_of(conflict.standing)
    return Finding(
        pointer=f"/{conflict.place}/id" if is_batch else "/id",
        detail=Said(
            en=f"this source and id were received with other content as {standing}; send a correction under a new id",
            vi=f"nguồn và mã này đã được tiếp nhận với nội dung khác ({standing}); hãy gửi bản sửa đổi với mã mới",
        ),
    )


def _refusal(findings: Iterable[Finding]) -> Refusal:
    return Refusal(
        problem=Problem.CONFLICT,
        detail=Said(en="nothing was recorded", vi="chưa ghi nhận nội dung nào"),
        findings=tuple(findings),
    )
