"""The assessment of a duty, which rules publishes: `vn.dondoc.duty.assessed.v1` on `dondoc.verdicts.v1`.

An assessment holds the duty's status as a piecewise-constant function of time, the future included, and the alerts it
calls for.
"""

from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

ASSESSED = "vn.dondoc.duty.assessed.v1"


class Status(StrEnum):
    """The status of a duty at an instant (contract section 5)."""

    NOT_APPLICABLE = "not_applicable"
    PENDING = "pending"
    INCOMPLETE = "incomplete"
    ON_TIME = "on_time"
    LATE = "late"
    OVERDUE = "overdue"
    EXEMPT = "exempt"
    SUPERSEDED = "superseded"
    ENDED_NO_SUCCESSOR = "ended_no_successor"
    OPEN = "open"
    FULFILLED = "fulfilled"


class StepKind(StrEnum):
    """Why an alert goes out."""

    REMINDER = "reminder"
    URGING = "urging"
    ESCALATION = "escalation"
    INCOMPLETE = "incomplete"
    RETURNED = "returned"
    RECEIVED = "received"
    EXTENSION = "extension"
    EXEMPTION = "exemption"
    SUCCESSION = "succession"
    OPENING = "season-opening"


class PublishedModel(BaseModel):
    """Base of the models that rules publishes."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)


class EventReference(PublishedModel):
    """An event by its identity."""

    source: str
    id: str


class TimelineSegment(PublishedModel):
    """A stretch of a duty's timeline: the status that holds from `from` until the next segment begins.

    `standing` is the submission whose content counts meanwhile, where anything is on file (contract section 8.2).
    `returns` counts the returns by the recipient that act and are not taken back. Where `missing` begins with
    `returned`, the report is returned; then `respond_by` is the instant before which the correction is asked for.
    """

    from_: datetime = Field(alias="from")
    status: Status
    due_at: datetime | None = None
    effective_at: datetime | None = None
    submissions: int = 0
    flags: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    standing: EventReference | None = None
    returns: int = 0
    respond_by: datetime | None = None


class ReturnedReport(PublishedModel):
    """The report that a `returned` step is about: its event id, and the words and the term of its recipient."""

    submission: str
    reason: str
    respond_by: datetime | None = None


class NoticeDetails(PublishedModel):
    """What a notice tells: the decision behind it, the due instant before it, the heirs, or the report.

    `decision` and `decided_on` are number and day of the decision's document, `reason` is why it was taken, and an
    exemption covers the due instants of [`exempt_from`, `exempt_until`). `document` is the number of the report that
    discharged the duty and `effective_at` when it counts.
    """

    decided_on: date | None = None
    decision: str = ""
    reason: str = ""
    exempt_from: datetime | None = None
    exempt_until: datetime | None = None
    former_due_at: datetime | None = None
    heirs: tuple[str, ...] = ()
    document: str = ""
    effective_at: datetime | None = None


class SuccessorTerm(PublishedModel):
    """An agency that stands in the place of one that has ended, from `from` until `until` (None: without end)."""

    agency: str
    from_: datetime = Field(alias="from")
    until: datetime | None = None


class AlertStep(PublishedModel):
    """An alert that the duty calls for at `at`. It is valid only until a newer assessment of the duty exists.

    `step` is the ISO 8601 distance from `due_at` (or `incomplete:EVENT`, `returned:EVENT`); `to` is `self`, `parent` or
    a contact list. If `every` is given, the step repeats at that interval until `until` (or until the assessment
    changes), at most `at_most` times. `settle` holds it back for that much time within the sending hours, counted from
    `due_at`. From `passes_at` on, when the agency has ended, it does not repeat; what was called for before and is sent
    only then goes to those of the `successors` who stand in the agency's place.
    """

    kind: StepKind
    step: str
    at: datetime
    due_at: datetime | None
    to: str = "self"
    every: str | None = None
    until: datetime | None = None
    returned: ReturnedReport | None = None
    at_most: int | None = None
    settle: str | None = None
    notice: NoticeDetails | None = None
    passes_at: datetime | None = None
    successors: tuple[SuccessorTerm, ...] = ()


class DutyAssessed(PublishedModel):
    """The assessment of one duty, made from the set of facts that were known by `recorded_at`."""

    plan: str
    plan_version: int
    registry: str
    registry_version: int
    agency: str
    obligation: str
    period: str | None
    clause: str
    opens_at: datetime | None
    recorded_at: datetime
    revision: int
    timeline: tuple[TimelineSegment, ...]
    steps: tuple[AlertStep, ...] = ()
