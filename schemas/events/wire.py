"""The events of rules and the notifier as msgspec structs: fast to encode, fast and tolerant to decode.

The structs mirror the pydantic models of `assessments`, `deliveries` and `envelope`, which define the JSON Schemas; a
contract test holds the two to each other. Decoding ignores unknown fields, so a producer may add some. Encoding writes
the fields in their order here, and the same values give the same bytes. A consumer decodes the data as described here,
in an envelope of its own that requires only the attributes it uses.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar

import msgspec

from schemas.events.assessments import Status, StepKind
from schemas.events.deliveries import AttemptOutcome, Channel

Data = TypeVar("Data")

# A count, a version or an offset: what MongoDB and Kafka hold in 64 bits.
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]

# An instant with its offset (RFC 3339). A time without one would mean another instant in each time zone.
OffsetDatetime = Annotated[datetime, msgspec.Meta(tz=True)]


class WireEventReference(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event by its identity, `EventReference`."""

    source: str
    id: str


class WireSegment(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, rename={"starts_at": "from"}
):
    """A segment of a timeline, `TimelineSegment`: the status from `starts_at` until the next segment begins."""

    starts_at: OffsetDatetime
    status: Status
    due_at: OffsetDatetime | None = None
    effective_at: OffsetDatetime | None = None
    submissions: Count = 0
    flags: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    standing: WireEventReference | None = None
    returns: Count = 0
    respond_by: OffsetDatetime | None = None


class WireReturnedReport(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The report that a step of kind `returned` is about, `ReturnedReport`."""

    submission: str
    reason: str
    respond_by: OffsetDatetime | None = None


class WireNotice(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What a notice tells, `NoticeDetails`."""

    decided_on: date | None = None
    decision: str = ""
    reason: str = ""
    exempt_from: OffsetDatetime | None = None
    exempt_until: OffsetDatetime | None = None
    former_due_at: OffsetDatetime | None = None
    heirs: tuple[str, ...] = ()
    document: str = ""
    effective_at: OffsetDatetime | None = None


class WireSuccessor(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename={"starts_at": "from"}):
    """Who stands in the place of an agency that has ended, and when, `SuccessorTerm`."""

    agency: str
    starts_at: OffsetDatetime
    until: OffsetDatetime | None = None


class WireStep(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An alert that a duty calls for at the instant `at`, `AlertStep`.

    `step` is its distance from `due_at` as an ISO 8601 duration, for example `P7D`. The last urging repeats: every
    `every` (also a duration) up to, but not including, `until`, at most `at_most` times. `settle` holds the step back
    for that much time within the sending hours, counted from `due_at`. What is sent at `passes_at` or later goes to the
    `successors` of that instant.
    """

    kind: StepKind
    step: str
    at: OffsetDatetime
    due_at: OffsetDatetime | None = None
    to: str = "self"
    every: str | None = None
    until: OffsetDatetime | None = None
    # What follows is left out of the many steps that have none of it.
    returned: WireReturnedReport | msgspec.UnsetType | None = msgspec.UNSET
    at_most: Count | msgspec.UnsetType | None = msgspec.UNSET
    settle: str | msgspec.UnsetType | None = msgspec.UNSET
    notice: WireNotice | msgspec.UnsetType | None = msgspec.UNSET
    passes_at: OffsetDatetime | msgspec.UnsetType | None = msgspec.UNSET
    successors: tuple[WireSuccessor, ...] | msgspec.UnsetType = msgspec.UNSET


class WireTimeline(msgspec.Struct, frozen=True, kw_only=True):
    """The data of an assessment without its steps: the status of a duty as a function of time.

    Whoever needs no steps decodes this: three steps take a fifth of the time in which an assessment is decoded.
    """

    plan: str
    plan_version: Count
    registry: str
    registry_version: Count
    agency: str
    obligation: str
    period: str | None = None
    clause: str
    opens_at: OffsetDatetime | None = None
    recorded_at: OffsetDatetime
    revision: Count
    timeline: tuple[WireSegment, ...]


class WireDutyAssessed(WireTimeline, frozen=True, kw_only=True):
    """The data of an assessment, `DutyAssessed`."""

    steps: tuple[WireStep, ...] = ()


class WireAlertedDuty(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A duty that an alert is about, `AlertedDuty`."""

    plan: str
    agency: str
    obligation: str
    period: str | None = None
    kind: StepKind
    step: str
    due_at: OffsetDatetime | None = None
    as_successor: bool = False


class WireAlertAttempted(msgspec.Struct, frozen=True, kw_only=True):
    """The data of an attempt at an alert, `AlertAttempted`."""

    alert: str
    channel: Channel
    to_agency: str
    kind: StepKind
    step: str
    duties: tuple[WireAlertedDuty, ...]
    attempt: Count
    outcome: AttemptOutcome
    reason: str | None = None
    attempted_at: OffsetDatetime
    message_id: str | None = None
    segments: Count | None = None
    delivery: str | None = None
    route: str | None = None
    template: str | None = None
    template_digest: str | None = None
    text_digest: str | None = None
    instead_of: str | None = None


class WireEvent(msgspec.Struct, Generic[Data], frozen=True, kw_only=True):
    """The CloudEvents envelope, `Envelope`, as rules writes it. A trace stands in it where the fact belongs to one."""

    specversion: str = "1.0"
    id: str
    source: str
    type: str
    subject: str | None = None
    time: OffsetDatetime | None = None
    datacontenttype: str = "application/json"
    traceparent: str | msgspec.UnsetType = msgspec.UNSET
    tracestate: str | msgspec.UnsetType = msgspec.UNSET
    data: Data


encode: Callable[[WireEvent[Any]], bytes] = msgspec.json.Encoder().encode
"""Encodes an event as one line of JSON. One encoder serves all: it keeps nothing between two events."""
