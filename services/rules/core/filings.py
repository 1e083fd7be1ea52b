"""The submissions of one duty as filings: when each counts, what is missing from it, what ended it (rulings 2 to 6).

A filing is a submission as it counts for a duty. This module also relates the submissions of a duty to each other:
which one corrects which, and which carry the same document. What the filings amount to together is decided by
`services.rules.core.filing_status`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from schemas.plan.plan import Requirements
from services.rules.core import completeness
from services.rules.core.duty import Duty
from services.rules.core.facts import (
    Adjustment,
    FactIdentity,
    Reassignment,
    ReportContent,
    Submission,
    Withdrawal,
    identity,
)

# Proofs of dispatch that are out of the sender's hands (ruling 2).
TRUSTED_PROOFS = frozenset({"postmark", "exchange-log", "mail-gateway"})

# The submissions that each one corrects, directly or over several steps, nearest first.
_CorrectionChains = Mapping[FactIdentity, tuple[FactIdentity, ...]]


class SubmissionRelations(msgspec.Struct, frozen=True, kw_only=True):
    """How one submission is related to the others of its duty.

    `correction_depth` counts the corrections behind it: 0 for a first report, 1 for its correction. Submissions with
    the same `group` are versions or copies of one report. `copies` are the others that carry the same document.
    """

    correction_depth: int = 0
    group: int = 0
    copies: frozenset[FactIdentity] = frozenset()


_UNRELATED = SubmissionRelations()


class Filing(msgspec.Struct, frozen=True, kw_only=True):
    """One submission, in effect from `effective_at` until `ended_at`.

    `correction_depth`, `group` and `copies` are as in `SubmissionRelations`.
    """

    submission: Submission
    effective_at: datetime
    ended_at: datetime | None
    missing: tuple[str, ...]
    correction_depth: int
    group: int
    copies: frozenset[FactIdentity]
    moved_by: tuple[str, ...]
    ended_by: str | None

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing from it."""
        return not self.missing

    def is_in_effect(self, instant: datetime) -> bool:
        """Whether it counts at *instant*."""
        return self.effective_at <= instant and (self.ended_at is None or instant < self.ended_at)

    def is_withdrawn(self, instant: datetime) -> bool:
        """Whether it has been withdrawn by *instant*."""
        return self.ended_at is not None and self.ended_at <= instant

    def evidence_at(self, instant: datetime) -> tuple[str, ...]:
        """Return the ids of the events behind its effect at *instant*."""
        if self.effective_at > instant:
            return ()
        ending = (self.ended_by,) if self.ended_by is not None and self.is_withdrawn(instant) else ()
        return (self.submission.id, *self.moved_by, *ending)


def build_filings(
    duty: Duty, submissions: Sequence[Submission], adjustments: Sequence[Adjustment]
) -> tuple[Filing, ...]:
    """Return the filings of *duty* from its docket's *submissions* and *adjustments*, each once, in order of arrival.

    A correction whose target is not known is held: it becomes a filing once the target is known (ruling 5).
    """
    if not submissions:
        return ()
    moves = _find_moves(submissions, adjustments)
    filed = [one for one in submissions if _belongs_to_duty(duty, one, moves.get(identity(one), ()))]
    relations = relate_submissions(filed)
    withdrawals = _find_withdrawals(submissions, adjustments)
    return tuple(
        [
            _build_filing(duty, one, relations[name], withdrawal=withdrawals.get(name), moved_by=moves.get(name, ()))
            for one in filed
            if (name := identity(one)) in relations
        ]
    )


def effective_at(duty: Duty, submission: Submission) -> datetime:
    """Return the dispatch time where its proof is out of the sender's hands, else the receipt (ruling 2)."""
    due = duty.version.due if duty.version else None
    counts_dispatch = due is None or due.basis == "dispatch"
    if counts_dispatch and submission.sent_at is not None and submission.proof in TRUSTED_PROOFS:
        return min(submission.sent_at, submission.received_at)
    return submission.received_at


def relate_submissions(submissions: Sequence[Submission]) -> Mapping[FactIdentity, SubmissionRelations]:
    """Return the relations of each of *submissions*; a correction that is held (ruling 5) is not in the answer."""
    if len(submissions) == 1 and submissions[0].corrects is None:
        return {identity(submissions[0]): _UNRELATED}
    chains = _follow_corrections(submissions)
    copies = _find_copies([one for one in submissions if identity(one) in chains], chains)
    groups = _group_submissions(chains, copies)
    return {
        name: SubmissionRelations(correction_depth=len(chains[name]), group=groups[name], copies=copies[name])
        for name in copies
    }


def find_submission(among: Iterable[Submission], event_id: str, source: str) -> Submission | None:
    """Return the submission that *event_id* names, one of the same *source* first: ids are unique only within one."""
    found = [one for one in among if one.id == event_id]
    return next((one for one in found if one.source == source), found[0] if found else None)


