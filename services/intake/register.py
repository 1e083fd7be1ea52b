"""The register of receipts: each event is taken once, and gets the same receipt however often it is sent.

Between the look-up and the reservation nothing awaits, so that two requests with one event cannot both be first.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from services.intake import issuing
from services.intake.core.digest import Receipt
from services.intake.core.refusals import Finding, Problem, Refusal, Said
from services.intake.core.stamps import Stamp, is_same_content, receiptid_of
from services.intake.http import RefusedError
from services.intake.issuing import Issued
from services.intake.memory import Memory
from services.intake.metrics import IntakeMetrics
from services.intake.receipts import SigningKeys
from services.intake.records import Record

log = logging.getLogger(__name__)


class Keeper(Protocol):
    """Where records become durable."""

    async def keep(self, records: Sequence[Record]) -> None:
        """Return when no crash can lose them; raise `RefusedError` if that cannot be had now."""
        ...


class _Reserved(NamedTuple):
    """What a request is making durable right now: stamps by identity."""

    stamps: Mapping[bytes, Stamp]
    done: asyncio.Future[None]


class _Sorted(NamedTuple):
    """The records of a request that nobody has sent before, and what to wait for of the rest."""

    fresh: Sequence[Record]
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
        fresh, awaited = self._sorted(issued, is_batch=is_batch)
        if len(fresh) < len(issued.records):
            self._metrics.repeats.inc(len(issued.records) - len(fresh))
        if fresh:
            await self._keep(fresh)
        for other in awaited:
            await asyncio.shield(other)
        # Another replica may have been first while this one wrote: the log has decided for both.
        return self._answer(issued, is_batch=is_batch)

    def refuse_conflicts(self, issued: Issued, *, is_batch: bool) -> None:
        """Raise with 409 where `enter` would by what is known now; nothing is entered."""
        self._sorted(issued, is_batch=is_batch)

    def _sorted(self, issued: Issued, *, is_batch: bool) -> _Sorted:
        identities = [one.entry.identity for one in issued.records]
        if self._are_new(identities):
            return _Sorted(issued.records, ())
        fresh: dict[bytes, Record] = {}
        awaited: list[asyncio.Future[None]] = []
        standing: list[Stamp] = []
        for record in issued.records:
            identity = record.entry.identity
            known = self._memory.find(identity)
            reserved = self._reserved.get(identity)
            if known is not None:
                standing.append(known)
            elif reserved is not None:
                standing.append(reserved.stamps[identity])
                awaited.append(reserved.done)
            else:
                standing.append(fresh.setdefault(identity, record).entry.stamp)
        _refuse_conflicts(issued, standing, is_batch=is_batch)
        return _Sorted(tuple(fresh.values()), awaited)

    def _are_new(self, identities: Sequence[bytes]) -> bool:
        """Whether each is there once, nobody sent it before, and nobody is sending it now: nearly always."""
        return (
            self._memory.knows_none_of(identities)
            and self._reserved.keys().isdisjoint(identities)
            and len(set(identities)) == len(identities)
        )

    async def _keep(self, fresh: Sequence[Record]) -> None:
        entries = [record.entry for record in fresh]
        done = asyncio.get_running_loop().create_future()
        stamps = {entry.identity: entry.stamp for entry in entries}
        self._reserved.update(dict.fromkeys(stamps, _Reserved(stamps, done)))
        try:
            await self._keeper.keep(fresh)
        except BaseException as error:
            done.set_exception(error)
            done.exception()  # seen: there may be no other request that waits for it
            raise
        else:
            self._memory.remember(entries)
            done.set_result(None)
        finally:
            for identity in stamps:
                del self._reserved[identity]

    def _answer(self, issued: Issued, *, is_batch: bool) -> bytes:
        given = [record.entry.stamp for record in issued.records]
        seen = self._memory.first([record.entry.identity for record in issued.records])
        if seen == given:
            return issued.answer
        first = [stamp or own for stamp, own in zip(seen, given, strict=True)]
        _refuse_conflicts(issued, first, is_batch=is_batch)
        return issuing.answer_anew(issued, first, self._signing_keys.signer)


class _Conflict(NamedTuple):
    """An event whose identity stands for other content."""

    place: int
    receipt: Receipt
    standing: Stamp


def _refuse_conflicts(issued: Issued, standing: Sequence[Stamp], *, is_batch: bool) -> None:
    places = [
        place
        for place, (record, stamp) in enumerate(zip(issued.records, standing, strict=True))
        if not is_same_content(record.entry.stamp, stamp)
    ]
    if not places:
        return
    receipts = issuing.answer_of(issued).receipts
    conflicts = [_Conflict(place, receipts[place], standing[place]) for place in places]
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
