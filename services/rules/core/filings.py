"""The submissions of one duty as filings: when each counts, what it lacks, which are one document (rulings 2 to 6)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.plan import Requirements
from services.rules.core import completeness
from services.rules.core.duty import Duty
from services.rules.core.facts import Fact, Reassignment, Report, Submission, Withdrawal, arrival, identity

TRUSTED_PROOFS = frozenset({"postmark", "exchange-log", "mail-gateway"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
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
    copies: frozenset[tuple[str, str]]
    moved_by: tuple[str, ...]
    ended_by: str | None

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing from it."""
        return not self.missing

    def is_live(self, instant: datetime) -> bool:
        """Whether it counts at *instant*."""
        return self.effective_at <= instant and not self.is_withdrawn(instant)

    def is_withdrawn(self, instant: datetime) -> bool:
        """Whether it has been taken back by *instant*."""
        return self.ended_at is not None and self.ended_at <= instant

    def evidence_at(self, instant: datetime) -> tuple[str, ...]:
        """Return the events behind its effect at *instant*."""
        if self.effective_at > instant:
            return ()
        ending = (self.ended_by,) if self.ended_by is not None and self.is_withdrawn(instant) else ()
        return (self.submission.id, *self.moved_by, *ending)


def filings(duty: Duty, facts: Iterable[Fact]) -> tuple[Filing, ...]:
    """Return the filings of *duty* among the *facts* of its docket, in order of arrival.

    A correction whose target is not known is held: it takes part once the target is here (ruling 5).
    """
    known = sorted(facts, key=arrival)
    moves = [one for one in known if isinstance(one, Reassignment)]
    submissions = [one for one in known if isinstance(one, Submission) and _is_filed_here(duty, one, moves)]
    depths = _depths(submissions)
    standing = [one for one in submissions if identity(one) in depths]
    withdrawals = [one for one in known if isinstance(one, Withdrawal)]
    copies = _copies(standing)
    families = _families(standing, copies)
    requires = duty.version.requires if duty.version else Requirements()
    made = []
    for one in standing:
        ending = next((act for act in withdrawals if _target(standing, act.withdraws, act.source) is one), None)
        moved = [move.id for move in moves if _names(move.submission, move.source, one, submissions)]
        made.append(
            Filing(
                submission=one,
                effective_at=effective_at(duty, one),
                ended_at=ending.received_at if ending else None,
                missing=completeness.missing(requires, one.report),
                depth=depths[identity(one)],
                family=families[identity(one)],
                copies=copies[identity(one)],
                moved_by=tuple(moved),
                ended_by=ending.id if ending else None,
            )
        )
    return tuple(made)


def effective_at(duty: Duty, submission: Submission) -> datetime:
    """Return the dispatch time where its proof is out of the sender's hands, else the receipt (ruling 2)."""
    due = duty.version.due if duty.version else None
    counts_dispatch = due is None or due.basis == "dispatch"
    if counts_dispatch and submission.proof in TRUSTED_PROOFS and submission.sent_at is not None:
        return min(submission.sent_at, submission.received_at)
    return submission.received_at


def _is_filed_here(duty: Duty, submission: Submission, moves: Sequence[Reassignment]) -> bool:
    """Whether the submission belongs to the duty's period after reassignment, and its sender may file."""
    if submission.filed_by != duty.key.agency and submission.filed_by not in duty.line:
        return False
    period = submission.period
    for move in moves:
        if move.submission == submission.id and move.from_period == period:
            period = move.to_period
    return period == duty.key.period


def _target(among: Sequence[Submission], event_id: str, source: str) -> Submission | None:
    """Return the submission that *event_id* names: of the same source first, for ids are unique only within one."""
    named = [one for one in among if one.id == event_id]
    return next((one for one in named if one.source == source), named[0] if named else None)


def _names(event_id: str, source: str, submission: Submission, among: Sequence[Submission]) -> bool:
    return _target(among, event_id, source) is submission


def _depths(submissions: Sequence[Submission]) -> dict[tuple[str, str], int]:
    """Return how many corrections lie behind each submission; one that is held has no depth."""
    depths = {identity(one): 0 for one in submissions if one.corrects is None}
    waiting = [one for one in submissions if one.corrects is not None]
    while waiting:
        held = []
        for one in waiting:
            target = _target(submissions, one.corrects or "", one.source)
            if target is not None and target is not one and identity(target) in depths:
                depths[identity(one)] = depths[identity(target)] + 1
            else:
                held.append(one)
        if len(held) == len(waiting):
            break
        waiting = held
    return depths


def _copies(standing: Sequence[Submission]) -> dict[tuple[str, str], frozenset[tuple[str, str]]]:
    """Return for each submission the others that carry the same document; a correction is no copy of its target."""
    found: dict[tuple[str, str], set[tuple[str, str]]] = {identity(one): set() for one in standing}
    for index, one in enumerate(standing):
        for other in standing[index + 1 :]:
            if not _is_linked(one, other) and _is_same_document(one.report, other.report):
                found[identity(one)].add(identity(other))
                found[identity(other)].add(identity(one))
    return {name: frozenset(others) for name, others in found.items()}


def _is_linked(one: Submission, other: Submission) -> bool:
    return one.corrects == other.id or other.corrects == one.id


def _is_same_document(one: Report, other: Report) -> bool:
    """Whether number and year, or the files, are the same (ruling 6; a number alone starts anew each January)."""
    if _number(one) and _number(one) == _number(other):
        return True
    files = frozenset(file.sha256.lower() for file in one.attachments)
    return bool(files) and files == frozenset(file.sha256.lower() for file in other.attachments)


def _number(report: Report) -> tuple[str, int | None] | None:
    number = "".join(report.number.split()).casefold()
    return (number, report.issued_on.year if report.issued_on else None) if number else None


def _families(
    standing: Sequence[Submission], copies: dict[tuple[str, str], frozenset[tuple[str, str]]]
) -> dict[tuple[str, str], int]:
    """Return the number of each submission's family: those joined by correction or by being copies."""
    family = {identity(one): index for index, one in enumerate(standing)}
    for one in standing:
        target = None if one.corrects is None else _target(standing, one.corrects, one.source)
        kin = [*copies[identity(one)], *([identity(target)] if target else [])]
        for relative in kin:
            keep, gone = sorted((family[identity(one)], family[relative]))
            family = {name: keep if number == gone else number for name, number in family.items()}
    return family