def _build_filing(
    duty: Duty,
    submission: Submission,
    relations: SubmissionRelations,
    *,
    withdrawal: Withdrawal | None,
    moved_by: Sequence[Reassignment],
) -> Filing:
    since = effective_at(duty, submission)
    requires = duty.version.requires if duty.version else Requirements()
    return Filing(
        submission=submission,
        effective_at=since,
        # Nothing is withdrawn before it took effect: a withdrawal that was received first acts at that instant.
        ended_at=max(since, withdrawal.received_at) if withdrawal else None,
        missing=completeness.find_missing(requires, submission.report),
        correction_depth=relations.correction_depth,
        group=relations.group,
        copies=relations.copies,
        moved_by=tuple([move.id for move in moved_by]),
        ended_by=withdrawal.id if withdrawal else None,
    )


def _find_moves(
    submissions: Sequence[Submission], adjustments: Iterable[Adjustment]
) -> Mapping[FactIdentity, list[Reassignment]]:
    """Return the reassignments that moved each submission, in order of arrival.

    A reassignment from a period in which the submission is not at that point moves nothing.
    """
    found: dict[FactIdentity, list[Reassignment]] = {}
    for move in adjustments:
        if not isinstance(move, Reassignment):
            continue
        target = find_submission(submissions, move.submission, move.source)
        if target is not None and _current_period(target, found.get(identity(target), ())) == move.from_period:
            found.setdefault(identity(target), []).append(move)
    return found


def _find_withdrawals(
    submissions: Sequence[Submission], adjustments: Iterable[Adjustment]
) -> Mapping[FactIdentity, Withdrawal]:
    """Return the first withdrawal of each submission that was withdrawn (ruling 5)."""
    found: dict[FactIdentity, Withdrawal] = {}
    for one in adjustments:
        if isinstance(one, Withdrawal):
            target = find_submission(submissions, one.withdraws, one.source)
            if target is not None:
                found.setdefault(identity(target), one)
    return found


def _belongs_to_duty(duty: Duty, submission: Submission, moves: Sequence[Reassignment]) -> bool:
    """Whether the submission is about the duty's period after reassignment, and its sender may file (ruling 7)."""
    may_file = submission.filed_by == duty.key.agency or submission.filed_by in duty.successors
    return may_file and _current_period(submission, moves) == duty.key.period


def _current_period(submission: Submission, moves: Sequence[Reassignment]) -> str | None:
    return moves[-1].to_period if moves else submission.period


def _follow_corrections(submissions: Sequence[Submission]) -> _CorrectionChains:
    """Return the chain behind each submission, without those whose target is unknown or that correct in a circle.

    Each pass resolves the corrections whose target already has a chain. A pass that resolves none ends the search: what
    is left names an unknown target or names each other.
    """
    found: dict[FactIdentity, tuple[FactIdentity, ...]] = {
        identity(one): () for one in submissions if one.corrects is None
    }
    pending = [(one, one.corrects) for one in submissions if one.corrects is not None]
    while pending:
        held = []
        for one, corrects in pending:
            target = find_submission(submissions, corrects, one.source)
            if target is not None and identity(target) in found:
                found[identity(one)] = (identity(target), *found[identity(target)])
            else:
                held.append((one, corrects))
        if len(held) == len(pending):
            break
        pending = held
    return found


def _find_copies(
    submissions: Sequence[Submission], chains: _CorrectionChains
) -> dict[FactIdentity, frozenset[FactIdentity]]:
    """Return for each submission the others that carry its document; a correction is no copy of what it corrects."""
    found: dict[FactIdentity, set[FactIdentity]] = {identity(one): set() for one in submissions}
    for index, one in enumerate(submissions):
        for other in submissions[index + 1 :]:
            if not _is_correction_between(identity(one), identity(other), chains) and _is_same_document(
                one.report, other.report
            ):
                found[identity(one)].add(identity(other))
                found[identity(other)].add(identity(one))
    return {name: frozenset(others) for name, others in found.items()}


def _group_submissions(
    chains: _CorrectionChains, copies: Mapping[FactIdentity, frozenset[FactIdentity]]
) -> Mapping[FactIdentity, int]:
    """Return the number of each submission's group: those joined by correction or by being copies (ruling 6)."""
    # Renumbering at every merge is quadratic, but a duty has few submissions and at most 500 facts.
    groups = {name: index for index, name in enumerate(copies)}
    for name in copies:
        for relative in (*copies[name], *chains[name][:1]):
            kept, merged = sorted((groups[name], groups[relative]))
            groups = {one: kept if number == merged else number for one, number in groups.items()}
    return groups


def _is_correction_between(one: FactIdentity, other: FactIdentity, chains: _CorrectionChains) -> bool:
    """Whether one of the two corrects the other, directly or over several steps."""
    return one in chains[other] or other in chains[one]


def _is_same_document(one: ReportContent, other: ReportContent) -> bool:
    """Whether number and year of issue, or the attached files, are the same (ruling 6).

    A number alone does not identify a document: agencies start anew with number 1 each January.
    """
    number, files = _document_number(one), _file_digests(one)
    return (number is not None and number == _document_number(other)) or (bool(files) and files == _file_digests(other))


def _document_number(report: ReportContent) -> tuple[str, int | None] | None:
    number = "".join(report.number.split()).casefold()
    return (number, report.issued_on.year if report.issued_on else None) if number else None


def _file_digests(report: ReportContent) -> frozenset[str]:
    return frozenset(file.sha256.lower() for file in report.attachments if file.sha256)
