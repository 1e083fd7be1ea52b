"""One report with its versions and copies at an instant, straight from the rulings and without regard to cost.

What was current, returned and answered is worked out anew for each instant, moment by moment from the beginning.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.rules.core.facts import ReportAcceptance, ReportReturn, Review, Submission, arrival_order
from services.rules.core.submissions import filings


@dataclass(frozen=True, kw_only=True)
class Report:
    """A submission of the duty, all that it corrects (nearest first), and when it counts."""

    submission: Submission
    corrects: tuple[Submission, ...]
    effective_at: datetime
    ended_at: datetime | None
    missing: tuple[str, ...]
    moved_by: tuple[str, ...]
    ended_by: tuple[str, ...]
    is_unproven: bool
    reviews: tuple[Review, ...] = ()

    def is_in_effect(self, instant: datetime) -> bool:
        """Whether it has taken effect and is not withdrawn."""
        return self.effective_at <= instant and not self.is_withdrawn(instant)

    def is_withdrawn(self, instant: datetime) -> bool:
        """Whether it is withdrawn by then."""
        return self.ended_at is not None and self.ended_at <= instant

    def acts_at(self, review: Review) -> datetime:
        """Return when a review of it acts: it waits for what it names."""
        return max(self.effective_at, review.received_at)

    @property
    def documents(self) -> set[object]:
        """Its number and its set of files, as far as it has them."""
        return _documents_of(self.submission)

    @property
    def copy_keys(self) -> set[tuple[object, int]]:
        """Its documents, each with how many of those that it corrects carry it as well (ruling 14)."""
        return {(one, sum(one in _documents_of(below) for below in self.corrects)) for one in self.documents}

    def is_same_submission(self, other: "Report") -> bool:
        """Whether a review of the one is a review of the other."""
        return self is other or bool(self.copy_keys & other.copy_keys)

    def is_copy_of(self, other: "Report") -> bool:
        """Whether both carry the same document and neither corrects the other (ruling 6)."""
        is_correction = self.submission in other.corrects or other.submission in self.corrects
        return bool(self.documents & other.documents) and not is_correction and self is not other


@dataclass(kw_only=True)
class JudgedReport:
    """What a report amounts to: its current version, from when it counts, and what the recipient said of it."""

    current: Report
    counts_at: datetime | None
    held_by: ReportReturn | None = None
    is_accepted: bool = False
    is_given_back: bool = False


def judge(versions: Sequence[Report], instant: datetime) -> JudgedReport | None:
    """Return what the report with these *versions* amounts to at *instant*; None if nothing of it is in effect."""
    in_effect = [one for one in versions if one.is_in_effect(instant)]
    if not in_effect:
        return None
    course = Course(versions=versions, returns=find_returns(versions, instant))
    for moment in _list_moments(versions, instant):
        course.advance(moment)
    current = find_current(in_effect)
    held_by = course.find_hold(current)
    accepted = [one for one in versions for each in one.reviews if _has_accepted(one, each, instant)]
    is_accepted = held_by is None and any(current.is_same_submission(one) for one in accepted)
    if held_by is not None or current.missing:
        return JudgedReport(current=current, counts_at=None, held_by=held_by, is_accepted=is_accepted)
    counting = [one.effective_at for one in in_effect if not one.missing and course.counts(one.effective_at)]
    counts_at = min(counting, default=current.effective_at)
    return JudgedReport(
        current=current, counts_at=counts_at, is_accepted=is_accepted, is_given_back=course.is_given_back(counts_at)
    )


def find_returns(versions: Sequence[Report], instant: datetime) -> list[tuple[Report, ReportReturn]]:
    """Return the returns that act by *instant* and that no acceptance received later has taken back."""
    accepted = [(one, each) for one in versions for each in one.reviews if _has_accepted(one, each, instant)]
    return sorted(
        [
            (one, each)
            for one in versions
            for each in one.reviews
            if isinstance(each, ReportReturn)
            and one.acts_at(each) <= instant
            and not any(
                acceptance.received_at > each.received_at and other.is_same_submission(one)
                for other, acceptance in accepted
            )
        ],
        key=lambda found: arrival_order(found[1]),
    )


def find_current(group: Sequence[Report]) -> Report:
    """Return the last received of the deepest corrections, or the earliest complete one of its copies as deep."""
    last = max(group, key=lambda one: (len(one.corrects), arrival_order(one.submission)))
    equals = [one for one in group if one is last or (len(one.corrects) == len(last.corrects) and one.is_copy_of(last))]
    return min(equals, key=lambda one: (bool(one.missing), one.effective_at))


@dataclass(kw_only=True)
class Course:
    """The course of a report from one moment to the next, under the returns that are in force in the end."""

    versions: Sequence[Report]
    returns: Sequence[tuple[Report, ReportReturn]]
    holds: list[tuple[Report, ReportReturn]] = field(default_factory=list)
    returned_since: datetime | None = None
    returned: Report | None = None
    answers: list[tuple[datetime, datetime, bool]] = field(default_factory=list)

    def advance(self, moment: datetime) -> None:
        """Apply what happens at *moment*, then look at the current version."""
        for one in self.versions:
            hold = self.find_hold(one)
            if one.ended_at == moment and hold is not None:
                self.hold(one, hold, moment)
        for one, each in self.returns:
            if one.acts_at(each) == moment:
                self.hold(one, each, moment)
        in_effect = [one for one in self.versions if one.is_in_effect(moment)]
        if in_effect:
            self.look_at(find_current(in_effect))

    def hold(self, version: Report, by: ReportReturn, moment: datetime) -> None:
        """Hold *version*, and what it corrects if it is withdrawn."""
        self.holds.append((version, by))
        target = next((one for one in self.versions if one.submission in version.corrects[:1]), None)
        if version.is_withdrawn(moment) and target is not None:
            self.hold(target, by, moment)

    def find_hold(self, version: Report) -> ReportReturn | None:
        """Return the last received return that holds *version* or a copy of it."""
        found = [by for one, by in self.holds if one.is_same_submission(version)]
        return max(found, key=arrival_order, default=None)

    def look_at(self, current: Report) -> None:
        """Note that the report is returned, or answered."""
        hold = self.find_hold(current)
        if hold is not None:
            if self.returned_since is None:
                self.returned_since = self.acts_from(hold)
            self.returned = current
        elif not current.missing and self.returned_since is not None and self.returned is not None:
            asked = self.find_hold(self.returned)
            if asked is not None and current.effective_at > self.returned_since:
                is_in_time = asked.respond_by is None or current.effective_at < asked.respond_by
                self.answers.append((self.returned_since, current.effective_at, is_in_time))
            self.returned_since = self.returned = None

    def acts_from(self, one: ReportReturn) -> datetime:
        """Return when a return acts."""
        return next(version.acts_at(each) for version, each in self.returns if each is one)

    def counts(self, effective_at: datetime) -> bool:
        """Whether a complete version of that instant counts: an answer in time leaves what was before the return."""
        return not any(
            (since < effective_at or not is_in_time) and effective_at < answered_at
            for since, answered_at, is_in_time in self.answers
        )

    def is_given_back(self, counts_at: datetime) -> bool:
        """Whether the last answer came in time and gave back an instant from before the return."""
        return bool(self.answers) and self.answers[-1][2] and counts_at <= self.answers[-1][0]


def _documents_of(submission: Submission) -> set[object]:
    report = submission.report
    found: set[object] = {filings._document_number(report), filings._file_digests(report)}
    return found - {None}


def _has_accepted(version: Report, review: Review, instant: datetime) -> bool:
    return isinstance(review, ReportAcceptance) and version.acts_at(review) <= instant


def _list_moments(versions: Iterable[Report], instant: datetime) -> list[datetime]:
    named = {one.effective_at for one in versions} | {one.ended_at for one in versions}
    named |= {one.acts_at(review) for one in versions for review in one.reviews}
    return sorted(moment for moment in named if moment is not None and moment <= instant)
