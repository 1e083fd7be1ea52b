"""The reports of a duty that are on file at the instant reached, as groups of versions and copies.

The groups are kept in the orders in which they are asked for, so that a change costs only what it changes.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from datetime import datetime
from heapq import heappop, heappush
from operator import attrgetter

import msgspec

from services.rules.core.facts import Submission
from services.rules.core.submissions import returns
from services.rules.core.submissions.filings import DocumentKey, Filing, SubmissionRelations
from services.rules.core.submissions.returns import CompleteVersion, CopyKey, Hold, PlacedReview, ReturnHistory

NO_FLAGS: frozenset[str] = frozenset()

# What begins `missing` while a returned report is current (ruling 14).
RETURNED = "returned"

_first_place = attrgetter("first_place")


class FilingStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What is on file at one instant.

    `submissions` counts reports, not their copies or versions. `effective_at` is the instant of the discharge where
    `is_complete`, else the instant at which the first submission took effect.

    `standing` is the submission whose content counts: of the current versions of all documents a complete one before an
    incomplete one, then the one whose document took effect last (contract section 8.2).

    `returns` counts the returns that act and are not taken back. `respond_by` is that of the last one that holds a
    current version, where `missing` begins with `returned` (ruling 14).
    """

    submissions: int = 0
    is_complete: bool = False
    effective_at: datetime | None = None
    first_sent_at: datetime | None = None
    missing: tuple[str, ...] = ()
    flags: frozenset[str] = NO_FLAGS
    standing: Submission | None = None
    returns: int = 0
    respond_by: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is on file."""
        return self.submissions == 0


NOTHING_FILED = FilingStatus()


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

    __slots__ = (
        "complete",
        "complete_by_depth",
        "completed",
        "corrections",
        "current",
        "deepest",
        "hold",
        "is_accepted",
        "positions",
        "returns",
        "version",
        "withdrawn",
    )

    def __init__(self) -> None:
        self.version = 0  # grows with each look at the group, so that what was noted before is recognised as outdated
        self.current: int | None = None
        self.completed: CompleteVersion | None = None  # from when the group counts, if its current filing discharges
        self.returns: ReturnHistory | None = None
        self.hold: Hold | None = None
        self.is_accepted = False
        self.complete: list[CompleteVersion] = []
        self.withdrawn: list[int] = []
        self.positions: _FilingHeap = []
        self.deepest: _FilingHeap = []
        self.complete_by_depth: _FilingHeap = []
        self.corrections: _FilingHeap = []


_GroupEntry = tuple[int, int, int, _FilingGroup]
"""A group with what it is ordered by: an instant's number, its first position, and its version when it was noted."""


