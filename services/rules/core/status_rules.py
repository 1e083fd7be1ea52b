"""The status of a duty at one instant, and its flags: from what stands on file and the decisions in force then."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from schemas.events.assessments import Status
from services.rules.core.duty import Duty
from services.rules.core.filing_status import Standing
from services.rules.core.relief import Relieved

FLAGS = (
    "first_sent_on_time",
    "past_due",
    "amended_after_deadline",
    "duplicate",
    "needs_reconciliation",
    "under_extension",
    "was_overdue",
    "withdrawn",
    "voluntary_report",
    "revocation_refused",
    "filed_by_successor",
    "filing_kept",
    "nil_return",
)
"""The order in which flags are told; `inherited_by_ID` comes last."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides about *duty* at an instant."""

    duty: Duty
    at: datetime
    relief: Relieved
    on_file: Standing

    @property
    def is_past_due(self) -> bool:
        """Whether the due instant then in force has come."""
        return self.relief.due_at is not None and self.at >= self.relief.due_at

    @property
    def has_passed_on(self) -> bool:
        """Whether the agency ended by then and before due; one that ended later keeps its state (ruling 7)."""
        ends_at, due_at = self.duty.ends_at, self.relief.due_at
        return ends_at is not None and self.at >= ends_at and (due_at is None or ends_at < due_at)


def status(moment: Moment) -> Status:
    """Return the one status that holds at the *moment*."""
    duty, on_file = moment.duty, moment.on_file
    if duty.left_at is not None and moment.at >= duty.left_at:
        return Status.NOT_APPLICABLE
    if moment.relief.is_exempt:
        return Status.EXEMPT
    if moment.has_passed_on and not (on_file.is_complete and _precedes_end(on_file.effective_at, duty)):
        return Status.SUPERSEDED if duty.heirs else Status.ENDED_NO_SUCCESSOR
    if on_file.is_complete:
        return discharged(on_file.effective_at, moment.relief.due_at)
    if not on_file.is_empty:
        return Status.INCOMPLETE
    if moment.relief.due_at is None:
        return Status.OPEN
    return Status.OVERDUE if moment.is_past_due else Status.PENDING


def discharged(effective_at: datetime | None, due_at: datetime | None) -> Status:
    """Return the status of a duty that a complete report settles (ruling 1)."""
    if due_at is None or effective_at is None:
        return Status.FULFILLED
    return Status.ON_TIME if effective_at < due_at else Status.LATE


def flags(moment: Moment, found: Status, *, missed: datetime | None) -> tuple[str, ...]:
    """Return what is to be known besides the status that was *found*, in the order of `FLAGS`.

    *missed* is the due instant at which nothing stood on file first, if there was one.
    """
    raised = {*moment.on_file.flags, *_raised(moment, found, missed=missed)}
    told = tuple(flag for flag in FLAGS if flag in raised) if raised else ()
    if found is Status.SUPERSEDED:
        return (*told, *(f"inherited_by_{heir}" for heir in moment.duty.heirs))
    return told


def _raised(moment: Moment, found: Status, *, missed: datetime | None) -> Iterator[str]:
    on_file, relief = moment.on_file, moment.relief
    is_short = found is Status.INCOMPLETE and moment.is_past_due
    if is_short:
        yield "past_due"
    if (is_short or found is Status.LATE) and _is_first_sent_before(relief.due_at, on_file):
        yield "first_sent_on_time"
    if relief.is_extended:
        yield "under_extension"
    if missed is not None and (relief.is_exempt or relief.due_at != missed):
        yield "was_overdue"
    if relief.is_exempt and not on_file.is_empty:
        yield "voluntary_report"
    if relief.has_refused_revocation:
        yield "revocation_refused"
    if moment.has_passed_on and _precedes_end(on_file.first_sent_at, moment.duty):
        yield "filing_kept"


def _is_first_sent_before(due_at: datetime | None, on_file: Standing) -> bool:
    return due_at is not None and on_file.first_sent_at is not None and on_file.first_sent_at < due_at


def _precedes_end(filed_at: datetime | None, duty: Duty) -> bool:
    return filed_at is not None and duty.ends_at is not None and filed_at < duty.ends_at
