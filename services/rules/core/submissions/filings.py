"""The submissions of one duty as filings: when each counts, what is missing from it, what ended it (rulings 2 to 6).

A filing is a submission as it counts for a duty. Filings are related: one corrects another, some carry the same
document (ruling 6). `services.rules.core.submissions.filing_status` decides which of them are on file at an instant.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import assert_never

import msgspec

from schemas.plan import values
from schemas.text import comparison
from services.rules.core import completeness
from services.rules.core.duty import Duty
from services.rules.core.facts import (
    Adjustment,
    FactIdentity,
    FactIndex,
    Reassignment,
    ReportAcceptance,
    ReportContent,
    ReportReturn,
    Review,
    Submission,
    Withdrawal,
    identity,
)

# The proof of a report that states none.
NO_PROOF = "none"

# Proofs of dispatch that are out of the sender's hands (ruling 2).
TRUSTED_PROOFS = frozenset({"postmark", "exchange-log", "mail-gateway"})


# What copies of a document have in common, "number" or "files", and the position of the first submission with it.
DocumentKey = tuple[str, int]


class SubmissionRelations(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How one submission is related to the others of its duty.

    Submissions with the same `group` are versions or copies of one report. `documents` are the numbers and sets of
    files that it shares with others (ruling 6): two with one of them in common carry the same document. A group and a
    document are named by the position of the first submission that has them.

    Corrections form trees, in which a submission stands below the one it corrects. `correction_depth` is 0 for a first
    report, 1 for its correction. `first_place` numbers the submissions tree by tree, each before its corrections, and
    `last_place` is the highest number among it and all corrections below it. `corrects` is the position of the
    submission that it corrects.
    """

    group: int
    first_place: int
    last_place: int
    correction_depth: int = 0
    corrects: int | None = None
    documents: tuple[DocumentKey, ...] = ()

    def is_corrected_by(self, other: "SubmissionRelations") -> bool:
        """Whether *other* corrects this submission, directly or over several steps."""
        return self.first_place < other.first_place <= self.last_place


_UNRELATED = SubmissionRelations(group=0, first_place=0, last_place=0)


class FilingReview(msgspec.Struct, frozen=True, kw_only=True):
    """A return or an acceptance that names a filing. It acts from `acts_at`: its receipt, or when the filing counts."""

    review: Review
    acts_at: datetime


