"""The current view in the database: beside the log of revisions one document a duty, folded once a batch.

It is written after the records that it follows from, and before their checkpoint. So a kill in between repeats the
batch, which changes nothing that was written already. A view that is missing, or of an earlier layout, has no
checkpoint, and is filled from the log by itself: the layout is in the name of the collection.

Each period has a mark, which is replaced whenever its duties have changed. What was worked out under a mark holds until
there is another one. A mark names the last duties that were changed, so that a reader who knows an earlier one reads
these alone.
"""

import asyncio
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.events.ids import DutyKey
from services.reporting.current import view_documents
from services.reporting.current.view_documents import Update
from services.reporting.event_decoder import RecordedAssessment, RecordedAttempt
from services.reporting.store import CURRENT, VALUES_AT_ONCE, PlanDutyFilter, ReportingStore

MARKS = f"{CURRENT}_marks"
INSERTED_AT_ONCE = 1_250

# The marks of the periods that a question is about, by their ids.
Version = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewChanges:
    """The duties that were changed between two versions, by the texts of their keys, and the later version."""

    version: Version
    duties: frozenset[str]


class CurrentView:
    """Stores records together with the view of them, and answers what is in the view; raises as `ReportingStore`."""

    def __init__(self, store: ReportingStore) -> None:
        self._store = store

    async def insert_assessments(self, assessments: Sequence[RecordedAssessment]) -> Collection[int]:
        """Insert the revisions and fold them into the view; return the positions of conflicting ones.

        While a portion is folded the next one is inserted: the database works at both at once.
        """
        conflicts: set[int] = set()
        folding: list[asyncio.Task[None]] = []
        try:
            for start in range(0, len(assessments), INSERTED_AT_ONCE):
                portion = assessments[start : start + INSERTED_AT_ONCE]
                refused = await self._store.insert_assessments(portion)
                conflicts.update(start + position for position in refused)
                sound = [one.assessment for position, one in enumerate(portion) if position not in refused]
                folding.append(asyncio.create_task(self._write(view_documents.fold_assessments(sound))))
        finally:
            # No write goes on when the batch is tried again.
            outcomes = await asyncio.gather(*folding, return_exceptions=True)
        for failure in outcomes:
            if failure is not None:
                raise failure
        return conflicts

    async def insert_attempts(self, attempts: Sequence[RecordedAttempt]) -> Collection[int]:
        """Insert the attempts and fold them into the view; return the positions of conflicting ones."""
        conflicts = await self._store.insert_attempts(attempts)
        sound = (one for position, one in enumerate(attempts) if position not in conflicts)
        await self._write(view_documents.fold_attempts(each for one in sound for each in one.attempts))
        return conflicts

    async def find_version(self, duties: PlanDutyFilter) -> Version:
        """Return the marks of the periods of *duties*. Ask before anything else: what is read later is no older."""
        return _read_version(await self._find_marks(duties, view_documents.LAST_WRITE))

    async def find_changes(self, duties: PlanDutyFilter, since: Version) -> ViewChanges | None:
        """Return what was changed in the periods of *duties* since a version; None where that is not known any more."""
        marks = await self._find_marks(duties, view_documents.LAST_WRITE, view_documents.RECENT)
        before = dict(since)
        if before.keys() != {one["_id"] for one in marks}:
            return None
        changed = [view_documents.find_changed_since(one, before[one["_id"]]) for one in marks]
        if any(one is None for one in changed):
            return None
        return ViewChanges(version=_read_version(marks), duties=frozenset().union(*filter(None, changed)))

    async def find_periods(self, plan: str) -> Sequence[str | None]:
        """Return the periods of a plan in which there are duties; None where there are any without a period."""
        version = await self.find_version(PlanDutyFilter(plan=plan))
        return [mark.removeprefix(_mark_id(plan, "")) or None for mark, _ in version]

    async def find_last_writes(self, duties: PlanDutyFilter) -> Mapping[str, str]:
        """Return the last write of the document of each of *duties*, by the text of its key."""
        found = await self._store.find_in_batches(CURRENT, _build_condition(duties), (view_documents.LAST_WRITE,))
        return {one["_id"]: one[view_documents.LAST_WRITE] for one in found}

    async def find_documents(self, keys: Sequence[str]) -> list[dict[str, Any]]:
        """Return the documents of the duties with *keys*, in any order."""
        found: list[dict[str, Any]] = []
        for start in range(0, len(keys), VALUES_AT_ONCE):
            portion = {"_id": {"$in": keys[start : start + VALUES_AT_ONCE]}}
            found += await self._store.find_in_batches(CURRENT, portion)
        return found

    async def require_assessed(self, plan: str) -> None:
        """Raise `NotAssessedError` if no duty of *plan* was ever assessed."""
        await self._store.require_assessed(plan)

    async def _find_marks(self, duties: PlanDutyFilter, *fields: str) -> list[dict[str, Any]]:
        condition: Mapping[str, Any] = {"plan": duties.plan}
        if duties.periods:
            condition = {"_id": {"$in": [_mark_id(duties.plan, period or "") for period in duties.periods]}}
        return await self._store.find_in_batches(MARKS, condition, fields)

    async def _write(self, updates: Mapping[DutyKey, Update]) -> None:
        if not updates:
            return
        write = secrets.token_hex(16)
        stamped = ((str(key), view_documents.stamp(update, write)) for key, update in updates.items())
        await self._store.update(CURRENT, stamped)
        # After the duties: whoever reads a new mark reads what it stands for.
        places: dict[tuple[str, str], list[str]] = {}
        for key in updates:
            places.setdefault((key.plan, view_documents.name_period(key)), []).append(str(key))
        renewed = (
            (_mark_id(*place), view_documents.renew_mark(place[0], write, duties))
            for place, duties in sorted(places.items())
        )
        await self._store.update(MARKS, renewed)


def _build_condition(duties: PlanDutyFilter) -> dict[str, Any]:
    condition: dict[str, Any] = {"plan": duties.plan}
    if duties.periods:
        condition["period"] = {"$in": [period or "" for period in duties.periods]}
    if duties.obligation is not None:
        condition["obligation"] = duties.obligation
    return condition


def _read_version(marks: Sequence[Mapping[str, Any]]) -> Version:
    return tuple(sorted((one["_id"], one[view_documents.LAST_WRITE]) for one in marks))


def _mark_id(plan: str, period: str) -> str:
    return f"{plan}|{period}"
