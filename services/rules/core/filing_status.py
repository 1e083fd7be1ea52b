"""What the filings of a duty amount to at an instant, and whether they discharge it (rulings 4 to 6 and 11).

A timeline asks at each instant at which something changes. The answers are therefore built step by step: a filing joins
its group when it takes effect and leaves it when it is withdrawn, and only the groups that changed are looked at again.
A whole timeline of n filings costs about n log n.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import datetime
from heapq import heappop, heappush
from itertools import chain
from operator import attrgetter

import msgspec

from services.rules.core.facts import Submission
from services.rules.core.filings import DocumentKey, Filing, SubmissionRelations

_NO_FLAGS: frozenset[str] = frozenset()

_first_place = attrgetter("first_place")


class FilingStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What is on file at one instant.

    `submissions` counts reports, not their copies or versions. `effective_at` is the instant of the discharge where
    `is_complete`, else the instant at which the first submission took effect.

    `standing` is the submission whose content counts: of the current versions of all documents a complete one before an
    incomplete one, then the one whose document took effect last (contract section 8.2).
    """

    submissions: int = 0
    is_complete: bool = False
    effective_at: datetime | None = None
    first_sent_at: datetime | None = None
    missing: tuple[str, ...] = ()
    flags: frozenset[str] = _NO_FLAGS
    standing: Submission | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is on file."""
        return self.submissions == 0


_NOTHING_FILED = FilingStatus()
_ALL_WITHDRAWN = FilingStatus(flags=frozenset({"withdrawn"}))


class FilingHistory:
    """The filings of one duty of *agency*, asked for their status in order of time.

    The due instants asked about may grow, but not shrink: no decision makes a report due earlier (ruling 9).
    """

    __slots__ = (
        "_agency",
        "_applied",
        "_cached_status",
        "_changes",
        "_due_at",
        "_evidence",
        "_evidence_places",
        "_filings",
        "_has_withdrawn",
        "_in_effect",
        "_reports",
    )

    def __init__(self, filings: Sequence[Filing], agency: str) -> None:
        self._filings = filings
        self._agency = agency
        self._changes = _list_changes(filings)
        self._applied = 0
        self._in_effect = 0
        self._has_withdrawn = False
        self._reports = _ReportsInEffect(filings, agency) if len(filings) > 1 else None
        self._due_at: datetime | None = None
        self._cached_status: FilingStatus | None = _NOTHING_FILED
        # The ids behind each change so far, in order of the filings, and next to them the places that they sort by.
        self._evidence: list[tuple[str, ...]] = []
        self._evidence_places: list[int] = []

    def status_at(self, instant: datetime, *, due_at: datetime | None) -> FilingStatus:
        """Return what is on file at *instant*, measured against the due instant then in force."""
        self._advance(instant)
        if self._cached_status is None or due_at != self._due_at:
            self._due_at = due_at
            self._cached_status = self._summarise(due_at)
        return self._cached_status

    def evidence_at(self, instant: datetime) -> list[str]:
        """Return the ids of the events behind what is on file at *instant*."""
        self._advance(instant)
        return list(chain.from_iterable(self._evidence))

    def _advance(self, instant: datetime) -> None:
        """Apply the changes up to *instant*."""
        while self._applied < len(self._changes) and self._changes[self._applied][0] <= instant:
            _, is_end, position = self._changes[self._applied]
            self._applied += 1
            self._cached_status = None
            filing = self._filings[position]
            if is_end:
                self._in_effect -= 1
                self._has_withdrawn = True
                self._add_evidence(2 * position + 1, (filing.ended_by or "",))
            else:
                self._in_effect += 1
                self._add_evidence(2 * position, (filing.submission.id, *filing.moved_by))
            if self._reports is not None:
                self._reports.apply(position, is_end=is_end)

    def _add_evidence(self, place: int, ids: tuple[str, ...]) -> None:
        at = bisect_left(self._evidence_places, place)
        self._evidence_places.insert(at, place)
        self._evidence.insert(at, ids)

    def _summarise(self, due_at: datetime | None) -> FilingStatus:
        if not self._in_effect:
            return _ALL_WITHDRAWN if self._has_withdrawn else _NOTHING_FILED
        if self._reports is None:
            return _summarise_one(self._filings[0], self._agency)
        return self._reports.summarise(due_at, has_withdrawn=self._has_withdrawn)


def _summarise_one(filing: Filing, agency: str) -> FilingStatus:
    """Return the status while *filing*, the only one of the duty, is in effect."""
    flags = []
    if filing.submission.filed_by != agency:
        flags.append("filed_by_successor")
    if filing.submission.report.is_nil_return:
        flags.append("nil_return")
    if filing.is_dispatch_unproven:
        flags.append("dispatch_unproven")
    return FilingStatus(
        submissions=1,
        is_complete=filing.is_complete,
        effective_at=filing.effective_at,
        first_sent_at=filing.effective_at,
        missing=filing.missing,
        flags=frozenset(flags) if flags else _NO_FLAGS,
        standing=filing.submission,
    )


_FilingHeap = list[tuple[int, ...]]
"""Filings in order of a key, as a heap, of which only the first is asked for.