class ReportsInEffect:
    """The reports on file at the instant reached, as groups of filings.

    Changes are applied one by one, and `settle` is called when those of an instant are complete. A filing is known by
    its position among the filings, which are in order of arrival. Instants are numbered as they are reached; equal ones
    have the same number.
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
        self.returns = 0  # how many act and are not taken back
        self.effective_returns: list[int] = []  # those that held a current version when they began to act
        self._returned: list[_GroupEntry] = []
        self._accepted_groups = 0
        self._copy_keys: list[tuple[CopyKey, ...]] | None = None
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
            self._add_to_group(position, filing, group)
            return
        if filing.is_complete:
            del group.complete[bisect_left(group.complete, (filing.effective_at, position))]
        group.withdrawn.append(position)
        if group.returns is not None:
            group.returns.withdraw(position)

    def apply_review(self, review: PlacedReview) -> None:
        """Let a return or an acceptance act on the report that it names."""
        number = self._filings[review.position].relations.group
        group = self._groups[number]
        if group.returns is None:
            group.returns = self._open_history(group)
        self._changed[number] = group
        self.returns -= group.returns.count
        group.returns.apply_review(review)
        self.returns += group.returns.count

    def settle(self, instant: datetime) -> None:
        """Look again at the groups that the changes of an *instant* have changed."""
        for group in self._changed.values():
            self._review_group(group)
            if group.hold is not None and group.hold.since == instant:
                self.effective_returns.append(group.hold.number)
        self._changed.clear()

    def _add_to_group(self, position: int, filing: Filing, group: _FilingGroup) -> None:
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
            insort(group.complete, (filing.effective_at, position))
            heappush(group.complete_by_depth, (depth, position))

    def summarise(self, due_at: datetime | None, *, has_withdrawn: bool) -> FilingStatus:
        """Return the status of what is in effect: the earliest complete report decides, else the last incomplete."""
        complete = _find_first_group(self._complete)
        deciding = complete or _find_first_group(self._incomplete)
        first_sent = _first_in_effect(self._first_sent, self._in_effect)
        if deciding is None or deciding.current is None or first_sent is None:
            return NOTHING_FILED
        first_sent_at = self._filings[first_sent[-1]].effective_at
        current = self._filings[deciding.current]
        standing = _find_first_group(self._last_complete) or deciding
        returned = None if complete else _find_first_group(self._returned)
        flags = list(self._find_flags(current, due_at))
        if has_withdrawn:
            flags.append("withdrawn")
        if (
            complete
            and complete.completed
            and complete.returns
            and complete.returns.has_given_back(complete.completed[0])
        ):
            flags.append("returned_and_corrected")
        return FilingStatus(
            submissions=self._open_groups,
            is_complete=complete is not None,
            effective_at=complete.completed[0] if complete and complete.completed else first_sent_at,
            first_sent_at=first_sent_at,
            missing=(RETURNED, *current.missing) if returned else current.missing,
            flags=frozenset(flags) if flags else NO_FLAGS,
            standing=self._filings[deciding.current if standing.current is None else standing.current].submission,
            returns=self.returns,
            respond_by=returned.hold.respond_by if returned and returned.hold else None,
        )

    def _review_group(self, group: _FilingGroup) -> None:
        """Find the current filing of a group that changed, and note the group where it can decide."""
        self._open_groups -= group.current is not None
        self._accepted_groups -= group.is_accepted
        group.version += 1
        group.current = self._find_current(group)
        self._follow_returns(group)
        first = _first_in_effect(group.positions, self._in_effect)
        if group.current is None or first is None:
            return
        self._open_groups += 1
        if group.completed is not None:
            number = self._instants[group.completed[1]]
            heappush(self._complete, (number, first[0], group.version, group))
            heappush(self._last_complete, (-number, -first[0], group.version, group))
        else:
            heappush(self._incomplete, (-self._instants[group.current], first[0], group.version, group))
        if group.hold is not None:
            heappush(self._returned, (-group.hold.number, first[0], group.version, group))
        if group.corrections:
            self._maybe_amended.append(group)

    def _follow_returns(self, group: _FilingGroup) -> None:
        """Find whether the group is returned or accepted, and from when it counts (rulings 4 and 14)."""
        current, history = group.current, group.returns
        group.hold, group.is_accepted, group.completed = None, False, None
        if history is not None:
            history.settle(current)
            if current is not None:
                group.hold = history.find_hold(current)
                group.is_accepted = group.hold is None and history.is_accepted(current)
        self._accepted_groups += group.is_accepted
        if current is None or group.hold is not None or not self._filings[current].is_complete:
            return
        # When the report was first complete, in whichever version (ruling 4).
        found = group.complete[0] if history is None else history.find_first(group.complete)
        group.completed = found or (self._filings[current].effective_at, current)

    def _open_history(self, group: _FilingGroup) -> ReturnHistory:
        if self._copy_keys is None:
            self._copy_keys = returns.find_copy_keys([one.relations for one in self._filings])
        return ReturnHistory(self._filings, self._copy_keys, group.withdrawn)

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
        if self._accepted_groups:
            yield "accepted"
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
