"""Read what is known of duties: from the current view where it knows enough, else from the log of revisions."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar

from schemas.events.ids import DutyKey
from services.reporting import event_decoder
from services.reporting.core.timeline import AssessmentRevision, UnreadableRecord
from services.reporting.core.urging import AlertAttempt
from services.reporting.current import known_duties, thread_work
from services.reporting.current.answer_memo import AnswerMemo
from services.reporting.current.current_duties import CurrentDuties, ViewSource
from services.reporting.current.known_duties import KnownDuties
from services.reporting.event_decoder import StoredRecord
from services.reporting.store import PlanDutyFilter
from services.runtime.decoding import UnreadableRecordError

Decoded = TypeVar("Decoded")

# Whoever reads a list of the past asks for several pages of it.
PAST_DUTIES_KEPT_MAX = 40_000

log = logging.getLogger(__name__)


class RecordArchive(Protocol):
    """Finds the records of assessments and alert attempts."""

    async def find_newest_revisions(self, duties: PlanDutyFilter, known_at: datetime) -> list[StoredRecord]: ...
    async def find_attempts(self, duties: Iterable[DutyKey], known_at: datetime) -> list[StoredRecord]: ...
    async def find_periods(self, plan: str) -> list[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _PastDuties:
    """What is known of some duties, and what stood of it at an instant before."""

    known: KnownDuties
    stood: KnownDuties

    def list_unchanged(self, now: KnownDuties) -> Mapping[DutyKey, AssessmentRevision | None]:
        """Return what stood of the duties of which the same is known *now*; None where nothing did."""
        same = set(map(id, self.known.assessments))
        stood = {one.key: one for one in self.stood.assessments}
        return {one.key: stood.get(one.key) for one in now.assessments if id(one) in same}


class DutyReader:
    """Finds assessments and alert attempts as they were known at an instant.

    *on_unreadable* is called for each stored record that cannot be read, each time it is asked for.
    """

    def __init__(
        self, archive: RecordArchive, view: ViewSource | None, on_unreadable: Callable[[UnreadableRecord], None]
    ) -> None:
        self._archive = archive
        self._on_unreadable = on_unreadable
        self._current = None if view is None else CurrentDuties(view, self.note_unreadable)
        self._past = AnswerMemo[_PastDuties](PAST_DUTIES_KEPT_MAX)

    async def find_known(self, duties: PlanDutyFilter, known_at: datetime) -> KnownDuties:
        """Return the assessments of *duties* that were known at *known_at*, from the view with their attempts.

        Raises `NotAssessedError` if no duty of the plan was ever assessed.
        """
        # The duties of one agency are few, and stand side by side in the log.
        if self._current is not None and duties.agency is None:
            known = await self._current.find(duties)
            if known.recorded_at is None or known.recorded_at <= known_at:
                return known
            question = duties, known_at
            kept = self._past.find(question, known.version)
            if kept is None:
                earlier = next(iter(self._past.list_kept(question)), None)
                kept = await self._go_back(known, duties, known_at, earlier)
                self._past.keep(question, known.version, kept, size=len(kept.stood.assessments))
            return kept.stood
        records = await self._archive.find_newest_revisions(duties, known_at)
        decode = partial(self._decode_stored, records, event_decoder.decode_verdict)
        decoded, unreadable = await thread_work.run(decode, work=len(records))
        assessments = tuple(one.assessment for one in decoded)
        return KnownDuties(
            assessments=assessments,
            attempts={},
            unreadable=tuple(unreadable),
            cited=known_duties.find_cited(assessments),
        )

    async def find_known_periods(self, plan: str) -> Sequence[str | None]:
        """Return the periods of a plan in which there are duties; none where only the log is asked."""
        return () if self._current is None else await self._current.find_periods(plan)

    async def _go_back(
        self, known: KnownDuties, duties: PlanDutyFilter, known_at: datetime, earlier: "_PastDuties | None"
    ) -> "_PastDuties":
        """Return *known* with what stood at *known_at* in place of what was recorded later, which the log knows.

        What stood *earlier*, when less was known, is read again only where something else is known since.
        """
        later = {one.key for one in known.assessments if one.recorded_at > known_at}
        before = {} if earlier is None or earlier.stood.unreadable else earlier.list_unchanged(known)
        asked = later - before.keys()
        # Where most were revised, the log is read as a whole.
        few = 2 * len(asked) < len(known.assessments)
        agencies = tuple(sorted({key.agency for key in asked})) if few else ()
        records = (
            await self._archive.find_newest_revisions(replace(duties, agencies=agencies), known_at) if asked else []
        )
        replaced = partial(self._replace_later, known, later, records, before)
        return await thread_work.load(replaced, work=len(known.assessments), fresh=len(records))

    def _replace_later(
        self,
        known: KnownDuties,
        later: set[DutyKey],
        records: list[StoredRecord],
        before: Mapping[DutyKey, AssessmentRevision | None],
    ) -> "_PastDuties":
        decoded, unreadable = self._decode_stored(records, event_decoder.decode_verdict)
        stood = dict(before)
        stood |= {one.assessment.key: one.assessment for one in decoded if one.assessment.key in later - before.keys()}
        found = ((stood.get(one.key) if one.key in later else one) for one in known.assessments)
        assessments = tuple([one for one in found if one is not None])
        revisions = frozenset((key, one.revision) for key, one in stood.items() if key in later and one is not None)
        past = replace(
            known,
            assessments=assessments,
            unreadable=(*known.unreadable, *unreadable),
            boundaries=known_duties.find_boundaries((*known.assessments, *assessments), known.attempts.values()),
            cited=known_duties.find_cited(assessments),
            version=(known.version, frozenset(later), revisions),
        )
        return _PastDuties(known=known, stood=past)

    async def find_attempts(
        self, known: KnownDuties, keys: Iterable[DutyKey], until: datetime
    ) -> tuple[Mapping[DutyKey, tuple[AlertAttempt, ...]], tuple[UnreadableRecord, ...]]:
        """Return the attempts by *until* at alerts about the duties with *keys*, and the unreadable records."""
        if known.version is not None:
            return await thread_work.run(partial(known.list_attempts, until), work=len(known.attempts)), ()
        wanted = frozenset(keys)
        found = await self._archive.find_attempts(wanted, until)
        decode = partial(self._decode_stored, found, event_decoder.decode_delivery)
        deliveries, unreadable = await thread_work.run(decode, work=len(found))
        attempts: dict[DutyKey, list[AlertAttempt]] = {}
        for attempt in (one for delivery in deliveries for one in delivery.attempts):
            # One alert may name several duties; only those asked about count.
            if attempt.key in wanted:
                attempts.setdefault(attempt.key, []).append(attempt)
        return {key: tuple(several) for key, several in attempts.items()}, tuple(unreadable)

    def note_unreadable(self, record: UnreadableRecord) -> None:
        """Count a stored record that cannot be read, and log it."""
        self._on_unreadable(record)
        details = {"action": "stored_record_unreadable", "record": record.id, "reason": record.reason}
        log.warning("a stored record cannot be read", extra=details)

    def _decode_stored(
        self, records: Iterable[StoredRecord], decode: Callable[[bytes | None], Decoded]
    ) -> tuple[list[Decoded], list[UnreadableRecord]]:
        """Return what *records* decode to, and those that cannot be read: one of them must not hide the others."""
        decoded: list[Decoded] = []
        unreadable: list[UnreadableRecord] = []
        for one in records:
            try:
                decoded.append(decode(one.record))
            except UnreadableRecordError as cause:
                unreadable.append(UnreadableRecord(id=one.id, reason=str(cause)))
                self.note_unreadable(unreadable[-1])
        return decoded, unreadable