An entry is the key, a few numbers, that ends with the filing's position. The entry of a filing that is not in effect
any more stays in the heap until it comes first (`_first_in_effect`).
"""


def _first_in_effect(heap: _FilingHeap, in_effect: Sequence[int]) -> tuple[int, ...] | None:
    """Return the first entry of a filing in effect, and drop those before it."""
    while heap and not in_effect[heap[0][-1]]:
        heappop(heap)
    return heap[0] if heap else None


class _FilingGroup:
    """The versions and copies of one report that are in effect, in the orders in which they are asked for."""

    __slots__ = ("complete_by_depth", "complete_by_time", "corrections", "current", "deepest", "positions", "version")

    def __init__(self) -> None:
        self.version = 0  # grows with each look at the group, so that what was noted before is recognised as outdated
        self.current: int | None = None
        self.positions: _FilingHeap = []
        self.deepest: _FilingHeap = []
        self.complete_by_time: _FilingHeap = []
        self.complete_by_depth: _FilingHeap = []
        self.corrections: _FilingHeap = []


_GroupEntry = tuple[int, int, int, _FilingGroup]
"""A group with what it is ordered by: an instant's number, its first position, and its version when it was noted."""


class _ReportsInEffect:
    """The reports on file at the instant reached, as groups of filings.

    A filing is known by its position among the filings, which are in order of arrival. Instants are numbered as they
    are reached; equal ones have the same number.
    """

    def __init__(self, filings: Sequence[Filing], agency: str) -> None:
        self._filings = filings
        self._agency = agency
        self._in_effect = bytearray(len(filings))
        self._instants = [0] * len(filings)
        self._last_started_at: datetime | None = None
        self._instants_reached = 0
        self._groups: dict[int, _FilingGroup] = {}
        self._changed: dict[int, _FilingGroup] = {}
        self._open_groups = 0
        self._from_successors = 0
        self._unproven = 0
        self._first_sent: _FilingHeap = []
        self._best_copies: dict[tuple[DocumentKey, int], _FilingHeap] = {}
        self._copies = _CopyCounter()
        self._complete: list[_GroupEntry] = []
        self._last_complete: list[_GroupEntry] = []
        self._incomplete: list[_GroupEntry] = []
        self._maybe_amended: list[_FilingGroup] = []

    def apply(self, position: int, *, is_end: bool) -> None:
        """Let a filing take effect, or withdraw it (*is_end*); the changes come in the order of `_list_changes`."""
        filing = self._filings[position]
        relations = filing.relations
        group = self._groups.get(relations.group)
        if group is None:
            group = self._groups[relations.group] = _FilingGroup()
        self._changed[relations.group] = group
        self._in_effect[position] = not is_end
        if filing.submission.filed_by != self._agency:
            self._from_successors += -1 if is_end else 1
        if filing.is_dispatch_unproven:
            self._unproven += -1 if is_end else 1
        if relations.documents:
            self._copies.apply(relations, is_end=is_end)
        if not is_end:
            self._add_to_heaps(position, filing, group)

    def _add_to_heaps(self, position: int, filing: Filing, group: _FilingGroup) -> None:
        if filing.effective_at != self._last_started_at:
            self._last_started_at = filing.effective_at
            self._instants_reached += 1
        number = self._instants[position] = self._instants_reached
        depth = filing.relations.correction_depth
        heappush(self._first_sent, (number, position))
        for document in filing.relations.documents:
            copies = self._best_copies.setdefault((document, depth), [])
            heappush(copies, (not filing.is_complete, number, position))
        heappush(group.positions, (position,))
        heappush(group.deepest, (-depth, -position, position))
        if depth:
            heappush(group.corrections, (-depth, position))
        if filing.is_complete:
            heappush(group.complete_by_time, (number, position))
            heappush(group.complete_by_depth, (depth, position))

    def summarise(self, due_at: datetime | None, *, has_withdrawn: bool) -> FilingStatus:
        """Return the status of what is in effect: the earliest complete report decides, else the last incomplete."""
        for group in self._changed.values():
            self._review_group(group)
        self._changed.clear()
        complete = _find_first_group(self._complete)
        deciding = complete or _find_first_group(self._incomplete)
        first_sent = _first_in_effect(self._first_sent, self._in_effect)
        if deciding is None or deciding.current is None or first_sent is None:
            return _NOTHING_FILED
        first_sent_at = self._filings[first_sent[-1]].effective_at
        completed = _first_in_effect(complete.complete_by_time, self._in_effect) if complete else None
        current = self._filings[deciding.current]
        standing = _find_first_group(self._last_complete) or deciding
        flags = list(self._find_flags(current, due_at))
        if has_withdrawn:
            flags.append("withdrawn")
        return FilingStatus(
            submissions=self._open_groups,
            is_complete=complete is not None,
            effective_at=self._filings[completed[-1]].effective_at if completed else first_sent_at,
            first_sent_at=first_sent_at,
            missing=current.missing,
            flags=frozenset(flags) if flags else _NO_FLAGS,
            standing=self._filings[deciding.current if standing.current is None else standing.current].submission,
        )

    def _review_group(self, group: _FilingGroup) -> None:
        """Find the current filing of a group that changed, and note the group where it can decide."""
        self._open_groups -= group.current is not None
        group.version += 1
        group.current = self._find_current(group)
        first = _first_in_effect(group.positions, self._in_effect)
        if group.current is None or first is None:
            return
        self._open_groups += 1
        completed = _first_in_effect(group.complete_by_time, self._in_effect)
        if self._filings[group.current].is_complete and completed is not None:
            # When the report was first complete, in whichever version (ruling 4).
            heappush(self._complete, (completed[0], first[0], group.version, group))
            heappush(self._last_complete, (-completed[0], -first[0], group.version, group))
        else:
            heappush(self._incomplete, (-self._instants[group.current], first[0], group.version, group))
        if group.corrections:
            self._maybe_amended.append(group)

    def _find_current(self, group: _FilingGroup) -> int | None:
        """Return the filing whose content counts: the last received of the deepest corrections.

        Where that one has copies of the same depth, the earliest complete one of them is current (ruling 6).
        """
        last = _first_in_effect(group.deepest, self._in_effect)
        if last is None:
            return None
        relations = self._filings[last[-1]].relations
        if not relations.documents:
            return last[-1]
        heaps = [self._best_copies[document, relations.correction_depth] for document in relations.documents]
        copies = [_first_in_effect(heap, self._in_effect) for heap in heaps]
        return min([one for one in copies if one is not None], default=last)[-1]

    def _find_flags(self, current: Filing, due_at: datetime | None) -> Iterator[str]:
        if self._copies.has_copies:
            yield "duplicate"
        if self._open_groups > 1:
            yield "needs_reconciliation"
        if self._from_successors:
            yield "filed_by_successor"
        if self._unproven:
            yield "dispatch_unproven"
        if current.submission.report.is_nil_return:
            yield "nil_return"
        if due_at is not None and self._maybe_amended and self._has_amended(due_at):
            yield "amended_after_deadline"

    def _has_amended(self, due_at: datetime) -> bool:
        """Whether a complete report was corrected at or after due.

        A group that is not amended so can become it only by a change, which notes it again.
        """
        while self._maybe_amended:
            if self._is_amended(self._maybe_amended[-1], due_at):
                return True
            self._maybe_amended.pop()
        return False

    def _is_amended(self, group: _FilingGroup, due_at: datetime) -> bool:
        complete = _first_in_effect(group.complete_by_depth, self._in_effect)
        deepest = _first_in_effect(group.corrections, self._in_effect)
        while deepest is not None and self._filings[deepest[-1]].effective_at < due_at:
            heappop(group.corrections)  # it can be forgotten, because due instants do not shrink
            deepest = _first_in_effect(group.corrections, self._in_effect)
        return complete is not None and deepest is not None and complete[0] < -deepest[0]


