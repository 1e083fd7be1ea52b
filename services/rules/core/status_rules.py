"""The status of a duty at one instant, and its flags, from what is on file and the decisions in force then."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from schemas.events.assessments import Status
from services.rules.core.duty import Duty
from services.rules.core.filing_status import FilingStatus
from services.rules.core.relief import ReliefState

# The order in which flags are listed; `inherited_by_ID` comes last.
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


class StatusInputs(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides about *duty* at an instant."""

    duty: Duty
    at: datetime
    relief: ReliefState
    on_file: FilingStatus

    @property
    def is_past_due(self) -> bool:
        """Whether the due instant then in force has come (ruling 1: due is exclusive)."""
        return self.relief.due_at is not None and self.at >= self.relief.due_at

    @property
    def has_agency_ended(self) -> bool:
        """Whether the agency ended by then and before due; one that ended later keeps its state (ruling 7)."""
        ends_at, due_at = self.duty.agency_ends_at, self.relief.due_at
        return ends_at is not None and self.at >= ends_at and (due_at is None or ends_at < due_at)


def decide_status(inputs: StatusInputs) -> Status:
    """Return the one status that follows from *inputs* (the table of contract section 5; rulings 4, 7, 8 and 10)."""
    duty, on_file = inputs.duty, inputs.on_file
    if duty.left_group_at is not None and inputs.at >= duty.left_group_at:
        return Status.NOT_APPLICABLE
    if inputs.relief.is_exempt:
        return Status.EXEMPT  # ruling 10: a report from an exempt agency does not change this
    if inputs.has_agency_ended and not (on_file.is_complete and _precedes_agency_end(on_file.effective_at, duty)):
        return Status.SUPERSEDED if duty.heirs else Status.ENDED_NO_SUCCESSOR
    if on_file.is_complete:
        return decide_complete_status(on_file.effective_at, inputs.relief.due_at)
    if not on_file.is_empty:
        return Status.INCOMPLETE
    if inputs.relief.due_at is None:
        return Status.OPEN
    return Status.OVERDUE if inputs.is_past_due else Status.PENDING


def decide_complete_status(effective_at: datetime | None, due_at: datetime | None) -> Status:
    """Return the status of a duty that a complete report discharges: on time iff effective before due (ruling 1)."""
    if due_at is None or effective_at is None:
        return Status.FULFILLED
    return Status.ON_TIME if effective_at < due_at else Status.LATE


def decide_flags(inputs: StatusInputs, status: Status, *, missed: datetime | None) -> tuple[str, ...]:
    """Return the flags that belong to *status*, in the order of `FLAGS`.

    *missed* is the first due instant that came with nothing on file, if there was one.
    """
    raised = {*inputs.on_file.flags, *_find_flags(inputs, status, missed=missed)}
    flags = tuple(flag for flag in FLAGS if flag in raised) if raised else ()
    if status is Status.SUPERSEDED:
        return (*flags, *(f"inherited_by_{heir}" for heir in inputs.duty.heirs))
    return flags


def _find_flags(inputs: StatusInputs, status: Status, *, missed: datetime | None) -> Iterator[str]:
    on_file, relief = inputs.on_file, inputs.relief
    is_incomplete_past_due = status is Status.INCOMPLETE and inputs.is_past_due
    if is_incomplete_past_due:
        yield "past_due"
    if (is_incomplete_past_due or status is Status.LATE) and _is_first_sent_before(relief.due_at, on_file):
        yield "first_sent_on_time"
    if relief.is_extended:
        yield "under_extension"
    # A late report is simply late; the flag tells of an overdue stretch that a later decision covered (ruling 9).
    if missed is not None and (relief.is_exempt or relief.due_at != missed):
        yield "was_overdue"
    if relief.is_exempt and not on_file.is_empty:
        yield "voluntary_report"
    if relief.has_refused_revocation:
        yield "revocation_refused"
    if inputs.has_agency_ended and _precedes_agency_end(on_file.first_sent_at, inputs.duty):
        yield "filing_kept"


def _is_first_sent_before(due_at: datetime | None, on_file: FilingStatus) -> bool:
    return due_at is not None and on_file.first_sent_at is not None and on_file.first_sent_at < due_at


def _precedes_agency_end(filed_at: datetime | None, duty: Duty) -> bool:
    return filed_at is not None and duty.agency_ends_at is not None and filed_at < duty.agency_ends_at
