"""What stands on file at an instant, and whether it discharges the duty (rulings 4 to 6 and 11)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.rules.core.filings import Filing


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The state of the file.

    `effective_at` is the discharge where `is_complete`, else when the first thing was put on file.
    """

    submissions: int = 0
    is_complete: bool = False
    effective_at: datetime | None = None
    first_sent_at: datetime | None = None
    missing: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands on file."""
        return self.submissions == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Family:
    """The live versions and copies of one submission."""

    current: Filing
    live: tuple[Filing, ...]

    @property
    def effective_at(self) -> datetime:
        """The first complete version's time if the current one is complete, else the first version's."""
        complete = [one.effective_at for one in self.live if one.is_complete]
        return min(complete) if self.current.is_complete else min(one.effective_at for one in self.live)


def standing(filings: Sequence[Filing], *, at: datetime, due_at: datetime | None, agency: str) -> Standing:
    """Return what stands on file at an instant, judged against the due instant then in force."""
    live = [one for one in filings if one.is_live(at)]
    withdrawn = {"withdrawn"} if any(one.is_withdrawn(at) for one in filings) else set()
    if not live:
        return Standing(flags=frozenset(withdrawn))
    families = list(_families(live))
    complete = [one for one in families if one.current.is_complete]
    deciding = (
        min(complete, key=lambda one: one.effective_at)
        if complete
        else max(families, key=lambda one: one.current.effective_at)
    )
    telling = deciding.effective_at if complete else min(one.effective_at for one in families)
    return Standing(
        submissions=len(families),
        is_complete=bool(complete),
        effective_at=telling,
        first_sent_at=min(one.effective_at for one in live),
        missing=deciding.current.missing,
        flags=frozenset(withdrawn | set(_flags(families, deciding, due_at, agency))),
    )


def _families(live: Sequence[Filing]) -> Iterable[_Family]:
    for number in dict.fromkeys(one.family for one in live):
        members = tuple(one for one in live if one.family == number)
        deepest = max(one.depth for one in members)
        latest = [one for one in members if one.depth == deepest]
        complete = [one for one in latest if one.is_complete]
        yield _Family(current=min(complete or latest, key=lambda one: one.effective_at), live=members)


def _flags(families: Sequence[_Family], deciding: _Family, due_at: datetime | None, agency: str) -> Iterable[str]:
    live = [one for family in families for one in family.live]
    names = {(one.submission.source, one.submission.id) for one in live}
    if any(one.copies & names for one in live):
        yield "duplicate"
    if len(families) > 1:
        yield "needs_reconciliation"
    if any(one.submission.filed_by != agency for one in live):
        yield "filed_by_successor"
    if deciding.current.submission.report.is_nil_return:
        yield "nil_return"
    if due_at is not None and any(_is_amended_late(family, due_at) for family in families):
        yield "amended_after_deadline"


def _is_amended_late(family: _Family, due_at: datetime) -> bool:
    """Whether a complete report was corrected at or after due."""
    return any(
        later.effective_at >= due_at
        and any(earlier.is_complete and earlier.depth < later.depth for earlier in family.live)
        for later in family.live
    )
