"""Answer what is known of duties now from the current view: a document is decoded once, however often it is asked for.

A question reads the marks of its periods. Where these are as they were, so is the answer. Where not, the duties that
have changed are read, and no others.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

import msgspec

from services.reporting.core.timeline import AssessmentRevision, UnreadableRecord
from services.reporting.core.urging import AlertAttempt
from services.reporting.current import known_duties, thread_work, view_documents
from services.reporting.current.known_duties import KnownDuties
from services.reporting.current.view import Version
from services.reporting.current.view_documents import DamagedViewError
from services.reporting.store import PlanDutyFilter

# A duty takes about a kilobyte, one with many alerts two. Ten thousand agencies have a hundred thousand in ten years.
DUTIES_KEPT_MAX = 120_000
QUESTIONS_KEPT_MAX = 64
_NEVER = datetime.min.replace(tzinfo=UTC)


class ViewSource(Protocol):
    """Finds the documents of the current view."""

    async def find_version(self, duties: PlanDutyFilter) -> Version: ...
    async def find_periods(self, plan: str) -> Sequence[str | None]: ...
    async def find_last_writes(self, duties: PlanDutyFilter) -> Mapping[str, str]: ...
    async def find_documents(self, keys: Sequence[str]) -> list[dict[str, Any]]: ...
    async def require_assessed(self, plan: str) -> None: ...


class DecodedDuty(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One document of the view: after which write it was read, and what it says."""

    last_write: str
    assessment: AssessmentRevision | None
    attempts: tuple[AlertAttempt, ...] = ()
    unreadable: UnreadableRecord | None = None


class CurrentDuties:
    """Finds what is known of duties now.

    *note_unreadable* is called for each document that cannot be read, each time it is asked for.
    """

    def __init__(self, view: ViewSource, note_unreadable: Callable[[UnreadableRecord], None]) -> None:
        self._view = view
        self._note_unreadable = note_unreadable
        self._decoded: OrderedDict[str, DecodedDuty] = OrderedDict()
        self._known: OrderedDict[PlanDutyFilter, KnownDuties] = OrderedDict()
        # One at a time: a second question waits for what the first one reads, and reads nothing itself.
        self._reading = asyncio.Lock()

    async def find(self, duties: PlanDutyFilter) -> KnownDuties:
        """Return what is known of *duties*; raise `NotAssessedError` if no duty of the plan was ever assessed."""
        version = await self._view.find_version(duties)
        known = self._known.get(duties)
        if known is None or known.version != version:
            async with self._reading:
                known = self._known.get(duties)
                if known is None or known.version != version:
                    known = await self._read(duties, version)
                    self._keep(duties, known)
        for one in known.unreadable:
            self._note_unreadable(one)
        if not known.assessments and not known.unreadable:
            await self._view.require_assessed(duties.plan)
        return known

    async def find_periods(self, plan: str) -> Sequence[str | None]:
        """Return the periods of a plan in which there are duties; None where there are any without a period."""
        return await self._view.find_periods(plan)

    async def _read(self, duties: PlanDutyFilter, version: Version) -> KnownDuties:
        writes = await self._view.find_last_writes(duties)
        stale = [key for key, write in writes.items() if not self._is_decoded(key, write)]
        documents = await self._view.find_documents(stale)
        combine = partial(self._combine, writes, documents, version)
        return await thread_work.run(combine, work=len(writes))

    def _is_decoded(self, key: str, last_write: str) -> bool:
        found = self._decoded.get(key)
        return found is not None and found.last_write == last_write

    def _combine(
        self, writes: Mapping[str, str], documents: Sequence[Mapping[str, Any]], version: Version
    ) -> KnownDuties:
        fresh = {one["_id"]: _decode(one) for one in documents}
        found = ((key, fresh.get(key) or self._decoded.get(key)) for key in writes)
        decoded = {key: one for key, one in found if one is not None}
        for key, one in decoded.items():
            self._decoded[key] = one
            self._decoded.move_to_end(key)
        while len(self._decoded) > DUTIES_KEPT_MAX:
            self._decoded.popitem(last=False)
        read = list(decoded.values())
        assessments = tuple(one.assessment for one in read if one.assessment is not None)
        attempts = {one.assessment.key: one.attempts for one in read if one.assessment is not None and one.attempts}
        return KnownDuties(
            assessments=assessments,
            attempts=attempts,
            unreadable=tuple(one.unreadable for one in read if one.unreadable is not None),
            boundaries=known_duties.find_boundaries(assessments, attempts.values()),
            recorded_at=max((one.recorded_at for one in assessments), default=_NEVER),
            cited=known_duties.find_cited(assessments),
            version=version,
        )

    def _keep(self, duties: PlanDutyFilter, known: KnownDuties) -> None:
        self._known[duties] = known
        self._known.move_to_end(duties)
        while sum(len(one.assessments) for one in self._known.values()) > DUTIES_KEPT_MAX:
            self._known.popitem(last=False)
        while len(self._known) > QUESTIONS_KEPT_MAX:
            self._known.popitem(last=False)


def _decode(document: Mapping[str, Any]) -> DecodedDuty:
    last_write = document[view_documents.LAST_WRITE]
    try:
        return DecodedDuty(
            last_write=last_write,
            assessment=view_documents.decode_assessment(document),
            attempts=view_documents.decode_attempts(document),
        )
    except DamagedViewError as cause:
        unreadable = UnreadableRecord(id=str(document["_id"]), reason=str(cause))
        return DecodedDuty(last_write=last_write, assessment=None, unreadable=unreadable)
