"""The facts that bear on a duty, as the core sees them. How they are written on the wire is the reader's business."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What every fact has: its identity (`source`, `id`), the docket it belongs to, and when it came and was recorded.

    `agency` is the agency whose duty it is, as the sender wrote it; aliases are resolved by the book.
    """

    id: str
    source: str
    plan: str
    obligation: str
    agency: str
    received_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that came along."""

    media_type: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a submission contains, as far as completeness asks."""

    number: str
    issued_on: date | None
    signed_by: str
    is_nil_return: bool
    sections: Mapping[str, str]
    indicators: Mapping[str, float]
    attachments: tuple[Attachment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission(Recorded):
    """A report, or the correction of an earlier one; `filed_by` differs from `agency` where a successor files."""

    period: str | None
    filed_by: str
    corrects: str | None
    sent_at: datetime | None
    proof: str
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal(Recorded):
    """A report taken back."""

    period: str | None
    withdraws: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reassignment(Recorded):
    """A report moved from one period to another."""

    submission: str
    from_period: str | None
    to_period: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension(Recorded):
    """A new due instant by decision."""

    period: str | None
    due_at: datetime
    decided_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption(Recorded):
    """A release from the duties whose due instant falls in [from_, until)."""

    from_: datetime
    until: datetime
    decided_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation(Recorded):
    """An exemption taken back, with the instant by which the report is due again."""

    exemption: str
    due_at: datetime | None
    decided_on: date


Act = Withdrawal | Reassignment | Extension | Exemption | Revocation
"""What is done about reports and due instants."""

Fact = Submission | Act


def identity(fact: Fact) -> tuple[str, str]:
    """Return what makes two records the same fact."""
    return fact.source, fact.id


def arrival(fact: Fact) -> tuple[datetime, datetime, str, str]:
    """Return the order in which facts are listed: by receipt, then by name, never by how they were read."""
    return fact.received_at, fact.recorded_at, fact.source, fact.id
