"""Answer what is known of duties now from the current view: a document is decoded once, however often it is asked for.

A question reads the marks of its periods. Where these are as they were, so is the answer. Where not, the duties that
have changed since are read, and no others: the marks name them, or else their last writes tell.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import Any, Protocol

import msgspec

from services.reporting.core.timeline import AssessmentRevision, UnreadableRecord
from services.reporting.core.urging import AlertAttempt
from services.reporting.current import known_duties, thread_work, view_documents
from services.reporting.current.answer_memo import AnswerMemo
from services.reporting.current.known_duties import KnownDuties
from services.reporting.current.view import Version, ViewChanges
from services.reporting.current.view_documents import DamagedViewError
from services.reporting.store import PlanDutyFilter

# A duty takes about a kilobyte, one with many alerts two. Ten thousand agencies have a hundred thousand in ten years.
DUTIES_KEPT_MAX = 120_000
QUESTIONS_KEPT_MAX = 64
# A duty has four spans and a few alerts; changes of as many as this are put in one by one.
_FRESH_MAX = 100
_BOUNDARIES_A_DUTY_MAX = 12
_NEVER = datetime.min.replace(tzinfo=UTC)


class ViewSource(Protocol):
    """Finds the documents of the current view."""

    async def find_version(self, duties: PlanDutyFilter) -> Version: ...
    async def find_changes(self, duties: PlanDutyFilter, since: Version) -> ViewChanges | None: ...
    async def find_periods(self, plan: str) -> Sequence[str | None]: ...
    async def find_last_writes(self, duties: PlanDutyFilter) -> Mapping[str, str]: ...
    async def find_documents(self, keys: Sequence[str]) -> list[dict[str, Any]]: ...
    async def require_assessed(self, plan: str) -> None: ...


class DecodedDuty(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One document of the view: after which write it was read, what it says, and when the last alert was tried."""

    last_write: str
    assessment: AssessmentRevision | None
    attempts: tuple[AlertAttempt, ...] = ()
    attempted_at: datetime = _NEVER
    unreadable: UnreadableRecord | None = None

    def list_boundaries(self) -> tuple[datetime, ...]:
        """Return the instants at which the line of the duty changes."""
        assessments = () if self.assessment is None else (self.assessment,)
        return known_duties.find_boundaries(assessments, (self.attempts,))


@dataclass(frozen=True, slots=True, kw_only=True)
class _ReadDuties:
    """The documents that a question found, by the texts of their keys and in their order, and what they say."""

    version: Version
    decoded: Mapping[str, DecodedDuty]
    known: KnownDuties


