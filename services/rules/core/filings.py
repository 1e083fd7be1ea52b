"""The submissions of one duty as filings: when each counts, what it lacks, what ended it (rulings 2, 4 and 5)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from schemas.plan.plan import Requirements
from services.rules.core import completeness, related_filings
from services.rules.core.duty import Duty
from services.rules.core.facts import Act, Reassignment, Submission, Withdrawal, identity
from services.rules.core.related_filings import Identity, Kin

TRUSTED_PROOFS = frozenset({"postmark", "exchange-log", "mail-gateway"})


class Filing(msgspec.Struct, frozen=True, kw_only=True):
    """One submission in effect from `effective_at` until `ended_at`.

    `depth` counts the corrections behind it; filings of one `family` are versions or copies of one submission;
    `copies` are the other filings of the same document.
    """

    submission: Submission
    effective_at: datetime
    ended_at: datetime | None
    missing: tuple[str, ...]
    depth: int
    family: int
    copies: frozenset[Identity]
    moved_by: tuple[str, ...]
    ended_by: str | None

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing from it."""
        return not self.missing

    def is_live(self, instant: datetime) -> bool:
        """Whether it counts at *instant*."""
        return self.effective_at <= instant and (self.ended_at is None or instant < self.ended_at)

    def is_withdrawn(self, instant: datetime) -> bool:
        """Whether it has been taken back by *instant*."""
        return self.ended_at is not None and self.ended_at <= instant

    def evidence_at(self, instant: datetime) -> tuple[str, ...]:
        """Return the events behind its effect at *instant*."""
        if self.effective_at > instant:
            return ()
        ending = (self.ended_by,) if self.ended_by is not None and self.is_withdrawn(instant) else ()
        return (self.submission.id, *self.moved_by, *ending)


def filings(duty: Duty, submissions: Sequence[Submission], acts: Sequence[Act]) -> tuple[Filing, ...]:
    """Return the filings of *duty* from the *submissions* and *acts* of its docket, once each, in order of arrival.

    A correction whose target is not known is held: it takes part once the target is here (ruling 5).
    """
    if not submissions:
        return ()
    moves = _moves(submissions, acts)
    filed = [one for one in submissions if _is_filed_here(duty, one, moves.get(identity(one), ()))]
    kin = related_filings.kin(filed)
    endings = _endings(submissions, acts)
    return tuple(
        [
            _filing(duty, one, kin[name], ending=endings.get(name), moved_by=moves.get(name, ()))
            for one in filed
            if (name := identity(one)) in kin
        ]
    )


def effective_at(duty: Duty, submission: Submission) -> datetime:
    """Return the dispatch time where its proof is out of the sender's hands, else the receipt (ruling 2)."""
    due = duty.version.due if duty.version else None
    counts_dispatch = due is None or due.basis == "dispatch"
    if counts_dispatch and submission.sent_at is not None and submission.proof in TRUSTED_PROOFS:
        return min(submission.sent_at, submission.received_at)
    return submission.received_at


def _filing(
    duty: Duty,
    submission: Submission,
    kin: Kin,
    *,
    ending: Withdrawal | None,
    moved_by: Sequence[Reassignment],
) -> Filing:
    since = effective_at(duty, submission)
    return Filing(
        submission=submission,
        effective_at=since,
        ended_at=max(since, ending.received_at) if ending else None,
        missing=completeness.missing(duty.version.requires if duty.version else Requirements(), submission.report),
        depth=kin.depth,
        family=kin.family,
        copies=kin.copies,
        moved_by=tuple([move.id for move in moved_by]),
        ended_by=ending.id if ending else None,
    )


def _moves(submissions: Sequence[Submission], acts: Iterable[Act]) -> Mapping[Identity, list[Reassignment]]:
    """Return the reassignments that moved each submission, as they arrived; one from another period moves nothing."""
    found: dict[Identity, list[Reassignment]] = {}
    for move in acts:
        if not isinstance(move, Reassignment):
            continue
        target = related_filings.named(submissions, move.submission, move.source)
        if target is not None and _period(target, found.get(identity(target), ())) == move.from_period:
            found.setdefault(identity(target), []).append(move)
    return found


def _endings(submissions: Sequence[Submission], acts: Iterable[Act]) -> Mapping[Identity, Withdrawal]:
    """Return the first withdrawal of each submission."""
    found: dict[Identity, Withdrawal] = {}
    for act in acts:
        if isinstance(act, Withdrawal):
            target = related_filings.named(submissions, act.withdraws, act.source)
            if target is not None:
                found.setdefault(identity(target), act)
    return found


def _is_filed_here(duty: Duty, submission: Submission, moves: Sequence[Reassignment]) -> bool:
    """Whether the submission belongs to the duty's period after reassignment, and its sender may file."""
    may_file = submission.filed_by == duty.key.agency or submission.filed_by in duty.line
    return may_file and _period(submission, moves) == duty.key.period


def _period(submission: Submission, moves: Sequence[Reassignment]) -> str | None:
    return moves[-1].to_period if moves else submission.period
