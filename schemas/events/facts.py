"""The facts on `dondoc.facts.v1`: what agencies submit and what the authorities decide (contract section 3).

These models are strict: they define what intake accepts and publishes. Consumers read tolerantly.
"""

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    StringConstraints,
    WithJsonSchema,
)

from schemas.plan import periods
from schemas.plan.values import Identifier, Instant, LocalDate, MediaType, NonBlank, Sha256

SUBMITTED = "vn.dondoc.report.submitted.v1"
WITHDRAWN = "vn.dondoc.report.withdrawn.v1"
REASSIGNED = "vn.dondoc.report.reassigned.v1"
EXTENDED = "vn.dondoc.extension.granted.v1"
EXEMPTED = "vn.dondoc.exemption.granted.v1"
REVOKED = "vn.dondoc.exemption.revoked.v1"
RETURNED = "vn.dondoc.report.returned.v1"
ACCEPTED = "vn.dondoc.report.accepted.v1"
ADOPTED = "vn.dondoc.plan.adopted.v1"

_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")

# The reason of a return stands in the assessment, in the mail and on the form; ten times what a letter says of it.
REASON_LENGTH_MAX = 4000

# No sum of money and no number of loans comes near this. A figure that a double cannot hold is a typing mistake.
FIGURE_BOUND = 10**30

Proof = Literal["none", "postmark", "exchange-log", "mail-gateway"]

# What intake writes into the attribute `dispatchproof` where the sender's key may not state the proof (ruling 12).
UNPROVEN = "unproven"


def _normalize_period(text: str) -> str:
    return periods.parse(text).text


def _require_decimal(text: str) -> str:
    if not _DECIMAL.fullmatch(text):
        raise ValueError('write a number, or a decimal string such as "9984.2" with a point and no thousands sign')
    if abs(Decimal(text)) >= FIGURE_BOUND:
        raise ValueError("write a figure below 10^30; count in a larger unit")
    return text


PeriodText = Annotated[
    str, AfterValidator(_normalize_period), WithJsonSchema({"type": "string", "pattern": periods.PATTERN})
]
EventId = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
AgencyRef = Annotated[str, StringConstraints(min_length=1, max_length=200)]
DecimalText = Annotated[
    StrictStr,
    AfterValidator(_require_decimal),
    WithJsonSchema({"type": "string", "pattern": f"^{_DECIMAL.pattern}$"}),
]
FiniteFloat = Annotated[StrictFloat, Field(allow_inf_nan=False, gt=-FIGURE_BOUND, lt=FIGURE_BOUND)]
WholeNumber = Annotated[StrictInt, Field(gt=-FIGURE_BOUND, lt=FIGURE_BOUND)]
Figure = WholeNumber | FiniteFloat | DecimalText


class FactData(BaseModel):
    """Base of every fact's `data`: frozen; unknown attributes are kept and ignored."""

    model_config = ConfigDict(frozen=True, extra="allow")


class OfficialDocument(FactData):
    """The official document with the report. Number, symbol, issuer and year identify it (notes, section 7)."""

    number: NonBlank
    issued_on: LocalDate
    signed_by: StrictStr | None
    title: StrictStr


class Dispatch(FactData):
    """When the report was sent, and which third party can prove it (ruling 2)."""

    sent_at: Instant | None
    proof: Proof
    reference: StrictStr | None


class Content(FactData):
    """The content of the report, or the statement that there is nothing to report (a nil return).

    `parts` are the agencies whose reports it consolidates.
    """

    nil_return: StrictBool
    figures_as_of: LocalDate | None
    sections: dict[str, StrictStr]
    indicators: dict[str, Figure]
    parts: tuple[AgencyRef, ...] = ()


class Attachment(FactData):
    """A file attached to the report, identified by its digest; `size` is in bytes."""

    name: NonBlank
    media_type: MediaType
    size: Annotated[StrictInt, Field(ge=0)]
    sha256: Sha256
    url: StrictStr | None


class DutyRef(FactData):
    """The duty that a fact is about; a one-off duty has no `period`."""

    plan: Identifier
    obligation: Identifier
    period: PeriodText | None = None
    agency: AgencyRef


class ReportSubmitted(DutyRef):
    """An agency submits a report or a correction of an earlier one, possibly on behalf of its predecessor."""

    on_behalf_of: AgencyRef | None = None
    corrects: EventId | None = None
    document: OfficialDocument
    dispatch: Dispatch
    content: Content
    attachments: tuple[Attachment, ...]


class ReportWithdrawn(DutyRef):
    """An agency withdraws an earlier submission."""

    withdraws: EventId
    reason: NonBlank


class ReportReassigned(FactData):
    """A report that was filed under one period is moved to the period that it is about."""

    plan: Identifier
    obligation: Identifier
    agency: AgencyRef
    submission: EventId
    from_period: PeriodText | None
    to_period: PeriodText | None
    reason: NonBlank


class Decision(FactData):
    """The authority's decision document behind an extension, an exemption or its revocation."""

    number: NonBlank
    issued_on: LocalDate
    signed_by: NonBlank


class ExtensionGranted(DutyRef):
    """The authority moves the due instant of one duty; `due_at` is exclusive."""

    due_at: Instant
    decision: Decision
    reason: NonBlank


class ExemptionGranted(FactData):
    """The authority releases an agency from the duties whose due instant falls in [from, until)."""

    plan: Identifier
    obligation: Identifier
    agency: AgencyRef
    from_: Instant = Field(alias="from")
    until: Instant
    decision: Decision
    reason: NonBlank


class ExemptionRevoked(FactData):
    """The authority revokes an exemption and states when the report is due instead."""

    plan: Identifier
    obligation: Identifier
    agency: AgencyRef
    exemption: EventId
    due_at: Instant | None
    decision: Decision
    reason: NonBlank


class ReportReturned(DutyRef):
    """The recipient returns a submission to its agency for correction, asked for before `respond_by` (exclusive)."""

    submission: EventId
    reason: Annotated[NonBlank, StringConstraints(max_length=REASON_LENGTH_MAX)]
    respond_by: Instant | None
    returned_by: AgencyRef


class ReportAccepted(DutyRef):
    """The recipient accepts a submission as it is; `note` may be empty."""

    submission: EventId
    note: StrictStr
    accepted_by: AgencyRef


class PlanAdopted(FactData):
    """A version of a plan and its registry takes effect for one partition of the log.

    The owner of the partition writes it. Every duty that opens before `horizon` is assessed, whether or not anything
    was submitted.
    """

    plan: Identifier
    plan_version: Annotated[StrictInt, Field(ge=1)]
    registry: Identifier
    registry_version: Annotated[StrictInt, Field(ge=1)]
    partition: Annotated[StrictInt, Field(ge=0)]
    horizon: Instant


FactModel = (
    ReportSubmitted
    | ReportWithdrawn
    | ReportReassigned
    | ReportReturned
    | ReportAccepted
    | ExtensionGranted
    | ExemptionGranted
    | ExemptionRevoked
)

# The facts that upstream systems may send, by CloudEvents `type`. Only rules itself writes `PlanAdopted`.
MODEL_OF: dict[str, type[FactModel]] = {
    SUBMITTED: ReportSubmitted,
    WITHDRAWN: ReportWithdrawn,
    REASSIGNED: ReportReassigned,
    RETURNED: ReportReturned,
    ACCEPTED: ReportAccepted,
    EXTENDED: ExtensionGranted,
    EXEMPTED: ExemptionGranted,
    REVOKED: ExemptionRevoked,
}
