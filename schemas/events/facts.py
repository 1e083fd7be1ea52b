"""The facts of `dondoc.facts.v1`: what agencies send and what the authorities decide (contract section 3).

These models are strict and are what intake accepts and publishes. Consumers read tolerantly.
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
ADOPTED = "vn.dondoc.plan.adopted.v1"

_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")

FIGURE_BOUND = 10**30
"""No sum of money or number of loans comes near; what a double cannot hold is a slip of the pen."""

Proof = Literal["none", "postmark", "exchange-log", "mail-gateway"]


def _written_period(text: str) -> str:
    return periods.parse(text).text


def _decimal(text: str) -> str:
    if not _DECIMAL.fullmatch(text):
        raise ValueError('write a number, or a decimal string such as "9984.2" with a point and no thousands sign')
    if abs(Decimal(text)) >= FIGURE_BOUND:
        raise ValueError("write a figure below 10^30; count in a larger unit")
    return text


PeriodText = Annotated[
    str, AfterValidator(_written_period), WithJsonSchema({"type": "string", "pattern": periods.PATTERN})
]
EventId = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
AgencyRef = Annotated[str, StringConstraints(min_length=1, max_length=200)]
DecimalText = Annotated[
    StrictStr,
    AfterValidator(_decimal),
    WithJsonSchema({"type": "string", "pattern": f"^{_DECIMAL.pattern}$"}),
]
FiniteFloat = Annotated[StrictFloat, Field(allow_inf_nan=False, gt=-FIGURE_BOUND, lt=FIGURE_BOUND)]
WholeNumber = Annotated[StrictInt, Field(gt=-FIGURE_BOUND, lt=FIGURE_BOUND)]
Figure = WholeNumber | FiniteFloat | DecimalText


class FactData(BaseModel):
    """Base of every fact's `data`: frozen; attributes that we do not know are kept and ignored."""

    model_config = ConfigDict(frozen=True, extra="allow")


class OfficialDocument(FactData):
    """The official document that carries the report. Number, symbol, issuer and year identify it (notes, section 7)."""

    number: NonBlank
    issued_on: LocalDate
    signed_by: StrictStr | None
    title: StrictStr


class Dispatch(FactData):
    """When it was sent, and who besides the sender can prove it (ruling 2)."""

    sent_at: Instant | None
    proof: Proof
    reference: StrictStr | None


class Content(FactData):
    """The report itself, or the word that there is nothing to report."""

    nil_return: StrictBool
    figures_as_of: LocalDate | None
    sections: dict[str, StrictStr]
    indicators: dict[str, Figure]


class Attachment(FactData):
    """A file that comes along, by digest; `size` in bytes."""

    name: NonBlank
    media_type: MediaType
    size: Annotated[StrictInt, Field(ge=0)]
    sha256: Sha256
    url: StrictStr | None


class DutyRef(FactData):
    """Which duty a fact is about; `period` is absent for a one-off duty."""

    plan: Identifier
    obligation: Identifier
    period: PeriodText | None = None
    agency: AgencyRef


class ReportSubmitted(DutyRef):
    """An agency sends its report, or a correction of an earlier one, perhaps on behalf of its predecessor."""

    on_behalf_of: AgencyRef | None = None
    corrects: EventId | None = None
    document: OfficialDocument
    dispatch: Dispatch
    content: Content
    attachments: tuple[Attachment, ...]


class ReportWithdrawn(DutyRef):
    """An agency takes back what it sent."""

    withdraws: EventId
    reason: NonBlank


class ReportReassigned(FactData):
    """A report filed under one period is moved to the one it is about."""

    plan: Identifier
    obligation: Identifier
    agency: AgencyRef
    submission: EventId
    from_period: PeriodText | None
    to_period: PeriodText | None
    reason: NonBlank


class Decision(FactData):
    """The act of the authority behind an extension, an exemption or its revocation."""

    number: NonBlank
    issued_on: LocalDate
    signed_by: NonBlank


class ExtensionGranted(DutyRef):
    """The authority moves one duty's due instant; `due_at` is exclusive."""

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
    """The authority takes an exemption back and says by when the report is now due."""

    plan: Identifier
    obligation: Identifier
    agency: AgencyRef
    exemption: EventId
    due_at: Instant | None
    decision: Decision
    reason: NonBlank


class PlanAdopted(FactData):
    """One partition of the log takes a plan and registry version into force and looks ahead to `horizon`.

    Written by the owner of the partition; every duty that comes into being before `horizon` is assessed, reports or
    not.
    """

    plan: Identifier
    plan_version: Annotated[StrictInt, Field(ge=1)]
    registry: Identifier
    registry_version: Annotated[StrictInt, Field(ge=1)]
    partition: Annotated[StrictInt, Field(ge=0)]
    horizon: Instant


FactModel = (
    ReportSubmitted | ReportWithdrawn | ReportReassigned | ExtensionGranted | ExemptionGranted | ExemptionRevoked
)
MODEL_OF: dict[str, type[FactModel]] = {
    SUBMITTED: ReportSubmitted,
    WITHDRAWN: ReportWithdrawn,
    REASSIGNED: ReportReassigned,
    EXTENDED: ExtensionGranted,
    EXEMPTED: ExemptionGranted,
    REVOKED: ExemptionRevoked,
}
"""The facts that upstream systems may send, by CloudEvents `type`. Adoption is ours alone."""