class CurrentDuties:
    """Finds what is known of duties now.

    *note_unreadable* is called for each document that cannot be read, each time it is asked for.
    """

    def __init__(self, view: ViewSource, note_unreadable: Callable[[UnreadableRecord], None]) -> None:
        self._view = view
        self._note_unreadable = note_unreadable
        self._decoded: OrderedDict[str, DecodedDuty] = OrderedDict()
        self._kept: OrderedDict[PlanDutyFilter, _ReadDuties] = OrderedDict()
        # It refers to what is known of all obligations.
        self._narrowed = AnswerMemo[KnownDuties](DUTIES_KEPT_MAX)
        # One at a time: a second question waits for what the first one reads, and reads nothing itself.
        self._reading = asyncio.Lock()

    async def find(self, duties: PlanDutyFilter) -> KnownDuties:
        """Return what is known of *duties*; raise `NotAssessedError` if no duty of the plan was ever assessed."""
        known = await self._find_narrowed(duties) or await self._find_kept(duties)
        for one in known.unreadable:
            self._note_unreadable(one)
        if not known.assessments and not known.unreadable:
            await self._view.require_assessed(duties.plan)
        return known

    async def _find_narrowed(self, duties: PlanDutyFilter) -> KnownDuties | None:
        """Return the part of what is known of all obligations, where that is kept: results ask for it every time."""
        whole = replace(duties, obligation=None)
        if duties.obligation is None or whole not in self._kept:
            return None
        known = await self._find_kept(whole)
        narrowed = self._narrowed.find(duties, known.version)
        if narrowed is None:
            narrow = partial(known.narrow, duties.obligation)
            narrowed = await thread_work.run(narrow, work=len(known.assessments))
            self._narrowed.keep(duties, known.version, narrowed, size=len(narrowed.assessments))
        return narrowed

    async def _find_kept(self, duties: PlanDutyFilter) -> KnownDuties:
        version = await self._view.find_version(duties)
        kept = self._kept.get(duties)
        if kept is None or kept.version != version:
            async with self._reading:
                kept = self._kept.get(duties)
                if kept is None or kept.version != version:
                    changed = None if kept is None else await self._read_changes(duties, kept)
                    kept = changed or await self._read(duties, version)
                    self._keep(duties, kept)
        return kept.known

    async def find_periods(self, plan: str) -> Sequence[str | None]:
        """Return the periods of a plan in which there are duties; None where there are any without a period."""
        return await self._view.find_periods(plan)

    async def _read_changes(self, duties: PlanDutyFilter, earlier: _ReadDuties) -> _ReadDuties | None:
        """Return *earlier* with the duties that have changed since; None where all have to be looked at."""
        changes = await self._view.find_changes(duties, earlier.version)
        if changes is None:
            return None
        documents = await self._view.find_documents(sorted(changes.duties))
        if len(documents) != len(changes.duties):
            return None
        fresh = {one["_id"]: _decode(one) for one in documents if duties.obligation in {None, one["obligation"]}}
        combine = partial(self._combine, {**earlier.decoded, **fresh}, changes.version, fresh=fresh, earlier=earlier)
        return await thread_work.run(combine, work=len(earlier.decoded))

    async def _read(self, duties: PlanDutyFilter, version: Version) -> _ReadDuties:
        writes = await self._view.find_last_writes(duties)
        stale = [key for key, write in writes.items() if not self._is_decoded(key, write)]
        documents = await self._view.find_documents(stale)
        combine = partial(self._decode_all, writes, documents, version)
        return await thread_work.load(combine, work=len(writes), fresh=len(stale))

    def _is_decoded(self, key: str, last_write: str) -> bool:
        found = self._decoded.get(key)
        return found is not None and found.last_write == last_write

    def _decode_all(
        self, writes: Mapping[str, str], documents: Sequence[Mapping[str, Any]], version: Version
    ) -> _ReadDuties:
        fresh = {one["_id"]: _decode(one) for one in documents}
        found = ((key, fresh.get(key) or self._decoded.get(key)) for key in writes)
        return self._combine({key: one for key, one in found if one is not None}, version)

    def _combine(
        self,
        decoded: dict[str, DecodedDuty],
        version: Version,
        *,
        fresh: Mapping[str, DecodedDuty] | None = None,
        earlier: _ReadDuties | None = None,
    ) -> _ReadDuties:
        """Return what *decoded* says; with *earlier*, that what it said before of all but the *fresh* ones."""
        if earlier is None or len(earlier.decoded) != len(decoded):
            # In one order, whoever has read them and when: what follows from them keeps its place.
            decoded = dict(sorted(decoded.items()))
        for key, one in (decoded if fresh is None else fresh).items():
            self._decoded[key] = one
            self._decoded.move_to_end(key)
        while len(self._decoded) > DUTIES_KEPT_MAX:
            self._decoded.popitem(last=False)
        read = list(decoded.values())
        assessments = tuple([one.assessment for one in read if one.assessment is not None])
        known = KnownDuties(
            assessments=assessments,
            attempts={one.assessment.key: one.attempts for one in read if one.assessment is not None and one.attempts},
            unreadable=tuple([one.unreadable for one in read if one.unreadable is not None]),
            boundaries=_find_boundaries(read, fresh, None if earlier is None else earlier.known.boundaries),
            recorded_at=max([one.recorded_at for one in assessments], default=_NEVER),
            attempted_at=max([one.attempted_at for one in read], default=_NEVER),
            cited=known_duties.find_cited(assessments),
            version=version,
        )
        return _ReadDuties(version=version, decoded=decoded, known=known)

    def _keep(self, duties: PlanDutyFilter, read: _ReadDuties) -> None:
        self._kept[duties] = read
        self._kept.move_to_end(duties)
        while sum(len(one.decoded) for one in self._kept.values()) > DUTIES_KEPT_MAX:
            self._kept.popitem(last=False)
        while len(self._kept) > QUESTIONS_KEPT_MAX:
            self._kept.popitem(last=False)


def _find_boundaries(
    read: Sequence[DecodedDuty], fresh: Mapping[str, DecodedDuty] | None, earlier: tuple[datetime, ...] | None
) -> tuple[datetime, ...]:
    """Return the boundaries of all that was *read*: the *earlier* ones with those of what is *fresh*, if that is few.

    What a fresh duty had before stays among them, until there are so many that all are looked at again.
    """
    too_many = _BOUNDARIES_A_DUTY_MAX * len(read)
    if fresh is None or earlier is None or len(fresh) > _FRESH_MAX or len(earlier) > too_many:
        assessments = [one.assessment for one in read if one.assessment is not None]
        return known_duties.find_boundaries(assessments, (one.attempts for one in read if one.attempts))
    return known_duties.add_boundaries(earlier, chain.from_iterable(map(DecodedDuty.list_boundaries, fresh.values())))


def _decode(document: Mapping[str, Any]) -> DecodedDuty:
    last_write = document[view_documents.LAST_WRITE]
    try:
        attempts = view_documents.decode_attempts(document)
        return DecodedDuty(
            last_write=last_write,
            assessment=view_documents.decode_assessment(document),
            attempts=attempts,
            attempted_at=max((one.attempted_at for one in attempts), default=_NEVER),
        )
    except DamagedViewError as cause:
        unreadable = UnreadableRecord(id=str(document["_id"]), reason=str(cause))
        return DecodedDuty(last_write=last_write, assessment=None, unreadable=unreadable)
