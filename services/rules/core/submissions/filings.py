"""The submissions of one duty as filings: when each counts, what is missing from it, what ended it (rulings 2 to 6).

A filing is a submission as it counts for a duty. What the filings amount to together is decided by
`services.rules.core.submissions.filing_status`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import assert_never

import msgspec

from schemas.plan import instants
from services.rules.core import completeness
from services.rules.core.duty import Duty
from services.rules.core.facts import (
    Adjustment,
    FactIdentity,
    Reassignment,
    ReportAcceptance,
    ReportReturn,
    Review,
    Submission,
    Withdrawal,
    identity,
)
from services.rules.core.submissions import relations
from services.rules.core.submissions.relations import SubmissionIndex, SubmissionRelations

# The proof of a report that states none.
NO_PROOF = "none"

# Proofs of dispatch that are out of the sender's hands (ruling 2).
TRUSTED_PROOFS = frozenset({"postmark", "exchange-log", "mail-gateway"})


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
    related = relations.relate_submissions(filed)
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
    return instants.in_zone(submission.sent_at, duty.zone).date() >= earliest


class _FactsAbout(msgspec.Struct, kw_only=True):
    """What else is known of one submission, each in order of arrival; of its withdrawals the first (ruling 5)."""

    moves: list[Reassignment] = []
    withdrawal: Withdrawal | None = None
    reviews: list[Review] = []


_NOTHING_ELSE = _FactsAbout()


def _build_filing(duty: Duty, submission: Submission, related: SubmissionRelations, about: _FactsAbout) -> Filing:
    # A report that was filed under an earlier plan keeps the effective instant that it has there.
    origin, withdrawal = duty.origin_of(submission), about.withdrawal
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
    index = SubmissionIndex(submissions if about_submissions else ())
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
