"""What the filings of a duty amount to at an instant, and whether they discharge it (rulings 4 to 6 and 11)."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from services.rules.core.facts import arrival_order, identity
from services.rules.core.filings import Filing

_NO_FLAGS: frozenset[str] = frozenset()


class FilingStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What is on file at one instant.

    `submissions` counts reports, not their copies or versions. `effective_at` is the instant of the discharge where
    `is_complete`, else the instant at which the first submission took effect.
    """

    submissions: int = 0
    is_complete: bool = False
    effective_at: datetime | None = None
    first_sent_at: datetime | None = None
    missing: tuple[str, ...] = ()
    flags: frozenset[str] = _NO_FLAGS

    @property
    def is_empty(self) -> bool:
        """Whether nothing is on file."""
        return self.submissions == 0


_NOTHING_FILED = FilingStatus()
_ALL_WITHDRAWN = FilingStatus(flags=frozenset({"withdrawn"}))


class _FilingGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The versions and copies of one report that are in effect; `current` is the one whose content counts."""

    current: Filing
    members: tuple[Filing, ...]

    @property
    def completed_at(self) -> datetime:
        """When the report was first complete; only asked where its current version is complete (ruling 4)."""
        return min([one.effective_at for one in self.members if one.is_complete])


class FilingHistory:
    """The filings of one duty of *agency*, asked for their status in order of time.

    The last answer is cached, because the same filings are in effect at most of the instants asked about.
    """

    __slots__ = ("_agency", "_cache_key", "_cached_status", "_filings")

    def __init__(self, filings: Sequence[Filing], agency: str) -> None:
        self._filings = filings
        self._agency = agency
        self._cache_key: object = None
        self._cached_status = _NOTHING_FILED

    def status_at(self, instant: datetime, *, due_at: datetime | None) -> FilingStatus:
        """Return what is on file at *instant*, measured against the due instant then in force."""
        in_effect = [one for one in self._filings if one.is_in_effect(instant)]
        has_withdrawn = any(one.is_withdrawn(instant) for one in self._filings)
        if not in_effect:
            return _ALL_WITHDRAWN if has_withdrawn else _NOTHING_FILED
        cache_key = (in_effect, has_withdrawn, due_at)
        if cache_key != self._cache_key:
            self._cache_key = cache_key
            self._cached_status = self._summarise(in_effect, due_at, has_withdrawn=has_withdrawn)
        return self._cached_status

    def evidence_at(self, instant: datetime) -> list[str]:
        """Return the ids of the events behind what is on file at *instant*."""
        return [name for one in self._filings for name in one.evidence_at(instant)]

    def _summarise(self, in_effect: Sequence[Filing], due_at: datetime | None, *, has_withdrawn: bool) -> FilingStatus:
        if len(in_effect) == 1 and not has_withdrawn:
            return _summarise_one(in_effect[0], self._agency)
        return _summarise_several(in_effect, due_at, self._agency, has_withdrawn=has_withdrawn)


def _summarise_one(filing: Filing, agency: str) -> FilingStatus:
    """Return the status while *filing* is the only one in effect and none was withdrawn."""
    flags = []
    if filing.submission.filed_by != agency:
        flags.append("filed_by_successor")
    if filing.submission.report.is_nil_return:
        flags.append("nil_return")
    return FilingStatus(
        submissions=1,
        is_complete=filing.is_complete,
        effective_at=filing.effective_at,
        first_sent_at=filing.effective_at,
        missing=filing.missing,
        flags=frozenset(flags) if flags else _NO_FLAGS,
    )


def _summarise_several(
    in_effect: Sequence[Filing], due_at: datetime | None, agency: str, *, has_withdrawn: bool
) -> FilingStatus:
    """Return the status of several filings: the earliest complete report decides, else the last incomplete one."""
    groups = [_build_group(in_effect, number) for number in dict.fromkeys(one.group for one in in_effect)]
    complete = [one for one in groups if one.current.is_complete]
    deciding = (
        min(complete, key=lambda one: one.completed_at)
        if complete
        else max(groups, key=lambda one: one.current.effective_at)
    )
    first_sent_at = min([one.effective_at for one in in_effect])
    flags = set(_find_flags(groups, deciding, due_at, agency))
    return FilingStatus(
        submissions=len(groups),
        is_complete=bool(complete),
        effective_at=deciding.completed_at if complete else first_sent_at,
        first_sent_at=first_sent_at,
        missing=deciding.current.missing,
        flags=frozenset(flags | {"withdrawn"} if has_withdrawn else flags),
    )


def _build_group(in_effect: Sequence[Filing], number: int) -> _FilingGroup:
    """Return the group's filings in effect and the current one: the last received of the deepest corrections.

    Where that one has copies of the same depth, a complete copy is current (ruling 6).
    """
    members = tuple([one for one in in_effect if one.group == number])
    if len(members) == 1:
        return _FilingGroup(current=members[0], members=members)
    last = max(members, key=lambda one: (one.correction_depth, arrival_order(one.submission)))
    candidates = [
        one
        for one in members
        if one is last or (one.correction_depth == last.correction_depth and identity(one.submission) in last.copies)
    ]
    return _FilingGroup(current=min(candidates, key=lambda one: (bool(one.missing), one.effective_at)), members=members)


def _find_flags(
    groups: Sequence[_FilingGroup], deciding: _FilingGroup, due_at: datetime | None, agency: str
) -> Iterable[str]:
    in_effect = [one for group in groups for one in group.members]
    if len(in_effect) > 1 and _has_copies(in_effect):
        yield "duplicate"
    if len(groups) > 1:
        yield "needs_reconciliation"
    if any(one.submission.filed_by != agency for one in in_effect):
        yield "filed_by_successor"
    if deciding.current.submission.report.is_nil_return:
        yield "nil_return"
    if due_at is not None and any(_is_amended_late(group, due_at) for group in groups):
        yield "amended_after_deadline"


def _has_copies(in_effect: Sequence[Filing]) -> bool:
    copies = [one for one in in_effect if one.copies]
    names = {identity(one.submission) for one in copies}
    return any(not names.isdisjoint(one.copies) for one in copies)


def _is_amended_late(group: _FilingGroup, due_at: datetime) -> bool:
    """Whether a complete report was corrected at or after due."""
    return any(
        later.effective_at >= due_at
        and any(earlier.is_complete and earlier.correction_depth < later.correction_depth for earlier in group.members)
        for later in group.members
        if later.correction_depth
    )