class Filing(msgspec.Struct, frozen=True, kw_only=True):
    """One submission, in effect from `effective_at` until `ended_at`; `reviews` name it, in order of arrival."""

    submission: Submission
    effective_at: datetime
    ended_at: datetime | None
    missing: tuple[str, ...]
    relations: SubmissionRelations
    moved_by: tuple[str, ...]
    ended_by: str | None
    is_dispatch_unproven: bool
    reviews: tuple[FilingReview, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing from it."""
        return not self.missing


def build_filings(
    duty: Duty, submissions: Sequence[Submission], adjustments: Sequence[Adjustment]
) -> tuple[Filing, ...]:
    """Return the filings of *duty* from its docket's *submissions* and *adjustments*, in order of arrival."""
    if not submissions:
        return ()
    about = _find_facts_about(submissions, adjustments)
    filed = [one for one in submissions if _belongs_to_duty(duty, one, about.get(identity(one), _NOTHING_ELSE).moves)]
    related = relate_submissions(filed)
    named = {identity(one): one for one in filed}
    return tuple(
        [_build_filing(duty, one, related[name], about.get(name, _NOTHING_ELSE)) for name, one in named.items()]
    )


def effective_at(duty: Duty, submission: Submission) -> datetime:
    """Return the dispatch time where it counts, else the receipt (ruling 2); never later than the receipt."""
    if submission.sent_at is not None and _has_dispatch_basis(duty) and _is_dispatch_proven(duty, submission):
        return min(submission.sent_at, submission.received_at)
    return submission.received_at


def is_dispatch_unproven(duty: Duty, submission: Submission) -> bool:
    """Whether a proof is stated of a dispatch that would count, and does not hold (ruling 12)."""
    has_proof = submission.proof != NO_PROOF
    return has_proof and _has_dispatch_basis(duty) and not _is_dispatch_proven(duty, submission)


def _has_dispatch_basis(duty: Duty) -> bool:
    due = duty.version.due if duty.version else None
    return due is None or due.basis == "dispatch"


def _is_dispatch_proven(duty: Duty, submission: Submission) -> bool:
    """Whether the dispatch has a proof out of the sender's hands that holds, and a day on which it could have been."""
    if submission.sent_at is None or submission.proof not in TRUSTED_PROOFS:
        return False
    if not (submission.is_proof_permitted and submission.has_proof_reference):
        return False
    issued_on = submission.report.issued_on
    earliest = duty.plan_issued_on if issued_on is None else max(duty.plan_issued_on, issued_on)
    return values.move_to_zone(submission.sent_at, duty.zone).date() >= earliest


class _FactsAbout(msgspec.Struct, kw_only=True):
    """What else is known of one submission, each in order of arrival; of its withdrawals the first (ruling 5)."""

    moves: list[Reassignment] = []
    withdrawal: Withdrawal | None = None
    reviews: list[Review] = []


_NOTHING_ELSE = _FactsAbout()


def _build_filing(duty: Duty, submission: Submission, related: SubmissionRelations, about: _FactsAbout) -> Filing:
    # A report that was filed under an earlier plan keeps the effective instant that it has there.
    origin = duty.origin_of(submission) if duty.carried_from else duty
    withdrawal = about.withdrawal
    since = effective_at(origin, submission)
    return Filing(
        submission=submission,
        effective_at=since,
        # Nothing is withdrawn before it took effect: a withdrawal that was received first acts at that instant.
        ended_at=max(since, withdrawal.received_at) if withdrawal else None,
        missing=completeness.find_missing(duty.requirements, submission.report),
        relations=related,
        moved_by=tuple([move.id for move in about.moves]),
        ended_by=withdrawal.id if withdrawal else None,
        is_dispatch_unproven=is_dispatch_unproven(origin, submission),
        reviews=tuple([FilingReview(review=one, acts_at=max(since, one.received_at)) for one in about.reviews]),
    )


def _find_facts_about(
    submissions: Sequence[Submission], adjustments: Iterable[Adjustment]
) -> Mapping[FactIdentity, _FactsAbout]:
    """Return the moves, withdrawals and reviews that name each submission; what names none of them is held.

    A reassignment from a period in which the submission is not at that point moves nothing. A review follows the
    submission that it names, whatever its own period says.
    """
    found: dict[FactIdentity, _FactsAbout] = {}
    kinds = (Reassignment, Withdrawal, ReportReturn, ReportAcceptance)
    about_submissions = [one for one in adjustments if isinstance(one, kinds)]
    index = FactIndex(submissions if about_submissions else ())
    for one in about_submissions:
        target = index.find(one.withdraws if isinstance(one, Withdrawal) else one.submission, one.source)
        if target is None:
            continue
        about = found.setdefault(identity(target), _FactsAbout())
        match one:
            case Withdrawal():
                about.withdrawal = about.withdrawal or one
            case Reassignment():
                if _current_period(target, about.moves) == one.from_period:
                    about.moves.append(one)
            case ReportReturn() | ReportAcceptance():
                about.reviews.append(one)
            case _:
                assert_never(one)
    return found


def _belongs_to_duty(duty: Duty, submission: Submission, moves: Sequence[Reassignment]) -> bool:
    """Whether the submission is about the duty's period after reassignment, and its sender may file (ruling 7)."""
    may_file = submission.filed_by == duty.key.agency or submission.filed_by in duty.successors
    return may_file and _current_period(submission, moves) == duty.key.period


def _current_period(submission: Submission, moves: Sequence[Reassignment]) -> str | None:
    return moves[-1].to_period if moves else submission.period


def relate_submissions(submissions: Sequence[Submission]) -> Mapping[FactIdentity, SubmissionRelations]:
    """Return the relations of each of *submissions*.

    A correction whose target is not among them stands alone, and so does each of those that name each other in a circle
    (ruling 13).

    The cost is near linear in their number, because no pair of them is compared: those that carry the same document
    meet in a table of numbers and files, and whether one corrects another follows from their places in the trees.
    """
    if len(submissions) == 1:
        return {identity(submissions[0]): _UNRELATED}
    trees = _build_correction_trees(submissions)
    reports = {identity(one): one.report for one in submissions}
    numbers = _find_shared_positions([_document_number(one) for one in reports.values()])
    files = _find_shared_positions([_file_digests(one) for one in reports.values()])
    positions = {name: position for position, name in enumerate(reports)}
    targets = [None if (target := trees[name].target) is None else positions[target] for name in reports]
    groups = _join_groups(numbers, files, targets)
    return {
        name: SubmissionRelations(
            group=groups[position],
            first_place=trees[name].first_place,
            last_place=trees[name].last_place,
            correction_depth=trees[name].depth,
            corrects=targets[position],
            documents=_name_documents(numbers[position], files[position]),
        )
        for name, position in positions.items()
    }


class _TreePlace(msgspec.Struct, kw_only=True, gc=False):
    """Where a submission stands in its tree of corrections; see `SubmissionRelations`."""

    target: FactIdentity | None
    depth: int
    first_place: int
    last_place: int


def _build_correction_trees(submissions: Sequence[Submission]) -> Mapping[FactIdentity, _TreePlace]:
    """Return the place of each submission in its tree of corrections."""
    targets = _find_targets(submissions)
    corrections: dict[FactIdentity, list[FactIdentity]] = {}
    for correction, corrected in targets.items():
        corrections.setdefault(corrected, []).append(correction)
    found: dict[FactIdentity, _TreePlace] = {}
    waiting: list[tuple[FactIdentity, FactIdentity | None]] = [
        (name, None) for one in reversed(submissions) if (name := identity(one)) not in targets
    ]
    # A stack, not recursion: a chain of corrections may be longer than Python's stack is deep.
    while waiting:
        name, target = waiting.pop()
        depth, number = 0 if target is None else found[target].depth + 1, len(found)
        found[name] = _TreePlace(target=target, depth=depth, first_place=number, last_place=number)
        if name in corrections:
            waiting.extend([(one, name) for one in corrections[name]])
    # Corrections stand behind their target, so going backwards each last place is final before it is passed on.
    for place in reversed(found.values()) if corrections else ():
        if place.target is not None:
            target_place = found[place.target]
            target_place.last_place = max(target_place.last_place, place.last_place)
    return found


def _find_targets(submissions: Sequence[Submission]) -> dict[FactIdentity, FactIdentity]:
    """Return what each correction corrects, where that is known and does not lead back to it (ruling 13)."""
    corrections = [(one, one.corrects) for one in submissions if one.corrects is not None]
    if not corrections:
        return {}
    index = FactIndex(submissions)
    targets = {
        identity(one): identity(target)
        for one, corrects in corrections
        if (target := index.find(corrects, one.source)) is not None
    }
    for name in _find_circles(targets):
        del targets[name]
    return targets


def _find_circles(targets: Mapping[FactIdentity, FactIdentity]) -> list[FactIdentity]:
    """Return every submission from which following *targets* leads back to itself."""
    found: list[FactIdentity] = []
    followed: set[FactIdentity] = set()
    for start in targets:
        places: dict[FactIdentity, int] = {}  # of the submissions on this path
        last = start
        while last in targets and last not in followed:
            followed.add(last)
            places[last] = len(places)
            last = targets[last]
        if last in places:
            found += list(places)[places[last] :]
    return found


def _find_shared_positions(keys: Iterable[Hashable | None]) -> list[int | None]:
    """Return for each key the position of the first key equal to it, and None for None and for a key that is alone."""
    first: dict[Hashable, int] = {}
    found = [None if key is None else first.setdefault(key, position) for position, key in enumerate(keys)]
    shared = {one for position, one in enumerate(found) if one != position}
    return [one if one in shared else None for one in found]


def _name_documents(number: int | None, files: int | None) -> tuple[DocumentKey, ...]:
    by_number = () if number is None else (("number", number),)
    return by_number if files is None else (*by_number, ("files", files))


def _join_groups(*relatives: Sequence[int | None]) -> list[int]:
    """Return the lowest position in the group of each position, which is joined with those that it is related to.

    This is union-find with path halving. Each of *relatives* holds one related position, or None, for each position.
    """
    first = list(range(len(relatives[0])))

    def find_first(position: int) -> int:
        while first[position] != position:
            first[position] = first[first[position]]
            position = first[position]
        return position

    for related_positions in relatives:
        for position, related in enumerate(related_positions):
            if related is not None and related != position:
                one, other = find_first(position), find_first(related)
                first[max(one, other)] = min(one, other)
    return [find_first(position) for position in range(len(first))]


def _document_number(report: ReportContent) -> tuple[str, int | None] | None:
    """Return the number and its year of issue; alone it identifies nothing, for each January starts anew with 1."""
    number = comparison.make_number_key(report.number)
    return (number, report.issued_on.year if report.issued_on else None) if number else None


def _file_digests(report: ReportContent) -> frozenset[str] | None:
    return frozenset([file.sha256.lower() for file in report.attachments if file.sha256]) or None
