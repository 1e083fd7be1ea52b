"""What stands on file at an instant, and whether it discharges the duty (rulings 4 to 6 and 11)."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from services.rules.core.facts import arrival, identity
from services.rules.core.filings import Filing

_NO_FLAGS: frozenset[str] = frozenset()


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the file.

    `effective_at` is the discharge where `is_complete`, else when the first thing was put on file.
    """

    submissions: int = 0
    is_complete: bool = False
    effective_at: datetime | None = None
    first_sent_at: datetime | None = None
    missing: tuple[str, ...] = ()
    flags: frozenset[str] = _NO_FLAGS

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands on file."""
        return self.submissions == 0


_NOTHING = Standing()
_TAKEN_BACK = Standing(flags=frozenset({"withdrawn"}))


class _Family(msgspec.Struct, frozen=True, kw_only=True):
    """The live versions and copies of one submission."""

    current: Filing
    live: tuple[Filing, ...]

    @property
    def completed_at(self) -> datetime:
        """When it was first complete, if its current version is."""
        return min([one.effective_at for one in self.live if one.is_complete])


class File:
    """The filings of one duty of *agency*.

    Asked in order of time it works out once what they amount to for as long as the same ones stand.
    """

    __slots__ = ("_agency", "_asked", "_filings", "_found")

    def __init__(self, filings: Sequence[Filing], agency: str) -> None:
        self._filings = filings
        self._agency = agency
        self._asked: object = None
        self._found = _NOTHING

    def at(self, instant: datetime, *, due_at: datetime | None) -> Standing:
        """Return what stands on file at *instant*, judged against the due instant then in force."""
        live = [one for one in self._filings if one.is_live(instant)]
        is_taken_back = any(one.is_withdrawn(instant) for one in self._filings)
        if not live:
            return _TAKEN_BACK if is_taken_back else _NOTHING
        asked = (live, is_taken_back, due_at)
        if asked != self._asked:
            self._asked = asked
            self._found = self._amounting_to(live, due_at, is_taken_back=is_taken_back)
        return self._found

    def _amounting_to(self, live: Sequence[Filing], due_at: datetime | None, *, is_taken_back: bool) -> Standing:
        if len(live) == 1 and not is_taken_back:
            return _single(live[0], self._agency)
        return _of_several(live, due_at, self._agency, is_taken_back=is_taken_back)

    def evidence_at(self, instant: datetime) -> list[str]:
        """Return the events behind what stands on file at *instant*."""
        return [name for one in self._filings for name in one.evidence_at(instant)]


def _of_several(live: Sequence[Filing], due_at: datetime | None, agency: str, *, is_taken_back: bool) -> Standing:
    families = [_family(live, number) for number in dict.fromkeys(one.family for one in live)]
    complete = [one for one in families if one.current.is_complete]
    deciding = (
        min(complete, key=lambda one: one.completed_at)
        if complete
        else max(families, key=lambda one: one.current.effective_at)
    )
    first_sent_at = min([one.effective_at for one in live])
    flags = set(_flags(families, deciding, due_at, agency))
    return Standing(
        submissions=len(families),
        is_complete=bool(complete),
        effective_at=deciding.completed_at if complete else first_sent_at,
        first_sent_at=first_sent_at,
        missing=deciding.current.missing,
        flags=frozenset(flags | {"withdrawn"} if is_taken_back else flags),
    )


def _single(filing: Filing, agency: str) -> Standing:
    """Return what a submission amounts to while it stands alone."""
    found = []
    if filing.submission.filed_by != agency:
        found.append("filed_by_successor")
    if filing.submission.report.is_nil_return:
        found.append("nil_return")
    return Standing(
        submissions=1,
        is_complete=filing.is_complete,
        effective_at=filing.effective_at,
        first_sent_at=filing.effective_at,
        missing=filing.missing,
        flags=frozenset(found) if found else _NO_FLAGS,
    )


def _family(live: Sequence[Filing], number: int) -> _Family:
    """Return the live members of a family, and which of them is current.

    That is the last of the deepest corrections; of several copies of one document, a complete one.
    """
    members = tuple([one for one in live if one.family == number])
    if len(members) == 1:
        return _Family(current=members[0], live=members)
    last = max(members, key=lambda one: (one.depth, arrival(one.submission)))
    versions = [
        one for one in members if one is last or (one.depth == last.depth and identity(one.submission) in last.copies)
    ]
    return _Family(current=min(versions, key=lambda one: (bool(one.missing), one.effective_at)), live=members)


def _flags(families: Sequence[_Family], deciding: _Family, due_at: datetime | None, agency: str) -> Iterable[str]:
    live = [one for family in families for one in family.live]
    if len(live) > 1 and _has_copies(live):
        yield "duplicate"
    if len(families) > 1:
        yield "needs_reconciliation"
    if any(one.submission.filed_by != agency for one in live):
        yield "filed_by_successor"
    if deciding.current.submission.report.is_nil_return:
        yield "nil_return"
    if due_at is not None and any(_is_amended_late(family, due_at) for family in families):
        yield "amended_after_deadline"


def _has_copies(live: Sequence[Filing]) -> bool:
    copies = [one for one in live if one.copies]
    names = {identity(one.submission) for one in copies}
    return any(not names.isdisjoint(one.copies) for one in copies)


def _is_amended_late(family: _Family, due_at: datetime) -> bool:
    """Whether a complete report was corrected at or after due."""
    return any(
        later.effective_at >= due_at
        and any(earlier.is_complete and earlier.depth < later.depth for earlier in family.live)
        for later in family.live
        if later.depth
    )
