"""The register of receipts: each event is taken once, and gets the same receipt however often it is sent.

Between the look-up and the reservation nothing awaits, so that two requests with one event cannot both be first.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from services.intake.core.digest import Receipt
from services.intake.core.refusals import Finding, Problem, Refusal, Said
from services.intake.http import RefusedError
from services.intake.memory import Known, Memory
from services.intake.metrics import IntakeMetrics
from services.intake.records import Record

log = logging.getLogger(__name__)


class Keeper(Protocol):
    """Where records become durable."""

    async def keep(self, records: Sequence[Record]) -> None:
        """Return when no crash can lose them; raise `RefusedError` if that cannot be had now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reserved:
    """An identity that another request is making durable right now."""

    known: Known
    done: asyncio.Future[None]


class Register:
    """Gives receipts."""

    def __init__(self, memory: Memory, keeper: Keeper, metrics: IntakeMetrics) -> None:
        self._memory = memory
        self._keeper = keeper
        self._metrics = metrics
        metrics.known.set_function(lambda: len(memory))
        self._reserved: dict[bytes, _Reserved] = {}

    async def enter(self, records: Sequence[Record], *, is_batch: bool) -> tuple[Receipt, ...]:
        """Return a receipt a record, in order; raise with 409 if any identity stands for other content.

        Repeated events get their first receipt and are not written again.
        """
        self._refuse_conflicts(records, is_batch=is_batch)
        fresh: dict[bytes, Record] = {}
        awaited: list[asyncio.Future[None]] = []
        for record in records:
            reserved = self._reserved.get(record.identity)
            if reserved is not None:
                awaited.append(reserved.done)
            elif self._memory.find(record.identity) is None:
                fresh.setdefault(record.identity, record)
        self._metrics.repeats.inc(len(records) - len(fresh))
        if fresh:
            await self._keep(fresh)
        for other in awaited:
            await asyncio.shield(other)
        # Another replica may have been first with other content while this one wrote: the log has decided for both.
        self._refuse_conflicts(records, is_batch=is_batch)
        return tuple(self._first(record.receipt, record.identity) for record in records)

    def _first(self, receipt: Receipt, identity: bytes) -> Receipt:
        known = self._memory.find(identity)
        if known is None or known.receivedtime == receipt.receivedtime:
            return receipt
        return replace(receipt, receivedtime=known.receivedtime)

    async def _keep(self, fresh: dict[bytes, Record]) -> None:
        done = asyncio.get_running_loop().create_future()
        for identity, record in fresh.items():
            self._reserved[identity] = _Reserved(known=_known(record), done=done)
        try:
            await self._keeper.keep(tuple(fresh.values()))
        except BaseException as error:
            done.set_exception(error)
            done.exception()  # seen: there may be no other request that waits for it
            raise
        else:
            for identity, record in fresh.items():
                self._memory.remember(identity, _known(record))
            done.set_result(None)
        finally:
            for identity in fresh:
                del self._reserved[identity]

    def _refuse_conflicts(self, records: Sequence[Record], *, is_batch: bool) -> None:
        seen: dict[bytes, str] = {}
        conflicts = []
        for index, record in enumerate(records):
            standing = self._standing(record.identity) or seen.setdefault(record.identity, record.receipt.receiptid)
            if standing != record.receipt.receiptid:
                conflicts.append((f"/{index}" if is_batch else "", record, standing))
        if conflicts:
            for _, record, standing in conflicts:
                _put_on_record(record, standing)
            raise RefusedError(_conflict(_finding(prefix, standing) for prefix, _, standing in conflicts))

    def _standing(self, identity: bytes) -> str | None:
        known = self._memory.find(identity)
        if known is not None:
            return known.receiptid
        reserved = self._reserved.get(identity)
        return None if reserved is None else reserved.known.receiptid


def _known(record: Record) -> Known:
    return Known(receiptid=record.receipt.receiptid, receivedtime=record.receipt.receivedtime)


def _put_on_record(record: Record, standing: str) -> None:
    log.warning(
        "an identity was sent again with other content",
        extra={
            "action": "conflict",
            "source": record.receipt.source,
            "event": record.receipt.id,
            "standing": standing,
            "refused": record.receipt.receiptid,
        },
    )


def _finding(prefix: str, standing: str) -> Finding:
    return Finding(
        pointer=f"{prefix}/id",
        detail=Said(
            en=f"this source and id were received with other content as {standing}; send a correction under a new id",
            vi=f"nguồn và mã này đã được tiếp nhận với nội dung khác ({standing}); hãy gửi bản sửa đổi với mã mới",
        ),
    )


def _conflict(findings: Iterable[Finding]) -> Refusal:
    return Refusal(
        problem=Problem.CONFLICT,
        detail=Said(en="nothing was recorded", vi="chưa ghi nhận nội dung nào"),
        findings=tuple(findings),
    )
