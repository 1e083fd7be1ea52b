"""The facts that bear on a duty, as the core sees them. `services.rules.fact_decoder` reads them from the wire.

Whatever the core creates for every fact is a frozen msgspec struct rather than a frozen dataclass: it reads, compares
and matches the same, and is created in an eighth of the time. With `gc=False` the garbage collector does not track
them, which is safe because they form no reference cycles.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

import msgspec

# Source and id: two records with the same identity are the same fact.
FactIdentity = tuple[str, str]


class RecordedFact(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What every fact has: its identity (`source`, `id`), its docket, when it was received and when recorded.

    `agency` is the agency whose duty it is, as the sender wrote it; the duty catalogue resolves aliases.
    """

    id: str
    source: str
    plan: str
    obligation: str
    agency: str
    received_at: datetime
    recorded_at: datetime


class FiledAttachment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A file that came with a report."""

    media_type: str = ""
    sha256: str = ""


class ReportContent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a submission contains, as far as completeness asks for it."""

    number: str
    issued_on: date | None
    signed_by: str
    is_nil_return: bool
    sections: Mapping[str, str]
    indicators: Mapping[str, Decimal]
    attachments: tuple[FiledAttachment, ...]
    parts: tuple[str, ...] = ()  # the agencies whose reports it consolidates, as the sender wrote them


class Submission(RecordedFact, frozen=True, kw_only=True, gc=False):
    """A report, or the correction of an earlier one; `filed_by` differs from `agency` where a successor files.

    `is_proof_permitted` tells whether the sender's key may state the `proof` of dispatch, and `has_proof_reference`
    whether the report says where to look the proof up (ruling 12). Records of the state topic from before that ruling
    lack both.
    """

    period: str | None
    filed_by: str
    corrects: str | None
    sent_at: datetime | None
    proof: str
    report: ReportContent
    is_proof_permitted: bool = True
    has_proof_reference: bool = True


class Withdrawal(RecordedFact, frozen=True, kw_only=True, gc=False):
    """A report was withdrawn."""

    period: str | None
    withdraws: str


class Reassignment(RecordedFact, frozen=True, kw_only=True, gc=False):
    """A report was moved from one period to another."""

    submission: str
    from_period: str | None
    to_period: str | None


class ReportReturn(RecordedFact, frozen=True, kw_only=True, gc=False):
    """The recipient returned a submission for correction, before `respond_by` where that is given (ruling 14)."""

    period: str | None
    submission: str
    reason: str
    respond_by: datetime | None


class ReportAcceptance(RecordedFact, frozen=True, kw_only=True, gc=False):
    """The recipient accepted a submission as it is."""

    period: str | None
    submission: str


class Extension(RecordedFact, frozen=True, kw_only=True, gc=False):
    """A decision set a new due instant; `decision` is the number of its document."""

    period: str | None
    due_at: datetime
    decided_on: date
    decision: str = ""
    reason: str = ""


class Exemption(RecordedFact, frozen=True, kw_only=True, gc=False):
    """A decision released the agency from the duties whose due instant falls in [from_, until)."""

    from_: datetime
    until: datetime
    decided_on: date
    decision: str = ""
    reason: str = ""


class Revocation(RecordedFact, frozen=True, kw_only=True, gc=False):
    """A decision revoked an exemption; `due_at` is the instant before which the report is owed again."""

    exemption: str
    due_at: datetime | None
    decided_on: date


# The recipient's answer to a submission.
Review = ReportReturn | ReportAcceptance

# What an authority decides about a duty; unlike a report it concerns the duties of one plan alone.
Decision = Extension | Exemption | Revocation

# A fact that changes what submissions count for or when the duty is due.
Adjustment = Withdrawal | Reassignment | Review | Decision

Fact = Submission | Adjustment


def identity(fact: Fact) -> FactIdentity:
    """Return what makes two records the same fact."""
    return fact.source, fact.id


def arrival_order(fact: Fact) -> tuple[datetime, datetime, str, str]:
    """Return the sort key of facts: by receipt, then by identity, never by the order in which they were read."""
    return fact.received_at, fact.recorded_at, fact.source, fact.id


def has_same_content(one: Fact, other: Fact) -> bool:
    """Whether two facts of one identity say the same, whenever they were received and recorded.

    What rules does not read, such as the title of a document, is not compared: it changes no assessment.
    """
    return type(one) is type(other) and one == msgspec.structs.replace(
        other, received_at=one.received_at, recorded_at=one.recorded_at
    )
