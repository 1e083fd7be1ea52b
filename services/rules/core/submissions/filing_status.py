"""Which filings of a duty are on file at an instant, and whether they discharge it (rulings 4 to 6, 11 and 14).

A timeline asks at each instant at which something changes. The answers are therefore built step by step: a filing joins
its group when it takes effect and leaves it when it is withdrawn, and only the groups that changed are looked at again.
A whole timeline of n filings costs about n log n.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from itertools import chain

import msgspec

from services.rules.core.submissions import returns
from services.rules.core.submissions.filings import Filing
from services.rules.core.submissions.reports_in_effect import NO_FLAGS, NOTHING_FILED, FilingStatus, ReportsInEffect
from services.rules.core.submissions.returns import PlacedReview

_ALL_WITHDRAWN = FilingStatus(flags=frozenset({"withdrawn"}))

# The kinds of change, in the order in which those of one instant are applied: what is withdrawn took effect before, and
# a review does not touch a correction that takes effect at the same instant (ruling 14).
_TAKES_EFFECT, _IS_WITHDRAWN, _IS_REVIEWED = range(3)

# When a change comes, its kind, and the position of the filing, or of the review among the reviews.
_Change = tuple[datetime, int, int]


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
        "_reviews",
    )

    def __init__(self, filings: Sequence[Filing], agency: str) -> None:
        self._filings = filings
        self._agency = agency
        self._reviews = returns.place_reviews(filings) if any(one.reviews for one in filings) else []
        self._changes = _list_changes(filings, self._reviews)
        self._applied = 0
        self._in_effect = 0
        self._has_withdrawn = False
        self._reports = ReportsInEffect(filings, agency) if len(filings) > 1 or self._reviews else None
        self._due_at: datetime | None = None
        self._cached_status: FilingStatus | None = NOTHING_FILED
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

    def list_effective_returns(self) -> list[PlacedReview]:
        """Return the returns so far that held a current version when they began to act, in order of time."""
        return [] if self._reports is None else [self._reviews[number] for number in self._reports.effective_returns]

    def _advance(self, instant: datetime) -> None:
        """Apply the changes up to *instant*."""
        while self._applied < len(self._changes) and self._changes[self._applied][0] <= instant:
            at, kind, position = self._changes[self._applied]
            self._applied += 1
            self._cached_status = None
            self._apply(kind, position)
            is_last = self._applied == len(self._changes) or self._changes[self._applied][0] > at
            if is_last and self._reports is not None:
                self._reports.settle(at)

    def _apply(self, kind: int, position: int) -> None:
        if kind == _IS_REVIEWED:
            review = self._reviews[position]
            self._add_evidence(3 * review.position + 1, (review.review.id,))
            if self._reports is not None:
                self._reports.apply_review(review)
            return
        filing = self._filings[position]
        if kind == _IS_WITHDRAWN:
            self._in_effect -= 1
            self._has_withdrawn = True
            self._add_evidence(3 * position + 2, (filing.ended_by or "",))
        else:
            self._in_effect += 1
            self._add_evidence(3 * position, (filing.submission.id, *filing.moved_by))
        if self._reports is not None:
            self._reports.apply(position, is_end=kind == _IS_WITHDRAWN)

    def _add_evidence(self, place: int, ids: tuple[str, ...]) -> None:
        at = bisect_right(self._evidence_places, place)
        self._evidence_places.insert(at, place)
        self._evidence.insert(at, ids)

    def _summarise(self, due_at: datetime | None) -> FilingStatus:
        if not self._in_effect:
            return self._summarise_nothing()
        if self._reports is None:
            return _summarise_one(self._filings[0], self._agency)
        return self._reports.summarise(due_at, has_withdrawn=self._has_withdrawn)

    def _summarise_nothing(self) -> FilingStatus:
        if not self._has_withdrawn:
            return NOTHING_FILED
        count = 0 if self._reports is None else self._reports.returns
        return msgspec.structs.replace(_ALL_WITHDRAWN, returns=count) if count else _ALL_WITHDRAWN


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
        flags=frozenset(flags) if flags else NO_FLAGS,
        standing=filing.submission,
    )


def _list_changes(filings: Sequence[Filing], reviews: Sequence[PlacedReview]) -> list[_Change]:
    """Return the changes of *filings* and the *reviews* in order of time."""
    changes = [(one.effective_at, _TAKES_EFFECT, position) for position, one in enumerate(filings)]
    changes.extend(
        [(one.ended_at, _IS_WITHDRAWN, position) for position, one in enumerate(filings) if one.ended_at is not None]
    )
    changes.extend([(one.acts_at, _IS_REVIEWED, number) for number, one in enumerate(reviews)])
    return sorted(changes)