def _find_first_group(entries: list[_GroupEntry]) -> _FilingGroup | None:
    """Return the group of the first entry that is up to date."""
    while entries and entries[0][3].version != entries[0][2]:
        heappop(entries)
    return entries[0][3] if entries else None


class _CopyCounter:
    """Tells whether any two filings in effect carry the same document without one correcting the other.

    The filings of one document are kept in order of their places in the trees of corrections. If each corrects the one
    before it, each corrects all before it: then the document has no copies. So only neighbours are compared.
    """

    __slots__ = ("_by_document", "_copies")

    def __init__(self) -> None:
        self._by_document: dict[DocumentKey, list[SubmissionRelations]] = {}
        self._copies = 0

    @property
    def has_copies(self) -> bool:
        """Whether there are any such two."""
        return self._copies > 0

    def apply(self, relations: SubmissionRelations, *, is_end: bool) -> None:
        """Count a filing that takes effect, or no more one that is withdrawn (*is_end*)."""
        for document in relations.documents:
            carriers = self._by_document.setdefault(document, [])
            at = bisect_left(carriers, relations.first_place, key=_first_place)
            if is_end:
                del carriers[at]
            around = _count_around(carriers, at, relations)
            if is_end:
                self._copies -= around
            else:
                self._copies += around
                carriers.insert(at, relations)


def _count_around(carriers: Sequence[SubmissionRelations], at: int, one: SubmissionRelations) -> int:
    """Return by how many the neighbours that are copies grow when *one* comes into *carriers* at a place."""
    before = carriers[at - 1] if at else None
    after = carriers[at] if at < len(carriers) else None
    return _are_copies(before, one) + _are_copies(one, after) - _are_copies(before, after)


def _are_copies(one: SubmissionRelations | None, other: SubmissionRelations | None) -> bool:
    return one is not None and other is not None and not one.is_corrected_by(other)


def _list_changes(filings: Sequence[Filing]) -> list[tuple[datetime, bool, int]]:
    """Return when a filing takes effect (False) or is withdrawn (True), and its position, in order of time."""
    changes = [(one.effective_at, False, position) for position, one in enumerate(filings)]
    changes.extend([(one.ended_at, True, position) for position, one in enumerate(filings) if one.ended_at is not None])
    return sorted(changes)
