"""What the recipient's returns do to one report, and what answers them (ruling 14).

A return *holds* versions of the report: the one it names with its copies, and, once that one is withdrawn, the version
that it corrected. While the current version is held, the report is returned. The next complete version that is not held
answers. In time it gives the report back the instant from which it counted; later it counts from its own.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import assert_never

import msgspec

from services.rules.core.facts import ReportAcceptance, ReportReturn, Review, arrival_order
from services.rules.core.submissions.filings import DocumentKey, Filing, SubmissionRelations

# Submissions with such a key in common are copies of each other: the document, and how many of those that a submission
# corrects carry it as well. A correction with the number of what it corrects is thus no copy of it.
CopyKey = tuple[DocumentKey, int]

# A version that counts: when it took effect, and its position among the filings.
CompleteVersion = tuple[datetime, int]


class PlacedReview(msgspec.Struct, frozen=True, kw_only=True):
    """A review of the filing at `position` that acts from `acts_at`; `number` grows in the order of receipt."""

    position: int
    number: int
    review: Review
    acts_at: datetime


class Hold(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a return lays on the versions that it holds, from `since` on; `number` is that of its `PlacedReview`."""

    number: int
    since: datetime
    respond_by: datetime | None


class _Pending(msgspec.Struct, kw_only=True):
    """The report is returned and not answered, since the return that acted at `since`; `held` is what was current."""

    since: datetime
    held: int


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The last answer: the returns that it answers acted from `since` on."""

    since: datetime
    is_in_time: bool


def place_reviews(filings: Sequence[Filing]) -> list[PlacedReview]:
    """Return the reviews of all *filings* in the order of their receipt."""
    found = [(one.review, one.acts_at, position) for position, filing in enumerate(filings) for one in filing.reviews]
    found.sort(key=lambda one: arrival_order(one[0]))
    return [
        PlacedReview(position=position, number=number, review=review, acts_at=acts_at)
        for number, (review, acts_at, position) in enumerate(found)
    ]


def find_copy_keys(relations: Sequence[SubmissionRelations]) -> list[tuple[CopyKey, ...]]:
    """Return the copy keys of each submission, in near linear work: each tree of corrections is walked once."""
    found: list[tuple[CopyKey, ...]] = [()] * len(relations)
    carriers: dict[DocumentKey, list[SubmissionRelations]] = {}
    for position in sorted(range(len(relations)), key=lambda one: relations[one].first_place):
        related = relations[position]
        keys = []
        for document in related.documents:
            corrected = carriers.setdefault(document, [])
            while corrected and not corrected[-1].is_corrected_by(related):
                corrected.pop()
            keys.append((document, len(corrected)))
            corrected.append(related)
        found[position] = tuple(keys)
    return found


class ReturnHistory:
    """The returns and acceptances of one report, followed in order of time.

    An acceptance takes back the earlier returns of its submission, as if they had never been. What came before is then
    followed anew without them, in as many steps as there were.
    """

    def __init__(
        self, filings: Sequence[Filing], copy_keys: Sequence[tuple[CopyKey, ...]], withdrawn: Iterable[int]
    ) -> None:
        self._filings = filings
        self._copy_keys = copy_keys
        self._withdrawn_before = frozenset(withdrawn)
        self._steps: list[Callable[[], None]] = []
        self._in_force: dict[int | CopyKey, dict[int, PlacedReview]] = {}
        self._taken_back: set[int] = set()
        self._accepted_at: dict[int | CopyKey, datetime] = {}
        self._count = 0
        self._reset()

    def _reset(self) -> None:
        self._holds: dict[int | CopyKey, Hold] = {}
        self._withdrawn = set(self._withdrawn_before)
        self._pending: _Pending | None = None
        self._answer: _Answer | None = None
        # Complete versions do not count that took effect before this instant, or within one of these spans.
        self._counts_from: datetime | None = None
        self._spans_held: list[tuple[datetime, datetime]] = []

    @property
    def count(self) -> int:
        """How many returns act and are not taken back."""
        return self._count

    def apply_review(self, one: PlacedReview) -> None:
        """Let a return or an acceptance act."""
        match one.review:
            case ReportReturn() as fact:
                self._apply_return(one, fact)
            case ReportAcceptance():
                self._apply_acceptance(one)
            case _:
                assert_never(one.review)

    def withdraw(self, position: int) -> None:
        """Let a version be withdrawn: a return that held it holds the version that it corrected."""
        self._take_step(partial(self._withdraw, position))

    def settle(self, current: int | None) -> None:
        """Note the version that is current once all changes of an instant are applied."""
        if current is not None:
            self._take_step(partial(self._settle, current))

    def find_hold(self, position: int) -> Hold | None:
        """Return the last received return that holds a version."""
        found = [self._holds[key] for key in self._keys_of(position) if key in self._holds]
        return max(found, key=lambda one: one.number, default=None)

    def is_accepted(self, position: int) -> bool:
        """Whether a version, or a copy of it, is accepted."""
        return any(key in self._accepted_at for key in self._keys_of(position))

    def find_first(self, complete: Sequence[CompleteVersion]) -> CompleteVersion | None:
        """Return the first of the *complete* versions in effect, in order of time, that counts."""
        at = 0 if self._counts_from is None else bisect_left(complete, (self._counts_from,))
        for begun, ended in self._spans_held:
            if at < len(complete) and complete[at][0] <= begun:
                break
            at = max(at, bisect_left(complete, (ended,)))
        return complete[at] if at < len(complete) else None

    def has_given_back(self, effective_at: datetime) -> bool:
        """Whether a report that counts from *effective_at* was given this instant back by its last answer."""
        return self._answer is not None and self._answer.is_in_time and effective_at <= self._answer.since

    def _keys_of(self, position: int) -> tuple[int | CopyKey, ...]:
        return position, *self._copy_keys[position]

    def _take_step(self, step: Callable[[], None]) -> None:
        self._steps.append(step)
        step()

    def _apply_return(self, one: PlacedReview, fact: ReportReturn) -> None:
        keys = self._keys_of(one.position)
        if any(fact.received_at < self._accepted_at[key] for key in keys if key in self._accepted_at):
            return
        for key in keys:
            self._in_force.setdefault(key, {})[one.number] = one
        self._count += 1
        hold = Hold(number=one.number, since=one.acts_at, respond_by=fact.respond_by)
        self._take_step(partial(self._return, one.position, hold))

    def _apply_acceptance(self, one: PlacedReview) -> None:
        accepted_at, keys = one.review.received_at, self._keys_of(one.position)
        for key in keys:
            self._accepted_at[key] = max(accepted_at, self._accepted_at.get(key, accepted_at))
        named = {number: one for key in keys for number, one in self._in_force.get(key, {}).items()}
        taken_back = [each for each in named.values() if each.review.received_at < accepted_at]
        if not taken_back:
            return
        for each in taken_back:
            for key in self._keys_of(each.position):
                del self._in_force[key][each.number]
        self._count -= len(taken_back)
        self._taken_back.update(each.number for each in taken_back)
        self._reset()
        for step in self._steps:
            step()

    def _return(self, position: int, hold: Hold) -> None:
        if hold.number not in self._taken_back:
            self._hold(position, hold)

    def _hold(self, position: int, hold: Hold) -> None:
        """Hold a version with its copies, and for one that is withdrawn also the version that it corrected."""
        reached: int | None = position
        while reached is not None:
            for key in self._keys_of(reached):
                if key not in self._holds or self._holds[key].number < hold.number:
                    self._holds[key] = hold
            reached = self._filings[reached].relations.corrects if reached in self._withdrawn else None

    def _withdraw(self, position: int) -> None:
        self._withdrawn.add(position)
        hold = self.find_hold(position)
        if hold is not None:
            self._hold(position, hold)

    def _settle(self, current: int) -> None:
        hold = self.find_hold(current)
        if hold is not None:
            self._pending = self._pending or _Pending(since=hold.since, held=current)
            self._pending.held = current
        elif self._pending is not None and self._filings[current].is_complete:
            self._note_answer(self._filings[current].effective_at, self._pending)
            self._pending = None

    def _note_answer(self, answered_at: datetime, pending: _Pending) -> None:
        hold = self.find_hold(pending.held)
        if hold is None or answered_at <= pending.since:
            return  # the version was in effect before the return, which therefore does not touch it
        is_in_time = hold.respond_by is None or answered_at < hold.respond_by
        self._answer = _Answer(since=pending.since, is_in_time=is_in_time)
        if is_in_time:
            self._spans_held.append((pending.since, answered_at))
        else:
            self._counts_from = answered_at
            self._spans_held.clear()
